import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readStepLines } from "../../src/tracking/sinks/metrics-file.js";
import { GpuStream } from "../../src/tracking/system/gpu/gpu-stream.js";
import type { SystemReading } from "../../src/tracking/system/system-reading.js";
import { SystemSampler } from "../../src/tracking/system/system-sampler.js";
import { combineTrackers } from "../../src/tracking/tracker.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { isRunning, LaunchFixture } from "../distributed/launch-fixture.js";
import { finalWeights, recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
let data: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "system-metrics-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 30, dev: 3 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const { PATH, CUDA_VISIBLE_DEVICES } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
  if (CUDA_VISIBLE_DEVICES === undefined) delete process.env.CUDA_VISIBLE_DEVICES;
  else process.env.CUDA_VISIBLE_DEVICES = CUDA_VISIBLE_DEVICES;
});

/** Puts a nvidia-smi of its own before all others. @returns its directory; `calls` there holds what it was called with */
async function nvidiaSmi(script: string): Promise<string> {
  const bin = await mkdtemp(join(directory, "bin-"));
  await writeFile(join(bin, "nvidia-smi"), `#!/bin/bash\necho "$$ $*" >> ${join(bin, "calls")}\n${script}\n`);
  await chmod(join(bin, "nvidia-smi"), 0o755);
  process.env.PATH = `${bin}${delimiter}${PATH}`;
  return bin;
}
const calls = async (bin: string): Promise<string[]> =>
  (await readFile(join(bin, "calls"), "utf8").catch(() => "")).trim().split("\n");

/** A driver of before 535: it knows the older name of the reasons alone. */
const OLD_DRIVER = `
case "$*" in *clocks_event_reasons*) echo 'Field "clocks_event_reasons.active" is not a valid field to query.'; exit 2;; esac
while true; do echo "1, 93 %, 40 %, 24576 MiB, 12288 MiB, 64, 300.00 W, 350.00 W, 1700 MHz, 9501 MHz, 55 %, 0x0000000000000004"; sleep 0.1; done`;

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600 && !(await isSo()); tries++) await after(50);
  expect(await isSo()).toBe(true);
}

describe("readings of a GPU", () => {
  const open = (notes: string[], device = "cuda:1") =>
    new GpuStream({ device, intervalMs: 100, onNote: (text) => void notes.push(text) });

  it("come from one nvidia-smi that goes on, also where a driver does not know a name", async () => {
    const bin = await nvidiaSmi(OLD_DRIVER);
    const stream = open([]);
    await stream.heard;
    expect(stream.read()).toMatchObject({
      "gpu.1.gpu": 93,
      "gpu.1.memoryAllocated": 50,
      "gpu.1.throttledByPowerCap": 1,
    });
    const started = await calls(bin);
    expect(started.map((call) => /clocks_event/.test(call))).toEqual([true, false]);
    expect(started[1]).toMatch(/--format=csv,noheader --id=1 --loop-ms=100$/);
    const pid = Number.parseInt(started[1]!, 10);
    expect(isRunning(pid)).toBe(true);
    stream.close();
    await until(() => !isRunning(pid));
  });

  it("are of the GPU that the process sees", async () => {
    const bin = await nvidiaSmi(OLD_DRIVER);
    process.env.CUDA_VISIBLE_DEVICES = "5,7";
    const stream = open([]);
    await stream.heard;
    stream.close();
    expect((await calls(bin))[1]).toContain("--id=7");
  });

  it("begin again where it ended, and end with a word where it does not work at all", async () => {
    const bin = await nvidiaSmi("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18");
    const notes: string[] = [];
    const stream = open(notes);
    await stream.heard;
    expect(stream.read()).toEqual({});
    expect(await calls(bin)).toHaveLength(3);
    expect(notes).toEqual([
      "The GPU is not measured any more, as nvidia-smi cannot be asked: Failed to initialize NVML: Driver/library version mismatch",
    ]);
  });

  it("are old when it hangs", async () => {
    await nvidiaSmi(OLD_DRIVER.replace("sleep 0.1", "exec sleep 60"));
    const stream = open([]);
    await stream.heard;
    await until(() => Object.keys(stream.read()).length === 0);
    stream.close();
  });

  it("are none, without a word, where there is no GPU or no nvidia-smi", async () => {
    const notes: string[] = [];
    process.env.PATH = directory;
    const stream = open(notes);
    await stream.heard;
    const cpu = open(notes, "cpu");
    await cpu.heard;
    expect([stream.read(), cpu.read(), notes]).toEqual([{}, {}, []]);
  });
});

describe("the thread that looks at the machine", () => {
  const sampler = (notes: string[], options = {}) =>
    new SystemSampler({
      rank: 3,
      seconds: 0.1,
      machine: true,
      directory,
      device: "cuda:1",
      onNote: (text) => void notes.push(text),
      ...options,
    });

  async function readings(from: SystemSampler, count: number): Promise<SystemReading[]> {
    const all: SystemReading[] = [];
    await until(() => all.push(...from.take()) > 0 && all.length >= count);
    return all;
  }

  it("reads the process, the machine, the run's disk and the GPU by Weights & Biases' names", async () => {
    await nvidiaSmi(OLD_DRIVER);
    await using system = sampler([]);
    const [first, second] = await readings(system, 2);
    expect(first).toMatchObject({ rank: 3, host: expect.any(String) });
    expect(Math.abs(first!.time - Date.now())).toBeLessThan(60_000);
    expect(second!.time).toBeGreaterThan(first!.time);
    const names = Object.keys(second!.values);
    expect(names).toEqual(
      expect.arrayContaining(["cpu", "memory_percent", "proc.memory.rssMB", "gpu.1.gpu", "network.sent"]),
    );
    if (process.platform === "linux") expect(names).toContain("proc.cpu.threads");
    expect(names.filter((name) => /^disk\..*\.(usagePercent|usageGB|freeGB)$/.test(name))).toHaveLength(3);
    expect(Object.values(second!.values).every(Number.isFinite)).toBe(true);
    // Of the whole process, not of the thread.
    expect(second!.values["proc.memory.rssMB"]).toBeGreaterThan(50);
    expect(second!.values["proc.cpu.threads"] ?? 9).toBeGreaterThan(4);
    expect(second!.values.memory_percent).toBeGreaterThan(0);
    expect(second!.values.memory_percent).toBeLessThan(100);
  });

  it("leaves to others what they look at", async () => {
    await using system = sampler([], { machine: false, directory: undefined, device: "cpu" });
    const [reading] = await readings(system, 1);
    expect(
      Object.keys(reading!.values).filter(
        (name) => !/^(cpu$|proc\.(memory\.(rssMB|percent)|cpu)\b)/.test(name),
      ),
    ).toEqual([]);
  });

  it("takes its nvidia-smi with it", async () => {
    const bin = await nvidiaSmi(OLD_DRIVER);
    const system = sampler([]);
    await readings(system, 1);
    await system[Symbol.asyncDispose]();
    const pid = Number.parseInt((await calls(bin)).at(-1)!, 10);
    await until(() => !isRunning(pid));
  });
});

describe("a training", () => {
  const recipe = (name: string, changes = {}) =>
    resolveRecipe({
      task: "finetune",
      max_steps: 60,
      output: join(directory, name),
      data: { root: data, batch_seconds: 4, workers: 0 },
      model: TINY_MODEL,
      schedule: { warmup_steps: 2 },
      logging_steps: 5,
      eval_steps: 100,
      save_steps: 100,
      system_seconds: 0.2,
      threads: 1,
      ...changes,
    });
  const run = async (name: string, options: { system?: boolean } = {}) => {
    const told: { readings: readonly SystemReading[]; step: number }[] = [];
    const { tracker, rows } = recorder();
    await finetune(recipe(name), {
      resume: false,
      signal: new AbortController().signal,
      tracker: combineTrackers([tracker, { system: (readings, step) => void told.push({ readings, step }) }]),
      ...options,
    });
    return { told, losses: rows.map(({ loss }) => loss), weights: await finalWeights(join(directory, name)) };
  };

  it("tells readings where it logs, and learns the same without", async () => {
    const looked = await run("looked");
    const alone = await run("alone", { system: false });
    expect(looked.told.length).toBeGreaterThan(0);
    expect(looked.told.every(({ step }) => step % 5 === 0)).toBe(true);
    expect(looked.told.every(({ readings }) => readings.length > 0 && readings.length <= 10)).toBe(true);
    const times = looked.told.flatMap(({ readings }) => readings.map(({ time }) => time));
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b)); // each once, in order
    expect(alone.told).toEqual([]);
    expect(looked.losses).toEqual(alone.losses);
    expect(looked.weights).toEqual(alone.weights);
  });

  it("in several processes gathers each one's own; one of a machine looks at what they share", async () => {
    const fixture = await LaunchFixture.make();
    const output = join(directory, "several");
    await mkdir(output, { recursive: true });
    const path = join(directory, "several.yaml");
    const { output: _, ...keys } = recipe("several", { max_steps: 100 });
    await writeFile(path, JSON.stringify({ ...keys, output }));
    const args = ["--nproc-per-node", "2", "--", "finetune", "--config", path, "--quiet"];
    const { code, stderr } = await fixture.wav2vec2(args).ended.finally(() => fixture.remove());
    expect([code, stderr.includes("step ")]).toEqual([0, false]);
    const rows = readStepLines(join(output, "system.jsonl"));
    for (const rank of [0, 1]) {
      const own = rows.filter((row) => row.rank === rank);
      expect(own.length).toBeGreaterThan(1);
      expect(own.every((row) => Number(row["proc.memory.rssMB"]) > 50)).toBe(true);
      expect(own.some((row) => "memory_percent" in row)).toBe(rank === 0);
      const times = own.map(({ time }) => Number(time));
      expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    }
    const steps = rows.map(({ step }) => step);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });
});
