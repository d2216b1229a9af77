import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crossEntropyLoss, nn, optim, type Tensor, tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AnyCtcBatch,
  type CtcTask,
  CtcTokenizer,
  createConfig,
  ctcPreparation,
  defineTask,
  finetune,
  type forwardBatch,
  HookError,
  pretrain,
  type Recipe,
  type RunOptions,
  readCorpus,
  resolveRecipe,
  type StepContext,
  type Task,
  trackRun,
  trainClassifier,
  trainTask,
  Vocabulary,
  Wav2Vec2ForCTC,
  Wav2Vec2Model,
} from "wav2vec2";
import { finalWeights, type Recorder, recorder, reproducible } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

// What users write around the loop, in strict TypeScript without a cast, and what becomes of mistakes in it.

let directory: string;
let data: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "experiments-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 20, dev: 4 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function recipe(output: string, changes: Record<string, unknown> = {}): Recipe {
  return resolveRecipe({
    max_steps: 4,
    output: join(directory, output),
    data: { root: data, batch_seconds: 6, workers: 0 },
    model: TINY_MODEL,
    optimizer: { learning_rate: 5e-3 },
    schedule: { warmup_steps: 1 },
    logging_steps: 1,
    eval_steps: 2,
    save_steps: 2,
    threads: 1,
    ...changes,
  });
}

const options = ({ tracker }: Recorder): RunOptions => ({ tracker, system: false });

type Change = (base: CtcTask) => Task<AnyCtcBatch>;

async function tuned(output: string, task?: Change, changes?: Record<string, unknown>, resume = false) {
  const record = recorder();
  const result = await finetune(recipe(output, changes), { ...options(record), resume, task });
  return { ...record, result, weights: await finalWeights(join(directory, output)) };
}

const lossesOf = ({ rows }: Pick<Recorder, "rows">) => rows.flatMap(({ loss }) => loss ?? []);

class TwoHeads extends nn.Module {
  wav2vec2: Wav2Vec2Model;
  letters: nn.Linear;
  speakers: nn.Linear;

  constructor(letters: number) {
    super();
    const { conv_dim: convDim, conv_kernel: convKernel, conv_stride: convStride } = TINY_MODEL;
    const conv = { convDim: [...convDim], convKernel: [...convKernel], convStride: [...convStride] };
    const positions = { numConvPosEmbeddings: 4, numConvPosEmbeddingGroups: 4 };
    const size = { hiddenSize: 24, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 48 };
    this.wav2vec2 = new Wav2Vec2Model(createConfig({ ...conv, ...positions, ...size, layerdrop: 0 }));
    this.letters = new nn.Linear(24, letters);
    this.speakers = new nn.Linear(24, 2);
  }
}

/** Own module, two heads, own metrics, SGD: what a user writes. */
function trainTwoHeads(
  output: string,
  record: Recorder,
  changes: Record<string, unknown> = {},
  resume = false,
) {
  return trainTask(recipe(output, changes), { ...options(record), resume }, async (run) => {
    const { train, held } = await run.readSplits("required");
    const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(train.map(({ text }) => text)));
    const module = new TwoHeads(tokenizer.vocabulary.size).to({ device: run.device });
    const preparation = ctcPreparation(module.wav2vec2.config);
    return defineTask({
      module,
      batches: await run.batchesOf(preparation, { train, held, tokenizer }),
      loss(batch) {
        const shape = [batch.ids.length, batch.paddedLength];
        const input = tensor(batch.input.slice(), shape, { device: run.device });
        const { lastHiddenState } = module.wav2vec2.forward({ input, lengths: batch.lengths });
        const mean = lastHiddenState.mean([1]); // [batch, width]
        const first = Int32Array.from(batch.ids, (_, row) => batch.labels[row] ?? 0);
        const letter = crossEntropyLoss(module.letters.forward(mean), tensor(first).to({ dtype: "int64" }));
        const odd = Int32Array.from(batch.ids, (id) => Number(id.at(-1)) % 2);
        const speaker = crossEntropyLoss(module.speakers.forward(mean), tensor(odd).to({ dtype: "int64" }));
        return { loss: letter.add(speaker), count: 1, sums: { letter, speaker } };
      },
      optimizer: (groups) => new optim.SGD(groups, { learningRate: 0.1, momentum: 0.9 }),
    });
  });
}

describe("a task of one's own", () => {
  it("has run directory, metrics, validation, best and final models", async () => {
    const record = recorder();
    const output = join(directory, "own");
    const tracker = trackRun(output, { verbosity: "quiet" });
    const result = await trainTwoHeads("own", { ...record, tracker }, { optimizer: { layer_decay: 0.5 } });
    // Nobody closes the tracker: the run does.
    expect(JSON.parse(await readFile(join(output, "run.json"), "utf8"))).toMatchObject({ state: "finished" });
    expect(await readFile(join(output, "report.html"), "utf8")).not.toContain(">running<");
    expect(await readdir(output)).toEqual(
      expect.arrayContaining(["best", "checkpoints", "final", "metrics.jsonl", "recipe.yaml", "report.html"]),
    );
    const lines = (await readFile(join(output, "metrics.jsonl"), "utf8")).trim().split("\n");
    const rows = lines.map((line): Record<string, number> => JSON.parse(line));
    for (const row of rows.filter(({ loss }) => loss !== undefined))
      expect(row.loss).toBeCloseTo(row.letter! + row.speaker!, 4);
    const held = rows.filter((row) => "eval/loss" in row);
    expect(held).toHaveLength(2);
    expect(result.best).toMatchObject({ value: Math.min(...held.map((row) => row["eval/loss"]!)) });
    expect(result.evaluation).toEqual({
      loss: held[1]!["eval/loss"],
      letter: held[1]!["eval/letter"],
      speaker: held[1]!["eval/speaker"],
    });
    expect(result.model).toBe(join(output, "best"));
    const weights = await finalWeights(output);
    expect(weights.has("speakers.weight")).toBe(true);
    expect(weights.get("letters.bias")).toBe(
      Buffer.from(result.module.letters.bias!.toBytes()).toString("base64"),
    );
    expect(JSON.parse(await readFile(join(output, "final/config.json"), "utf8"))).toMatchObject({
      hidden_size: 24,
      architectures: ["TwoHeads"],
    });
  });

  it("goes on to the bit where it was stopped, in any kind of optimiser", async () => {
    const whole = recorder();
    await trainTwoHeads("own-whole", whole);
    const parts = recorder();
    await trainTwoHeads("own-parts", parts, {
      max_steps: 2,
      schedule: { name: "constant", warmup_steps: 1 },
    });
    // The schedule of the whole run is as long: so the two differ in nothing.
    const constant = recorder();
    await trainTwoHeads("own-constant", constant, { schedule: { name: "constant", warmup_steps: 1 } });
    await trainTwoHeads("own-parts", parts, { schedule: { name: "constant", warmup_steps: 1 } }, true);
    expect(lossesOf(parts)).toEqual(lossesOf(constant));
    expect(lossesOf(whole)).toHaveLength(4);
    expect(await finalWeights(join(directory, "own-parts"))).toEqual(
      await finalWeights(join(directory, "own-constant")),
    );
  });

  it("must have what nobody else can know, and is refused before anything is written", async () => {
    const module = new nn.Linear(2, 2);
    const loss = () => ({ loss: module.weight.sum(), count: 1 });
    const refused = async (task: object, reason: RegExp) => {
      const output = `refused-${Math.abs(reason.source.length)}`;
      // What TypeScript would not let pass, as JavaScript can.
      await expect(Reflect.apply(trainTask, undefined, [recipe(output), {}, () => task])).rejects.toThrow(
        reason,
      );
      expect(existsSync(join(directory, output))).toBe(false);
    };
    await refused({ module, loss, data: "x" }, /evaluate where its batches are not those of batchesOf/);
    const evaluate = async () => ({ metrics: {}, criterion: 0 });
    await refused({ module, loss, evaluate }, /data of a task must tell its clips from others/);
    await refused({ module, evaluate, data: "x", batches: async function* () {} }, /A task must have loss/);
    const whole = { module, loss, evaluate, data: "x", batches: async function* () {} };
    await refused({ ...whole, metric: () => ({}) }, /A task knows no 'metric'. Did you mean 'metrics'\?/);
    await refused({ ...whole, module: {} }, /module of a task must be an nn.Module/);
    await refused({ ...whole, afterStep: 5 }, /afterStep of a task must be a function, but is 5/);
    await expect(
      Reflect.apply(trainTask, undefined, [recipe("refused"), { trakcer: {} }, () => whole]),
    ).rejects.toThrow(/options of trainTask must be among .* Did you mean tracker\?/);
  });
});

describe("fine-tuning with hooks", () => {
  it("is to the bit what it was, where a hook does what the project's own does", async () => {
    const plain = await tuned("plain");
    const spread = await tuned("spread", (base) => ({ ...base }));
    const own = await tuned("own-loss", (base) => ({
      ...base,
      loss(batch) {
        const { logits, frames } = base.forward(batch);
        return { loss: base.ctc.model.loss(logits, frames, batch), count: 1 };
      },
      optimizer: (groups, { optimizer: { learning_rate: learningRate, betas, eps } }) =>
        new optim.AdamW(groups, { learningRate, betas, eps, weightDecay: 0 }),
    }));
    for (const other of [spread, own]) {
      expect(reproducible(other.rows)).toEqual(reproducible(plain.rows));
      expect(other.weights).toEqual(plain.weights);
    }
  });

  it("calls them in their order, logs what they log, and stops where they say", async () => {
    const calls: string[] = [];
    const { rows, result } = await tuned("hooks", (base) => ({
      ...base,
      learningRate: (step) => 1e-3 / (step + 1),
      beforeStep: async ({ step }) => void calls.push(`before ${step}`),
      beforeUpdate({ module, step }) {
        const { lmHead } = base.ctc.model;
        calls.push(`update ${step} ${module === base.ctc.model && lmHead.weight.grad !== undefined}`);
      },
      afterStep({ step, epoch, log, stop, optimizer }) {
        calls.push(`after ${step} ${optimizer.learningRate.toFixed(5)}`);
        log({ epoch_seen: epoch });
        if (step === 3) stop("three steps are enough");
      },
    }));
    expect(calls).toEqual([
      ...["before 0", "update 0 true", "after 1 0.00100"],
      ...["before 1", "update 1 true", "after 2 0.00050"],
      ...["before 2", "update 2 true", "after 3 0.00033"],
    ]);
    expect(result).toMatchObject({ steps: 3, interrupted: false });
    const logged = rows.filter(({ loss }) => loss !== undefined);
    expect(logged.map(({ learning_rate: rate }) => rate)).toEqual([1e-3, 5e-4, 1e-3 / 3]);
    expect(logged.every((row) => row.epoch_seen !== undefined)).toBe(true);
    expect(rows.filter((row) => "eval/wer" in row).map(({ step }) => step)).toEqual([2, 3]);
  });

  it("lets no gradient that is no number into weights and checkpoints", async () => {
    await expect(
      tuned("nan-gradient", (base) => ({
        ...base,
        beforeUpdate({ step }) {
          if (step === 1) base.ctc.model.lmHead.weight.grad?.fill_(Number.NaN);
        },
      })),
    ).rejects.toThrow("The task's beforeUpdate left gradients of step 2 that are not finite");
  });

  it("chooses the best model by the criterion", async () => {
    const values = [3, 5, 1, 4];
    const validations = (base: CtcTask): Task<AnyCtcBatch> => ({
      ...base,
      evaluate: async (step) => ({ metrics: { step, value: values[step - 1]! } }),
    });
    const every = { eval_steps: 1 };
    const lowest = await tuned("lowest", (base) => ({ ...validations(base), criterion: "value" }), every);
    expect(lowest.result.metrics).toEqual({ step: 3, value: 1 });
    const greatest = await tuned(
      "greatest",
      (base) => ({ ...validations(base), criterion: ({ value = 0 }) => value, greaterIsBetter: true }),
      every,
    );
    expect(greatest.result.metrics).toEqual({ step: 2, value: 5 });
    const inRecipe = { metric_for_best_model: "eval_value", greater_is_better: true };
    const ofRecipe = await tuned("of-recipe", validations, { ...every, ...inRecipe });
    expect(ofRecipe.result.metrics).toEqual({ step: 2, value: 5 });
    await expect(tuned("no-such", validations, { ...every, metric_for_best_model: "f1" })).rejects.toThrow(
      /must be a metric of the validation, but the one of step 1 has no 'f1'. Its metrics are step, value/,
    );
    const resumed = await tuned("lowest", validations, { ...every, ...inRecipe, max_steps: 4 }, true);
    expect(resumed.notes.join()).toContain(
      "chosen by value (greater is better) from here on, and was by value before",
    );
  });

  it("keeps their state in checkpoints", async () => {
    const counts: unknown[] = [];
    const counted =
      (start: number): Change =>
      (base) => {
        let count = start;
        return {
          ...base,
          afterStep: () => void count++,
          state: () => ({ count }),
          loadState: (state) => void counts.push(state),
        };
      };
    await tuned("state", counted(10), { max_steps: 2 });
    await tuned("state", counted(0), {}, true);
    expect(counts).toEqual([{ count: 12 }]);
  });

  it("are no failure where a run is interrupted in them", async () => {
    const controller = new AbortController();
    const task: Change = (base) => ({
      ...base,
      evaluate(step, signal) {
        controller.abort(new Error("enough"));
        return base.evaluate(step, signal);
      },
    });
    const { signal } = controller;
    const result = await finetune(recipe("interrupted"), { ...options(recorder()), signal, task });
    expect(result).toMatchObject({ interrupted: true, steps: 2, model: undefined });
  });

  it("are there for classification too", async () => {
    const rows = (split: string) =>
      readCorpus(data, split).then(({ utterances }) =>
        utterances.map(({ path, text }) => JSON.stringify({ audio: path, text, label: text[0] })).join("\n"),
      );
    const manifests = join(directory, "labelled");
    await mkdir(manifests);
    for (const split of ["train", "dev"])
      await writeFile(join(manifests, `${split}.jsonl`), await rows(split));
    const settings = { task: "classify", data: { root: manifests, batch_seconds: 6, workers: 0 } };
    const record = recorder();
    const { metrics, accuracy, classifier } = await trainClassifier(recipe("classified", settings), {
      ...options(record),
      task: (base) => ({
        ...base,
        loss(batch) {
          const part = base.loss(batch);
          return { ...part, loss: part.loss.mul(2), sums: { doubled: part.loss } };
        },
        criterion: "macro_f1",
        greaterIsBetter: true,
      }),
    });
    for (const row of record.rows.filter(({ loss }) => loss !== undefined))
      expect(row.loss).toBeCloseTo(2 * row.doubled!, 4);
    expect(metrics?.accuracy).toBe(accuracy);
    expect(classifier.model.labels).toEqual(["A", "B", "C"]);
  });

  it("trains a model of one's own, which comes back in memory", async () => {
    class WithSpeaker extends Wav2Vec2ForCTC {
      speakerHead = new nn.Linear(24, 2);
    }
    const record = recorder();
    const { ctc } = await finetune(recipe("subclass"), {
      ...options(record),
      model: WithSpeaker,
      task: (base) => ({
        ...base,
        loss(batch) {
          const { lastHiddenState } = base.forward(batch);
          const scores: Tensor = base.ctc.model.speakerHead.forward(lastHiddenState.mean([1]));
          return { loss: scores.square().mean(), count: 1 };
        },
      }),
    });
    expect(lossesOf(record).at(-1)).toBeLessThan(lossesOf(record)[0]!);
    expect([ctc.model.training, ctc.model.wav2vec2.encoder.training]).toEqual([false, false]);
    const weights = await finalWeights(join(directory, "subclass"));
    const bytes = Buffer.from(ctc.model.speakerHead.weight.toBytes()).toString("base64");
    expect(weights.get("speaker_head.weight")).toBe(bytes);

    class MoreSpeakers extends Wav2Vec2ForCTC {
      speakerHead = new nn.Linear(24, 4);
    }
    const further = { init: join(directory, "subclass", "final"), model: {}, max_steps: 1, eval_steps: 1 };
    const again = recorder();
    const next = finetune(recipe("refused", further), { ...options(again), model: MoreSpeakers });
    await expect(next).rejects.toThrow("mis-shaped: speaker_head.weight must be [4, 24], but is [2, 24]");
    const begun = await finetune(recipe("begun-anew", further), {
      ...options(again),
      model: MoreSpeakers,
      newHead: "where different",
    });
    expect(begun.ctc.model.speakerHead.weight.shape).toEqual([4, 24]);
    expect(again.notes).toContainEqual(expect.stringContaining(": speaker_head.bias, speaker_head.weight."));
    await expect(
      Reflect.apply(finetune, undefined, [recipe("no-word"), { newHead: "sometimes" }]),
    ).rejects.toThrow(
      /newHead of finetune must be "where missing" or "where different" or "always" or "never", but is/,
    );
    await expect(
      Reflect.apply(finetune, undefined, [recipe("no-class"), { model: () => ctc.model }]),
    ).rejects.toThrow(/model must be a class that extends Wav2Vec2ForCTC/);
  });

  it("is there for pre-training too", async () => {
    const record = recorder();
    const model = { ...TINY_MODEL, num_codevectors_per_group: 8, codevector_dim: 8, proj_codevector_dim: 8 };
    const shape = { ...model, num_negatives: 4, mask_time_prob: 0.65 };
    const { pretrained } = await pretrain(recipe("pretrained", { task: "pretrain", model: shape }), {
      ...options(record),
      task: (base) => ({
        ...base,
        loss(batch) {
          const scored = base.forward(batch);
          return {
            loss: scored.contrastiveLoss,
            count: scored.maskedFrames,
            sums: base.sums(scored, batch),
          };
        },
      }),
    });
    const logged = record.rows.filter(({ loss }) => loss !== undefined);
    for (const row of logged) expect(row.loss).toBeCloseTo(row.contrastive_loss!, 5);
    expect(pretrained.model.quantizer).toBeDefined();
  });
});

describe("mistakes in hooks", () => {
  const weight = (base: CtcTask) => base.ctc.model.lmHead.weight;
  const cases: [string, (base: CtcTask) => Record<string, unknown>, RegExp][] = [
    ["that throws", () => ({ loss: () => explode() }), /The task's loss failed at step 1: no such luck\./],
    [
      "without a result",
      () => ({ loss: () => undefined }),
      /loss of step 1 must return \{ loss, count \}.*returned undefined/,
    ],
    ["with a tensor alone", (base) => ({ loss: () => weight(base).sum() }), /returned the tensor alone/],
    ["with a number for a loss", () => ({ loss: () => ({ loss: 1, count: 1 }) }), /its loss is 1/],
    [
      "with a matrix",
      (base) => ({ loss: () => ({ loss: weight(base).mul(1), count: 1 }) }),
      /a scalar loss, but it is \[\d+, 24\]/,
    ],
    [
      "without a gradient",
      (base) => ({ loss: () => ({ loss: weight(base).detach().sum(), count: 1 }) }),
      /has none/,
    ],
    [
      "without a count",
      (base) => ({ loss: () => ({ loss: weight(base).sum() }) }),
      /a count of at least 0.*undefined/,
    ],
    [
      "that is asynchronous",
      () => ({ loss: async () => ({}) }),
      /loss of step 1 must return at once, but returned a promise/,
    ],
    [
      "with NaN among its sums",
      (base) => ({ loss: () => ({ loss: weight(base).sum(), count: 1, sums: { x: Number.NaN } }) }),
      /x is NaN/,
    ],
    [
      "with a tensor of NaN among its sums",
      (base) => ({ loss: () => ({ loss: weight(base).sum(), count: 1, sums: { x: tensor(Number.NaN) } }) }),
      /The task's loss must sum numbers, but x is NaN up to step 1/,
    ],
    [
      "that counts nothing",
      (base) => ({ loss: () => ({ loss: weight(base).sum(), count: 0 }) }),
      /must count parts, but counted 0 in all batches up to step 1: nothing was trained/,
    ],
    [
      "that logs a tensor",
      () => ({ afterStep: ({ log }: StepContext) => log({ x: tensor(1) } as never) }),
      /failed at step 1: What is given to log must hold numbers, but x is a tensor: use item\(\)/,
    ],
    [
      "with a loss of NaN",
      (base) => ({ loss: () => ({ loss: weight(base).sum().mul(Number.NaN), count: 1 }) }),
      /The loss of step 1 must be finite, but is NaN.*1-1-/,
    ],
    [
      "a rate of NaN",
      () => ({ learningRate: () => Number.NaN }),
      /learningRate of step 1 must be a finite number.*NaN/,
    ],
    [
      "a metric of NaN",
      () => ({ metrics: () => ({ loss: Number.NaN }) }),
      /metrics of step 1 must hold numbers, but loss is NaN/,
    ],
    [
      "a criterion of NaN",
      () => ({ criterion: () => Number.NaN }),
      /criterion of step 2 must be a number, but is NaN/,
    ],
    [
      "a validation without metrics",
      () => ({ evaluate: async () => 5 }),
      /evaluate of step 2 must return \{ metrics, criterion \}/,
    ],
    [
      "afterStep",
      () => ({ afterStep: async () => explode() }),
      /The task's afterStep failed at step 1: no such luck/,
    ],
    [
      "state",
      () => ({ state: () => new Map([[1, 2]]), loadState: () => {} }),
      /state of step 2 must be what JSON holds/,
    ],
    [
      "an optimiser that is none",
      () => ({ optimizer: () => ({}) }),
      /optimizer must return an optim.Optimizer/,
    ],
    [
      "batches that end",
      () => ({ batches: async function* () {} }),
      /batches must be endless, but ended at step 1/,
    ],
    [
      "batches that are none",
      () => ({
        batches: async function* () {
          yield {};
        },
      }),
      /batches of step 1 must have ids, lengths/,
    ],
  ];

  it.each(cases)("a hook %s is named with its step", async (name, change, reason) => {
    const output = `mistake-${name.replaceAll(" ", "-")}`;
    const error: unknown = await Reflect.apply(finetune, undefined, [
      recipe(output),
      { system: false, task: (base: CtcTask) => ({ ...base, ...change(base) }) },
    ]).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(reason);
    if (!/loss of NaN/.test(name)) expect(error).toBeInstanceOf(HookError);
    expect(await readdir(join(directory, output))).not.toContain("final");
  });

  it("keeps the cause, and the checkpoints of before go on", async () => {
    const change: Change = (base) => ({
      ...base,
      afterStep({ step }) {
        if (step === 3) explode();
      },
    });
    const tracker = trackRun(join(directory, "broken"), { verbosity: "quiet" });
    const error: unknown = await finetune(recipe("broken"), { tracker, task: change }).catch(
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ hook: "afterStep", step: 3, cause: { message: "no such luck" } });
    expect(JSON.parse(await readFile(join(directory, "broken/run.json"), "utf8"))).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("afterStep failed at step 3"),
    });
    expect(await readdir(join(directory, "broken/checkpoints"))).toEqual(["step-2"]);
    const mended = await tuned("broken", undefined, {}, true);
    expect(mended.result.steps).toBe(4);
    expect(mended.rows.filter(({ loss }) => loss).map(({ step }) => step)).toEqual([3, 4]);
  });

  it("a task that is none is refused before anything is written", async () => {
    for (const [task, reason] of [
      [5, /The option task must be a function/],
      [() => undefined, /A task must be an object of hooks, but is undefined/],
      [async () => ({}), /must return a task at once, but returned a promise/],
      [
        (base: CtcTask) => ({ ...base, aferStep() {} }),
        /A task knows no 'aferStep'. Did you mean 'afterStep'\?/,
      ],
      [(base: CtcTask) => ({ ...base, compute_loss() {} }), /no 'compute_loss'. Did you mean 'loss'\?/],
      [
        (base: CtcTask) => ({ ...base, computeMetrics() {} }),
        /no 'computeMetrics'. Did you mean 'evaluate'\?/,
      ],
      [(base: CtcTask) => ({ ...base, onStepEnd() {} }), /no 'onStepEnd'. Did you mean 'afterStep'\?/],
      [(base: CtcTask) => ({ ...base, scheduler: 1 }), /no 'scheduler'. Did you mean 'learningRate'\?/],
    ] as const) {
      await expect(Reflect.apply(finetune, undefined, [recipe("none"), { task }])).rejects.toThrow(reason);
      expect(existsSync(join(directory, "none"))).toBe(false);
    }
    await expect(Reflect.apply(finetune, undefined, [recipe("none"), { resum: true }])).rejects.toThrow(
      /Did you mean resume\?/,
    );
    await expect(
      Reflect.apply(finetune, undefined, [recipe("none"), { tracker: { onlog() {} } }]),
    ).rejects.toThrow(
      /options of a tracker must be among begin, log, .*, but one is onlog\. Did you mean log\?/,
    );
  });
});

function explode(): never {
  throw new TypeError("no such luck");
}

// The compiler's own test: batches and outputs have their types without a cast.
export function typed(
  model: Wav2Vec2ForCTC,
  batch: Parameters<typeof forwardBatch>[1],
  input: Tensor,
): number {
  const asked = model.forward({
    input,
    lengths: batch.lengths,
    outputHiddenStates: true,
    outputAttentions: true,
  });
  const [first] = asked.hiddenStates;
  return (first?.shape.length ?? 0) + asked.attentions.length;
}
