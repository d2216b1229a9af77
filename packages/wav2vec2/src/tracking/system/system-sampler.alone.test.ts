import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { SystemSampler, thinned } from "./system-sampler.js";

const thread = vi.hoisted(() => ({ path: "" }));
vi.mock("../../files/compiled.js", () => ({ compiled: () => thread.path }));

describe("readings that are too many", () => {
  const items = (count: number) => Array.from({ length: count }, (_, index) => index);

  it("are thinned evenly, the newest among those that stay", () => {
    expect(thinned(items(100), 10)).toEqual([9, 19, 29, 39, 49, 59, 69, 79, 89, 99]);
    expect(thinned(items(11), 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(thinned(items(25), 4)).toEqual([6, 12, 18, 24]);
  });

  it("are left as they are where they are few", () => {
    expect(thinned(items(10), 10)).toEqual(items(10));
    expect(thinned([], 10)).toEqual([]);
  });
});

describe("a thread that does not do what it should", () => {
  let directory: string;
  afterEach(() => rmSync(directory, { recursive: true }));

  /** A sampler whose thread runs other code. */
  function sampler(code: string, directoryOfRun: unknown = undefined) {
    directory = mkdtempSync(join(tmpdir(), "sampler-"));
    thread.path = join(directory, "thread.mjs");
    writeFileSync(thread.path, code);
    const notes: string[] = [];
    const setup = { rank: 0, seconds: 1, machine: true, directory: directoryOfRun as string, device: "cpu" };
    return { notes, system: new SystemSampler({ ...setup, onNote: (text) => void notes.push(text) }) };
  }

  it("is said once, whatever ends it, and there are no readings", async () => {
    const { notes, system } = sampler("throw new Error('odd');");
    await vi.waitFor(() => expect(notes).toEqual(["The machine is not measured any more: odd"]), 60_000);
    expect(system.take()).toEqual([]);
    await system[Symbol.asyncDispose]();
    expect(notes).toHaveLength(1);
  });

  it("may not begin at all", async () => {
    const { notes, system } = sampler("", () => {}); // which no thread can be given
    expect(notes).toEqual([expect.stringContaining("The machine is not measured any more: ")]);
    await system[Symbol.asyncDispose]();
  });

  it("may hang: the run ends all the same", async () => {
    const { notes, system } = sampler("for (;;);");
    await system[Symbol.asyncDispose]();
    expect(notes).toEqual([]);
  });

  it("may tell far more than anybody asks for", async () => {
    const { notes, system } = sampler(`
      import { parentPort } from "node:worker_threads";
      for (let time = 1; time <= 5000; time++) parentPort.postMessage({ kind: "reading", reading: { time } });
      parentPort.postMessage({ kind: "note", text: "That was all." });
      parentPort.once("message", () => process.exit());`);
    await vi.waitFor(() => expect(notes).toEqual(["That was all."]), 60_000);
    const times = system.take().map(({ time }) => time);
    expect(times).toHaveLength(10);
    expect(times.at(-1)).toBe(5000);
    await system[Symbol.asyncDispose]();
  });
});
