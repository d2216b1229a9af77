import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFlac } from "../../audio/flac/flac-writer.js";
import { normalize } from "../../audio/normalize.js";
import { UserError } from "../../errors.js";
import { Random } from "../random.js";
import { WorkerPool } from "../worker-pool.js";
import type { CtcBatch } from "./ctc-collator.js";
import { type BatchLoadOptions, batchWorkers, loadBatches } from "./load-batches.js";
import type { BadClip, BatchJob, ClipJob, Preparation, PreparedBatch } from "./prepare-batch.js";
import type { PreTrainingBatch } from "./pretraining-collator.js";

const directory = mkdtempSync(join(tmpdir(), "load-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const CTC: Preparation = { seed: 1, normalize: true, collation: { task: "ctc", minimumSamples: 400 } };
const clips: ClipJob[] = [];
const contents = new Map<string, Float32Array>();

beforeAll(() => {
  const random = new Random(1, "clips");
  for (let i = 0; i < 24; i++) {
    const samples = Float32Array.from(
      { length: 1000 + random.integer(4000) },
      () => Math.round((random.uniform() - 0.5) * 20000) / 32768,
    );
    const path = join(directory, `clip ${i} é.flac`);
    writeFileSync(path, encodeFlac(samples, 16000));
    contents.set(path, samples);
    clips.push({ id: `clip-${i}`, path, samples: samples.length, labels: Int32Array.of(i, i + 1) });
  }
});

type Job = Omit<BatchJob, "progress" | "memory">;

function jobs(of: readonly ClipJob[], size: number, preparation: Preparation = CTC): Job[] {
  return Array.from({ length: Math.ceil(of.length / size) }, (_, i) => ({
    preparation,
    epoch: 3,
    clips: of.slice(i * size, (i + 1) * size),
  }));
}

/** What came, copied, because its memory is used again. */
async function collect(list: Iterable<Job>, options: BatchLoadOptions = {}): Promise<CtcBatch[]> {
  const batches: CtcBatch[] = [];
  for await (const { batch } of loadBatches(list, options)) {
    batches.push({ ...(batch as CtcBatch), input: batch.input.slice() });
  }
  return batches;
}

async function withWorkers<T>(threads: number, use: (options: BatchLoadOptions) => Promise<T>): Promise<T> {
  const workers = batchWorkers(threads);
  try {
    return await use({ workers });
  } finally {
    await workers.close();
  }
}

describe("batches", () => {
  it("hold the normalised samples and the labels of their clips", async () => {
    const [batch] = await collect(jobs(clips.slice(0, 3), 3));
    for (const [row, { id, path, samples }] of clips.slice(0, 3).entries()) {
      const at = row * batch!.paddedLength;
      expect(batch!.ids[row]).toBe(id);
      expect(batch!.lengths[row]).toBe(samples);
      expect(batch!.input.subarray(at, at + samples)).toEqual(normalize(contents.get(path)!));
      expect(
        batch!.input.subarray(at + samples, at + batch!.paddedLength).every((value) => value === 0),
      ).toBe(true);
    }
    expect([...batch!.labels]).toEqual([0, 1, 1, 2, 2, 3]);
  });

  it.each([1, 3])(
    "are those of this thread with %d threads, in order, augmented and with memory used again",
    async (threads) => {
      const augmented = { ...CTC, augmentation: { speedPerturbation: 0.1 } };
      const list = [...jobs(clips, 5, augmented), ...jobs(clips, 2, augmented), ...jobs(clips, 7, CTC)];
      const here = await collect(list);
      expect(here[0]!.lengths[0]).not.toBe(clips[0]!.samples);
      expect(await withWorkers(threads, (options) => collect(list, options))).toEqual(here);
    },
  );

  it("for pre-training carry masks and negatives that do not depend on the thread", async () => {
    const collation = {
      task: "pretraining",
      convKernel: [20, 8],
      convStride: [10, 8],
      maskTimeProb: 0.65,
      maskTimeLength: 3,
      maskTimeMinMasks: 2,
      numNegatives: 5,
      padding: "pad",
    } as const;
    const list = jobs(clips, 6, { seed: 2, normalize: true, collation });
    const take = async (options: BatchLoadOptions = {}) => {
      const masks: [Uint8Array, Int32Array, Float32Array][] = [];
      for await (const { batch } of loadBatches(list, options)) {
        const { mask, negatives, input } = batch as PreTrainingBatch;
        masks.push([mask, negatives, input.slice()]);
      }
      return masks;
    };
    const here = await take();
    expect(here[0]![0].some((value) => value === 1)).toBe(true);
    expect(await withWorkers(2, take)).toEqual(here);
  });

  it("lie in shared memory, in no more blocks than are under way", async () => {
    const inputs: Float32Array[] = [];
    await withWorkers(2, async (options) => {
      for await (const { batch } of loadBatches(jobs(Array(30).fill(clips).flat(), 24), options)) {
        expect(batch.input.buffer).toBeInstanceOf(SharedArrayBuffer);
        inputs.push(batch.input);
      }
    });
    for (const [i, input] of inputs.entries()) input[0] = i; // seen by all that lie in the same block
    expect(inputs.length).toBe(30);
    expect(new Set(inputs.map((input) => input[0])).size).toBeLessThanOrEqual(5);
  });

  it("are prepared as far ahead as two a thread, no further", async () => {
    let [taken, used] = [0, 0];
    const list = jobs(Array(10).fill(clips).flat(), 4);
    function* counted() {
      for (const job of list) {
        taken++;
        expect(taken).toBeLessThanOrEqual(used + 5);
        yield job;
      }
    }
    await withWorkers(2, async (options) => {
      for await (const _ of loadBatches(counted(), options)) used++;
    });
    expect([taken, used]).toEqual([list.length, list.length]);
  });
});

describe("bad clips", () => {
  const spoilt = (name: string, change: (bytes: Buffer) => Buffer): ClipJob => {
    const bytes = readFileSync(clips[0]!.path);
    const path = join(directory, name);
    writeFileSync(path, change(bytes));
    return { ...clips[0]!, id: name, path };
  };
  const faults: [string, () => ClipJob, RegExp][] = [
    [
      "corrupt",
      () => spoilt("corrupt.flac", (bytes) => bytes.fill(7, bytes.length - 300, bytes.length - 200)),
      /corrupt\.flac must/,
    ],
    [
      "empty",
      () => spoilt("empty.flac", () => Buffer.alloc(0)),
      /empty\.flac must be an audio file, but is empty/,
    ],
    ["gone", () => ({ ...clips[0]!, id: "gone", path: join(directory, "gone.flac") }), /gone\.flac/],
    [
      "changed",
      () => ({ ...clips[0]!, id: "changed", samples: clips[0]!.samples + 5000 }),
      /must be as long as when it was indexed/,
    ],
  ];

  it.each(faults)("%s: end the batches, or are left out and told of", async (_, make, message) => {
    const bad = make();
    const list = jobs([clips[1]!, bad, ...clips.slice(2, 8)], 4);
    for (const threads of [0, 1]) {
      const load = async (extra: BatchLoadOptions) =>
        threads === 0
          ? await collect(list, extra)
          : await withWorkers(threads, (options) => collect(list, { ...options, ...extra }));
      await expect(load({})).rejects.toThrow(UserError);
      await expect(load({})).rejects.toThrow(message);
      const told: BadClip[] = [];
      const batches = await load({ onBadAudio: "skip", onBad: (clip) => told.push(clip) });
      expect(batches.flatMap(({ ids }) => ids)).toEqual(clips.slice(1, 8).map(({ id }) => id));
      expect(told).toEqual([
        {
          id: bad.id,
          path: bad.path,
          message: expect.stringMatching(message),
          code: expect.stringMatching(/^ERR_/),
        },
      ]);
    }
  });

  it("may be a whole batch; an epoch of them ends the batches", async () => {
    const gone = [1, 2].map((i) => ({ ...clips[i]!, path: join(directory, `gone-${i}.flac`) }));
    const skip = { onBadAudio: "skip" } as const;
    for (const threads of [0, 2]) {
      const load = (list: Job[]) =>
        threads === 0
          ? collect(list, skip)
          : withWorkers(threads, (options) => collect(list, { ...options, ...skip }));
      const batches = await load([...jobs(gone, 1), ...jobs([clips[3]!], 1), ...jobs(gone, 2)]);
      expect(batches.map(({ ids }) => ids)).toEqual([["clip-3"]]);
      const epochs = [3, 4].flatMap((epoch) => jobs(gone, 1).map((job) => ({ ...job, epoch })));
      await expect(load(epochs)).rejects.toThrow(/An epoch must have a clip .*gone-1\.flac/);
    }
  });

  it("are not blamed for what goes wrong with a batch", async () => {
    const collation = { task: "pretraining", padding: "pad", maxSamples: 1 } as never;
    const list = jobs(clips.slice(0, 2), 2, { ...CTC, collation });
    await expect(collect(list)).rejects.toThrow(UserError);
    const told: BadClip[] = [];
    const skip = { onBadAudio: "skip", onBad: (clip: BadClip) => told.push(clip) } as const;
    await expect(withWorkers(1, (options) => collect(list, { ...options, ...skip }))).rejects.toThrow(
      UserError,
    );
    expect(told).toEqual([]);
  });
});

describe("a thread that ends", () => {
  // Prepares batches as the real worker does, but cannot live with some files.
  const compiledPreparation = pathToFileURL(
    fileURLToPath(new URL("../../../dist/data/batches/prepare-batch.js", import.meta.url)),
  );
  const fatal = (count: number): WorkerPool<BatchJob, PreparedBatch> => {
    const folder = mkdtempSync(join(directory, "worker-"));
    mkdirSync(join(folder, "crashes"));
    const path = join(folder, "worker.mjs");
    writeFileSync(
      path,
      `import { prepareBatch } from ${JSON.stringify(compiledPreparation.href)};
       import { readdirSync, writeFileSync } from "node:fs";
       export default async (job) => {
         const fatal = job.clips.findIndex(({ id }) => id === "clip-5");
         const crashes = readdirSync(${JSON.stringify(join(folder, "crashes"))}).length;
         if (fatal >= 0 && crashes < ${count}) {
           writeFileSync(${JSON.stringify(join(folder, "crashes"))} + "/" + crashes, "");
           Atomics.store(job.progress, 0, fatal);
           process.exit(9);
         }
         return await prepareBatch(job);
       };`,
    );
    return new WorkerPool<BatchJob, PreparedBatch>(pathToFileURL(path), 2);
  };

  it("once is reported with its file, and its batch comes all the same", async () => {
    const notes: string[] = [];
    const workers = fatal(1);
    const batches = await collect(jobs(clips, 4), { workers, onNote: (text) => notes.push(text) });
    await workers.close();
    expect(batches).toEqual(await collect(jobs(clips, 4)));
    expect(notes).toEqual([
      expect.stringContaining(`while reading ${clips[5]!.path} (worker exited with code: 9)`),
    ]);
  });

  it.each(["error", "skip"] as const)("twice at a clip makes it a bad one: %s", async (onBadAudio) => {
    const workers = fatal(2);
    const told: BadClip[] = [];
    const loading = collect(jobs(clips, 4), { workers, onBadAudio, onBad: (clip) => told.push(clip) });
    if (onBadAudio === "error") {
      await expect(loading).rejects.toThrow(
        /clip 5 é\.flac must be readable audio, but a thread ended twice/,
      );
    } else {
      const ids = (await loading).flatMap((batch) => batch.ids);
      expect(ids).toEqual(clips.map(({ id }) => id).filter((id) => id !== "clip-5"));
      expect(told.map(({ id }) => id)).toEqual(["clip-5"]);
    }
    await workers.close();
  });
});
