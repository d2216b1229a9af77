import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { isInCheckout, setupCommand } from "./setup-command.js";

const directory = mkdtempSync(join(tmpdir(), "setup command-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it("set-up is the script of the checkout, from wherever it is run", () => {
  expect(isInCheckout()).toBe(true);
  mkdirSync(join(directory, "scripts"));
  writeFileSync(join(directory, "scripts/setup.mjs"), "");
  expect(setupCommand(undefined, directory, directory)).toBe("npm run setup");
  expect(setupCommand("cuda", directory, directory)).toBe("npm run setup -- --libtorch cuda");
  expect(setupCommand("cuda", tmpdir(), directory)).toBe(
    `npm --prefix "${directory}" run setup -- --libtorch cuda`,
  );
  expect(setupCommand()).toBe("npm run setup"); // tests run in the checkout
});

it("set-up of a copy without it is that of a checkout", () => {
  expect(isInCheckout(join(directory, "scripts"))).toBe(false);
  expect(setupCommand(undefined, tmpdir(), join(directory, "scripts"))).toBe("npm run setup");
});
