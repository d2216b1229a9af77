import { spawnSync } from "node:child_process";
import { existsSync, utimesSync, writeFileSync } from "node:fs";
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

test("a lock whose owner has not written its name yet is not taken, an old one without a name is", async () => {
  const file = join(temporaryFolder(), "lock");
  writeFileSync(file, "");
  let waited = 0;
  const result = withLock(
    file,
    () => {
      waited += 1;
      // As if it had been left there long ago.
      utimesSync(file, 0, 0);
    },
    async () => "done",
  );
  expect(await result).toBe("done");
  expect(waited).toBe(1);
});
