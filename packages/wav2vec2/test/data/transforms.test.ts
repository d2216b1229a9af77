import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  batchWorkers,
  type CollatedBatch,
  CtcTokenizer,
  createConfig,
  ctcPreparation,
  epochOfBatches,
  finetune,
  loadBatches,
  loadTransforms,
  preTrainingPreparation,
  pretrain,
  readCorpus,
  resolveRecipe,
  trackRun,
  type Utterance,
  Vocabulary,
} from "wav2vec2";
import { type Recorder, recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
let data: string;
let utterances: Utterance[];
let tokenizer: CtcTokenizer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "transforms-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 12, dev: 3 });
  ({ utterances } = await readCorpus(data, "train"));
  tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(utterances.map(({ text = "" }) => text)));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A module of transforms in a file of its own. */
async function moduleOf(name: string, text: string): Promise<string> {
  const path = join(directory, `${name}.mjs`);
  await writeFile(path, text);
  return path;
}

const config = createConfig();

function* jobsOf<Made>(preparation: Made, epochs = 1) {
  for (let epoch = 0; epoch < epochs; epoch++)
    for (const { indices } of epochOfBatches(utterances, { batchSeconds: 3, seed: 1, epoch }))
      yield { preparation, epoch, clips: indices.map((index) => utterances[index]!) };
}

/** What the fixture's collator makes. */
interface FixtureBatch extends CollatedBatch {
  drawn: number;
  peaks: Float32Array;
  speakers: (string | undefined)[];
}

describe("a module of transforms", () => {
  it("makes the same batches in the main thread and in any number of worker threads", async () => {
    const fixture = new URL("./transforms-fixture.mjs", import.meta.url);
    const transforms = await loadTransforms<{ collate(): FixtureBatch }>(fixture);
    expect(transforms.hooks).toEqual(["audio", "text", "collate"]);
    const made = async (threads: number) => {
      const workers = threads > 0 ? batchWorkers(threads) : undefined;
      const batches: Pick<FixtureBatch, "ids" | "drawn" | "peaks" | "speakers">[] = [];
      const preparation = ctcPreparation(config, { seed: 3, normalize: false, transforms });
      for await (const { batch } of loadBatches(jobsOf(preparation, 2), { workers, tokenizer }))
        batches.push({ ids: batch.ids, drawn: batch.drawn, peaks: batch.peaks, speakers: batch.speakers });
      await workers?.close();
      return batches;
    };
    const alone = await made(0);
    const shared = await made(2);
    expect(shared).toEqual(alone);
    expect(alone.every(({ speakers }) => speakers.every((speaker) => speaker === "1"))).toBe(true);
    const peaks = (batches: typeof alone) =>
      new Map(batches.flatMap(({ ids, peaks }) => ids.map((id, row) => [id, peaks[row]] as const)));
    const [first, second] = [alone.slice(0, alone.length / 2), alone.slice(alone.length / 2)];
    expect(peaks(first).size).toBe(utterances.length);
    for (const [id, peak] of peaks(first)) expect(peaks(second).get(id)).not.toBe(peak); // another epoch
  });

  it("changes texts before labels and vocabulary, and the references of validation", async () => {
    const transforms = await moduleOf("lower", "export const text = (text) => text.toLowerCase();");
    const { result, record } = await tuned("lower", { transforms });
    expect(result.ctc.tokenizer.vocabulary.tokens.join("")).toMatch(/abc/);
    expect(record.references.join("")).toMatch(/^[abc ]+$/);
  });

  it("changes only what is trained on", async () => {
    const silent = "export const audio = (samples) => new Float32Array(samples.length).fill(0.001);";
    const plain = await tuned("loud", {});
    const changed = await tuned("silent", { transforms: await moduleOf("silent", silent) });
    expect(changed.record.rows[0]!.loss).not.toBe(plain.record.rows[0]!.loss);
    const untouched = "export const audio = (samples) => samples;";
    const same = await tuned("same", { transforms: await moduleOf("same", untouched) });
    expect(losses(same.record)).toEqual(losses(plain.record));
  });

  it("draws the masks: in the network for fine-tuning, in the threads for pre-training", async () => {
    const path = join(directory, "masked.txt");
    const text = `import { appendFileSync } from "node:fs";
      export function sampleMask(lengths, width, { length }, uniform) {
        appendFileSync(${JSON.stringify(path)}, "drawn ");
        const mask = new Uint8Array(lengths.length * width);
        for (const row of lengths.keys()) mask[row * width + Math.floor(uniform() * lengths[row])] = 1;
        return mask;
      }`;
    const transforms = await moduleOf("one-frame", text);
    await tuned("masked", { transforms }, { model: { ...TINY_MODEL, mask_time_prob: 0.5 } });
    expect(await readFile(path, "utf8")).toContain("drawn");
    const codes = {
      num_codevectors_per_group: 8,
      codevector_dim: 8,
      proj_codevector_dim: 8,
      num_negatives: 4,
    };
    const model = { ...TINY_MODEL, ...codes, mask_time_prob: 0.65 };
    const record = recorder();
    const settings = {
      task: "pretrain",
      model,
      data: { root: data, batch_seconds: 6, workers: 1, transforms },
    };
    await pretrain(recipe("pretrained", settings), { tracker: record.tracker, system: false });
    const rows = record.rows.filter(({ loss }) => loss !== undefined);
    expect(rows.every((row) => row.mask_share! < 0.1)).toBe(true); // a frame of each clip
  });

  it("is known to the run directory, and a change is told when it goes on", async () => {
    const transforms = await moduleOf("changing", "export const audio = (samples) => samples;");
    const output = join(directory, "changing");
    const settings = { transforms };
    const options = { system: false };
    const tracker = trackRun(output, { verbosity: "quiet" });
    await finetune(recipe("changing", { data: dataOf(settings), max_steps: 2 }), { ...options, tracker });
    await tracker.close();
    const run: { transforms?: { sha256: string } } = JSON.parse(
      await readFile(join(output, "run.json"), "utf8"),
    );
    expect(run.transforms?.sha256).toMatch(/^[0-9a-f]{64}$/);
    await writeFile(transforms, "export const audio = (samples) => samples.map((sample) => -sample);");
    const record = recorder();
    await finetune(recipe("changing", { data: dataOf(settings) }), {
      ...options,
      tracker: record.tracker,
      resume: true,
    });
    expect(record.notes.join("\n")).toMatch(/changing.mjs has changed since the run was last begun/);
  });

  it.each<[string, string, RegExp]>([
    [
      "throws",
      "export const audio = () => { throw new Error('no luck'); };",
      /The audio transform of .*throws.mjs failed for utterance 1-1-\d+ in epoch 0: no luck\./,
    ],
    ["nothing", "export const audio = () => {};", /must return a Float32Array, but returned undefined/],
    [
      "nan",
      "export const audio = (samples) => samples.fill(NaN);",
      /must return finite samples, but sample 0 is NaN/,
    ],
    [
      "none-left",
      "export const audio = (samples) => samples.subarray(0, 0);",
      /must return samples, but returned none/,
    ],
    [
      "no-text",
      "export const text = () => 5;",
      /The text transform .* failed for utterance .*must return a string, but returned number/,
    ],
    [
      "no-batch",
      "export const collate = () => ({});",
      /The collate transform .* must return \{ ids, lengths, … \}/,
    ],
    [
      "no-mask",
      "export const sampleMask = () => [];",
      /The sampleMask transform .* must return a Uint8Array|A span sampler must return a Uint8Array/,
    ],
    [
      "unknown",
      "export const adio = () => {};",
      /must export transforms .* alone, but exports 'adio'. Did you mean 'audio'\?/,
    ],
    ["empty", "export {};", /must export a transform .*, but exports none/],
    ["value", "export const audio = 5;", /audio of .* must be a function, but is number/],
    ["broken", "export const audio = ;", /must be a module of transforms, but cannot be imported/],
  ])("that %s is refused by its name", async (name, text, reason) => {
    const transforms = await moduleOf(name, text);
    const model = { ...TINY_MODEL, mask_time_prob: 0.5 };
    await expect(tuned(`bad-${name}`, { transforms }, { model })).rejects.toThrow(reason);
    expect(existsSync(join(directory, `bad-${name}`, "final"))).toBe(false);
  });

  it("must be there, and leave features as they are where these are kept", async () => {
    await expect(tuned("gone", { transforms: join(directory, "gone.mjs") })).rejects.toThrow(
      /gone.mjs must be a module of transforms that can be read, but does not exist/,
    );
    expect(existsSync(join(directory, "gone"))).toBe(false);
    const transforms = await moduleOf("cached", "export const audio = (samples) => samples;");
    const cached = { transforms, feature_cache: join(directory, "cache") };
    await expect(tuned("cached", cached, { freeze_feature_encoder: true })).rejects.toThrow(
      /data.feature_cache needs features that stay the same, but data.transforms changes the clips \(audio\)/,
    );
  });
});

describe("batches from a corpus", () => {
  it("refuses clips for CTC without labels, which would train a network to say nothing", async () => {
    const batches = loadBatches(jobsOf(ctcPreparation(config)));
    await expect(batches.next()).rejects.toThrow(
      /labels of utterance 1-1-\d+ must be there for the task ctc, but are missing. Give loadBatches a tokenizer/,
    );
    const wordless = utterances.map(({ text: _, ...clip }) => clip);
    const job = { preparation: ctcPreparation(config), epoch: 0, clips: wordless };
    await expect(loadBatches([job], { tokenizer }).next()).rejects.toThrow(/and so is its text. Give labels/);
    const wrong = { ...job, clips: [{ ...wordless[0]!, labels: [1, 0.5] }] };
    await expect(loadBatches([wrong]).next()).rejects.toThrow(/must be an Int32Array or whole numbers/);
    await expect(Reflect.apply(loadBatches, undefined, [[{ clips: [] }]]).next()).rejects.toThrow(
      /A job must be \{ preparation, epoch, clips \}/,
    );
  });

  it("have the labels of a tokenizer, of the clip itself, or none where that is meant", async () => {
    const clips = utterances.slice(0, 2);
    const job = { preparation: ctcPreparation(config), epoch: 0 };
    const labelsOf = async (given: Parameters<typeof loadBatches>[0], options = {}) => {
      for await (const { batch } of loadBatches(given, options))
        if ("labels" in batch) return [...batch.labels];
      return undefined;
    };
    const wanted = clips.flatMap(({ text = "" }) => [...tokenizer.encode(text)]);
    expect(await labelsOf([{ ...job, clips }], { tokenizer })).toEqual(wanted);
    const own = clips.map((clip) => ({ ...clip, labels: [1, 2] }));
    expect(await labelsOf([{ ...job, clips: own }], { tokenizer })).toEqual([1, 2, 1, 2]);
    const silent = clips.map((clip) => ({ ...clip, labels: new Int32Array(0) }));
    expect(await labelsOf([{ ...job, clips: silent }])).toEqual([]);
  });

  it("are of the type that the task says", async () => {
    for await (const { batch } of loadBatches(jobsOf(ctcPreparation(config)), { tokenizer })) {
      const length: number = batch.labelLengths.length;
      expect(length).toBe(batch.ids.length);
    }
    const masks = createConfig({ maskTimeProb: 0.65 });
    for await (const { batch } of loadBatches(jobsOf(preTrainingPreparation(masks)))) {
      const masked: number = batch.mask.reduce((sum, value) => sum + value, 0);
      expect(batch.maskedFrames).toBe(masked);
    }
  });
});

const dataOf = (changes: object) => ({ root: data, batch_seconds: 6, workers: 1, ...changes });

function recipe(output: string, changes: Record<string, unknown>) {
  return resolveRecipe({
    max_steps: 3,
    output: join(directory, output),
    data: dataOf({}),
    model: TINY_MODEL,
    schedule: { warmup_steps: 0 },
    logging_steps: 1,
    eval_steps: 10,
    threads: 1,
    ...changes,
  });
}

/** A run with transforms or other keys of the data. */
async function tuned(output: string, changes: object, others: Record<string, unknown> = {}) {
  const record = { ...recorder(), references: [] as string[] };
  const tracker = {
    ...record.tracker,
    transcripts: (samples: readonly { reference: string }[]) =>
      void record.references.push(...samples.map(({ reference }) => reference)),
  };
  const options = { tracker, system: false };
  const result = await finetune(recipe(output, { data: dataOf(changes), ...others }), options);
  return { result, record };
}

const losses = ({ rows }: Recorder) => rows.flatMap(({ loss }) => loss ?? []);
