import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, type Tensor, tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeWav } from "../../src/audio/wav/wav.js";
import { Random } from "../../src/data/random.js";
import { createConfig } from "../../src/model/configuration.js";
import { configWithKeys } from "../../src/model/configuration-file.js";
import { Wav2Vec2ForPreTraining } from "../../src/model/heads/pretraining/pretraining.js";
import { PRESETS } from "../../src/model/presets.js";
import { Wav2Vec2Model } from "../../src/model/wav2vec2-model.js";
import { saveModel } from "../../src/pretrained/model-directory.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { type Recorder, recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, toneClip, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
let data: string;
const inits: Record<string, string> = {};
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "features-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 20, dev: 3 });
  for (const norm of ["group", "layer"]) {
    manualSeed(1);
    const model = { ...TINY_MODEL, feat_extract_norm: norm, conv_bias: norm === "layer" };
    inits[norm] = join(directory, norm);
    const config = configWithKeys(PRESETS.base, model, "The test's model");
    await saveModel(inits[norm]!, new Wav2Vec2ForPreTraining(config), { normalize: true });
    if (norm === "layer") continue;
    inits.other = join(directory, "other"); // the same shape with other weights
    await saveModel(inits.other, new Wav2Vec2ForPreTraining(config), { normalize: true });
  }
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const STEPS = 12; // three epochs of four batches

async function run(
  output: string,
  {
    feature_cache,
    corpus = data,
    normalize,
    ...changes
  }: Record<string, unknown> & {
    corpus?: string;
    feature_cache?: string;
    normalize?: boolean;
  } = {},
  { stopAt, resume = false }: { stopAt?: number; resume?: boolean } = {},
): Promise<Recorder> {
  const recipe = resolveRecipe({
    max_steps: STEPS,
    init: inits.group,
    output: join(directory, output),
    data: { root: corpus, batch_size: 5, on_bad_data: "skip", feature_cache, normalize },
    optimizer: { learning_rate: 5e-3 },
    schedule: { warmup_steps: 2 },
    logging_steps: 1,
    eval_steps: 100,
    save_steps: 100,
    threads: 1,
    ...changes,
  });
  const controller = new AbortController();
  const record = recorder((step) => step === stopAt && controller.abort());
  await finetune(recipe, { tracker: record.tracker, signal: controller.signal, resume });
  return record;
}

const lossesOf = (...runs: Recorder[]) => runs.flatMap(({ rows }) => rows.flatMap(({ loss }) => loss ?? []));

/** A clip's features differ in their last bits with the other clips of the batch that they are computed in. */
function expectClose(losses: readonly number[], expected: readonly number[]): void {
  expect(losses).toHaveLength(expected.length);
  for (const [i, loss] of losses.entries()) expect(Math.abs(loss / expected[i]! - 1)).toBeLessThan(1e-4);
}

async function filesIn(cache: string): Promise<string[]> {
  const found = await readdir(join(directory, cache), { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const isFull = (text: string) => text.startsWith("All features are in the cache");
const sizeNote = ({ notes }: Recorder) => notes.find((note) => note.startsWith("The feature cache"));

describe("data.feature_cache", () => {
  it.each([
    ["group", "float32"],
    ["layer", "float32"],
    ["group", "bfloat16"],
  ])(
    "trains the same, to the last bit while it fills and as close as batches let once it is full: %s, %s",
    async (norm, precision) => {
      const settings = { init: inits[norm], precision };
      const name = `${norm}-${precision}`;
      const plain = await run(`plain-${name}`, settings);
      const cache = join(directory, `cache-${name}`);
      const filling = await run(`filling-${name}`, { ...settings, feature_cache: cache });
      expect(sizeNote(filling)).toMatch(/takes .* [kM]B for 20 clips, 0 of which are there; .* are free/);
      expect(filling.notes.filter(isFull)).toHaveLength(1);
      expect(lossesOf(filling).slice(0, 4)).toEqual(lossesOf(plain).slice(0, 4)); // of the epoch that fills it
      expectClose(lossesOf(filling), lossesOf(plain));
      expect(await filesIn(`cache-${name}`)).toHaveLength(20);
      const full = await run(`full-${name}`, { ...settings, feature_cache: cache });
      expect(sizeNote(full)).toContain("clips, 20 of which are there");
      expectClose(lossesOf(full), lossesOf(plain));
    },
  );

  it("needs no audio once it is full", async () => {
    const corpus = join(directory, "vanishing");
    await cp(data, corpus, { recursive: true, preserveTimestamps: true });
    const feature_cache = join(directory, "cache-vanishing");
    const clip = join(corpus, "train/1/1/1-1-0004.flac");
    const { atime, mtime, size } = await stat(clip);
    await run("vanishing", { corpus, feature_cache, max_steps: 4 });
    await writeFile(clip, Buffer.alloc(size)); // no audio any more, under the same size and time
    await utimes(clip, atime, mtime);
    const after = await run("vanished", { corpus, feature_cache, max_steps: 4 });
    expect(after.notes.join()).not.toContain("0004");
    expectClose(lossesOf(after), lossesOf(await run("with-audio", { max_steps: 4 })));
  });

  it("goes on filling where it was interrupted, and resumes exactly", async () => {
    const whole = await run("straight", { feature_cache: join(directory, "cache-straight") });
    const feature_cache = join(directory, "cache-parts");
    const first = await run("parts", { feature_cache }, { stopAt: 2 });
    expect(await filesIn("cache-parts")).toHaveLength(10);
    const second = await run("parts", { feature_cache }, { resume: true });
    expect(sizeNote(second)).toContain("clips, 10 of which are there");
    expect(second.notes.filter(isFull)).toHaveLength(1);
    expect(await filesIn("cache-parts")).toHaveLength(20);
    expect(lossesOf(first, second)).toEqual(lossesOf(whole)); // each clip's features are of the same batch
  });

  it("never uses features of other weights or of clips that have changed, nor broken files", async () => {
    const corpus = join(directory, "changing");
    await cp(data, corpus, { recursive: true, preserveTimestamps: true });
    const feature_cache = join(directory, "cache-changing");
    const short = { corpus, feature_cache, max_steps: 4 };
    await run("first", short);
    await utimes(join(corpus, "train/1/1/1-1-0003.flac"), new Date(), new Date());
    expect(sizeNote(await run("touched", short))).toContain("clips, 19 of which are there");
    expect(sizeNote(await run("other-weights", { ...short, init: inits.layer }))).toContain(
      "clips, 0 of which are there",
    );
    expect(sizeNote(await run("other-precision", { ...short, precision: "bfloat16" }))).toContain(
      "clips, 0 of which",
    );
    for (const other of [{ init: inits.other }, { normalize: false }])
      expect(sizeNote(await run(`other-${Object.keys(other)}`, { ...short, ...other }))).toContain(
        "clips, 0 of which",
      );
    const [broken] = await filesIn("cache-changing");
    await truncate(broken!, 8);
    const sizes = [];
    for (const [output, settings] of [
      ["mended-1", short],
      ["mended-2", { ...short, init: inits.layer }],
      ["mended-3", { ...short, precision: "bfloat16" }],
      ["mended-4", { ...short, init: inits.other }],
      ["mended-5", { ...short, normalize: false }],
    ] as const)
      sizes.push(/(\d+) of which/.exec(sizeNote(await run(output, settings))!)![1]);
    expect(sizes.sort()).toEqual(["19", "20", "20", "20", "20"]);
    expect((await readFile(broken!)).length).toBeGreaterThan(8);
  });

  it("does not train with features that are damaged", async () => {
    const feature_cache = join(directory, "cache-damaged");
    await run("damaging", { feature_cache, max_steps: 4 });
    for (const file of await filesIn("cache-damaged")) {
      const bytes = await readFile(file);
      bytes[bytes.length / 2]! ^= 1;
      await writeFile(file, bytes);
    }
    await expect(run("damaged", { feature_cache, max_steps: 4 })).rejects.toThrow(
      /bytes of features and their checksum, but is damaged\. Remove it/,
    );
  });

  it("tells parts of one recording apart", async () => {
    const corpus = join(directory, "parts-of-one");
    await mkdir(corpus);
    const clip = (text: string) => toneClip(text, new Random(1, text));
    const samples = Float32Array.from([...clip("A B"), ...clip("CAB"), ...clip("B C")]);
    await writeFile(join(corpus, "long.wav"), encodeWav(samples, 16000));
    const seconds = samples.length / 16000 / 3;
    const rows = ["A B", "CAB", "B C"].map((text, i) => ({
      audio: "long.wav",
      start: i * seconds,
      end: (i + 1) * seconds,
      text,
    }));
    for (const split of ["train", "dev"])
      await writeFile(join(corpus, `${split}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    await run("of-one", { corpus, feature_cache: join(directory, "cache-of-one"), max_steps: 2 });
    expect(await filesIn("cache-of-one")).toHaveLength(3);
  });

  it("is shared by runs at the same time, and does without clips that cannot be read", async () => {
    const corpus = join(directory, "bad");
    await cp(data, corpus, { recursive: true });
    const clip = join(corpus, "train/1/1/1-1-0006.flac");
    const bytes = await readFile(clip);
    await writeFile(clip, bytes.fill(0, bytes.length / 2, bytes.length / 2 + 40));
    const feature_cache = join(directory, "cache-bad");
    const [one, two] = await Promise.all([
      run("one", { corpus, feature_cache }),
      run("two", { corpus, feature_cache, seed: 2 }),
    ]);
    for (const record of [one, two]) expect(record.notes.filter(isFull)).toHaveLength(1);
    expect(one.notes.filter((note) => note.includes("0006"))).toHaveLength(1);
    const files = await filesIn("cache-bad");
    expect(files).toHaveLength(19);
  });

  it("refuses what would make features differ", async () => {
    const frozen = { data: { root: data, feature_cache: "x" }, init: inits.group };
    const wrong = (changes: object) => () => resolveRecipe({ ...frozen, ...changes });
    expect(wrong({ freeze_feature_encoder: false })).toThrow(
      "data.feature_cache needs features that stay the same, but freeze_feature_encoder is false. Remove one of them.",
    );
    for (const change of [
      { speed_perturbation: 0.1 },
      { noise: { directory: "n" } },
      { reverberation: { directory: "r" } },
      { volume: { db: [0, 1] } },
    ])
      expect(wrong({ data: { ...frozen.data, ...change } })).toThrow(/changes the clips. Remove one of them/);
    await expect(run("padded", { feature_cache: "x", model: { reference_padding: true } })).rejects.toThrow(
      /features that do not depend on the batch, but model.reference_padding/,
    );
    const file = join(directory, "file");
    await writeFile(file, "");
    await expect(run("no-directory", { feature_cache: file })).rejects.toThrow(
      /data.feature_cache must be a directory that can be written, but .*file is not/,
    );
  });
});

describe("Wav2Vec2Model", () => {
  it("takes features for the samples they were made of, whatever stands behind a clip's own", () => {
    const { hidden_size: hiddenSize } = TINY_MODEL;
    const shape = { hiddenSize, intermediateSize: 8, numHiddenLayers: 1, numAttentionHeads: 2 };
    const convolutions = { convDim: [6, 6], convKernel: [6, 4], convStride: [4, 2] };
    const model = new Wav2Vec2Model(
      createConfig({ ...shape, ...convolutions, numConvPosEmbeddings: 4, numConvPosEmbeddingGroups: 4 }),
    ).eval();
    const lengths = [200, 120];
    const samples = Float32Array.from({ length: 400 }, (_, i) => (i < 320 ? Math.sin(i * i) : 0));
    const input = tensor(samples, [2, 200]);
    const own = (hidden: Tensor) => [
      ...hidden.select(0, 0).toArray(),
      ...hidden.select(0, 1).narrow(0, 0, 13).toArray(),
    ];
    const expected = model.forward({ input, lengths });
    expect(expected.featureFrames).toEqual([23, 13]);
    const features = model.encode({ input, lengths });
    features.select(0, 1).narrow(0, 13, 10).fill_(99);
    const given = model.forward({ features, lengths });
    expect(given.featureFrames).toEqual([23, 13]);
    expect(own(given.lastHiddenState)).toEqual(own(expected.lastHiddenState));
    expect(() => model.forward({ features: features.narrow(1, 0, 20), lengths })).toThrow(
      /features must be \[2, 23, 6\] for these lengths, or of more frames, but are \[2, 20, 6\]/,
    );
    expect(() => model.forward({ features, lengths: [200, 3] })).toThrow(/clip 1 has 3. Pad it/);
  });
});
