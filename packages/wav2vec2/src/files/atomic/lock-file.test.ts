import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
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

it("is taken over from a process that was killed", async () => {
  const path = join(await temporaryDirectory("lock"), "run.lock");
  const killed = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await writeFile(path, JSON.stringify({ pid: killed.pid, host: hostname(), id: "1" }));
  await expect(lockFile(path, "runs/a")).rejects.toThrow(`process ${killed.pid}`);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const unlock = await lockFile(path, "runs/a");
  await unlock();
});

it.runIf(process.platform === "linux")("is not another process's that has the same number", async () => {
  const path = join(await temporaryDirectory("lock"), "run.lock");
  const unlock = await lockFile(path, "runs/a");
  const { started, ...holder } = JSON.parse(await readFile(path, "utf8"));
  expect(started).toMatch(/^[\da-f-]+ \d+$/);
  await writeFile(path, JSON.stringify({ ...holder, started: "another-boot 17" })); // as after a container's restart
  const again = await lockFile(path, "runs/a");
  await unlock();
  await expect(lockFile(path, "runs/a")).rejects.toThrow(`process ${process.pid}`);
  await again();
});

it("is taken over from another machine where that shows no life, and not where it does", async () => {
  const path = join(await temporaryDirectory("lock"), "run.lock");
  const notes: string[] = [];
  const options = { patienceMs: 300, onNote: (text: string) => void notes.push(text) };
  const elsewhere = JSON.stringify({ pid: 7, host: "another", id: "1" });
  await writeFile(path, elsewhere);
  const beat = setInterval(() => void utimes(path, new Date(), new Date()), 20);
  await expect(lockFile(path, "runs/a", options)).rejects.toThrow("process 7 on another writes it");
  clearInterval(beat);
  expect(notes).toEqual([expect.stringMatching(/^Process 7 on another has been writing runs\/a\. Looking/)]);
  const aborted = lockFile(path, "runs/a", { patienceMs: 60_000, signal: AbortSignal.abort("stop") });
  await expect(aborted).rejects.toBe("stop");
  const unlock = await lockFile(path, "runs/a", options);
  expect(JSON.parse(await readFile(path, "utf8")).pid).toBe(process.pid);
  await unlock();
});
