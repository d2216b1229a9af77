import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./fixtures.mjs";
import { withLock } from "./lock.mjs";

test("two at a time run one after the other", async () => {
  const file = join(temporaryFolder(), "deeper/lock");
  /** @type {string[]} */
  const events = [];
  const work = (/** @type {string} */ name) =>
    withLock(
      file,
      () => events.includes("waiting") || events.push("waiting"),
      async () => {
        events.push(`${name} starts`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        events.push(`${name} ends`);
      },
    );
  await Promise.all([work("first"), work("second")]);
  expect(events).toEqual(["first starts", "waiting", "first ends", "second starts", "second ends"]);
  expect(existsSync(file)).toBe(false);
});

test("the lock of a process that is gone, and a failing action, do not block", async () => {
  const file = join(temporaryFolder(), "lock");
  const { pid } = spawnSync(process.execPath, ["--version"]);
  writeFileSync(file, `${pid}\n`);
  const failing = withLock(
    file,
    () => {},
    () => Promise.reject(new Error("broken")),
  );
  await expect(failing).rejects.toThrow("broken");
  expect(
    await withLock(
      file,
      () => {},
      async () => "done",
    ),
  ).toBe("done");
});
