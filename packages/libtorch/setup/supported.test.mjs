import { expect, test } from "vitest";
import { SetupError } from "./report.mjs";
import { checkSystem } from "./supported.mjs";

/** @param {() => void} action */
function failureOf(action) {
  try {
    action();
  } catch (error) {
    if (error instanceof SetupError) return `${error.message}\n${error.commands.join("\n")}`;
    throw error;
  }
  return undefined;
}

test("musl: the reason, an image that works, and a libtorch of one's own", () => {
  const system = { platform: "linux", hasGlibc: false };
  expect(failureOf(() => checkSystem(false, system))).toMatch(
    /must be glibc, but is another one \(Alpine Linux has musl\).*node:22-bookworm-slim.*--libtorch PATH/s,
  );
  expect(failureOf(() => checkSystem(true, system))).toBeUndefined();
});

test("Windows and others: the reason and what works instead, whatever libtorch is named", () => {
  expect(failureOf(() => checkSystem(true, { platform: "win32" }))).toMatch(
    /must be Linux or macOS, but is Windows.*wsl --install.*run setup.*node:22-bookworm-slim/s,
  );
  expect(failureOf(() => checkSystem(false, { platform: "freebsd" }))).toMatch(/but is FreeBSD/);
  expect(failureOf(() => checkSystem(false, { platform: "freebsd" }))).not.toContain("wsl");
});

test("Linux with glibc and macOS go on", () => {
  checkSystem(false, { platform: "linux", hasGlibc: true });
  checkSystem(false, { platform: "darwin" });
});
