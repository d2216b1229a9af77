import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../test/temporary-directory.js";
import { lockFile } from "./lock-file.js";

it("is had by one at a time, and again once it is given back", async () => {
  const directory = await temporaryDirectory("lock");
  const path = join(directory, "run.lock");
  const unlock = await lockFile(path, "runs/a");
  await expect(lockFile(path, "runs/a")).rejects.toThrow(
    `runs/a must be written by one process at a time, but process ${process.pid} on ${hostname()} writes it.`,
  );
  await unlock();
  expect(await readdir(directory)).toEqual([]);
  const again = await lockFile(path, "runs/a");
  await unlock(); // an old one's does not take it away
  await expect(lockFile(path, "runs/a")).rejects.toThrow("one process at a time");
  await again();
});

it("is taken over from a process that was killed, not from one of another machine", async () => {
  const path = join(await temporaryDirectory("lock"), "run.lock");
  const killed = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await writeFile(path, JSON.stringify({ pid: killed.pid, host: hostname(), id: "1" }));
  await expect(lockFile(path, "runs/a")).rejects.toThrow(`process ${killed.pid}`);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const unlock = await lockFile(path, "runs/a");
  await unlock();
  await writeFile(path, JSON.stringify({ pid: killed.pid, host: "another", id: "1" }));
  await expect(lockFile(path, "runs/a")).rejects.toThrow("on another writes it");
});
