import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { manualSeed, nn, setThreads } from "@wav2vec2/libtorch";
import type { AugmentationOptions } from "../data/batches/augmentation.js";
import { batchOrder } from "../data/batches/batches.js";
import { dropImpossibleTargets } from "../data/batches/ctc-collator.js";
import { type BatchLoadOptions, batchWorkers } from "../data/batches/load-batches.js";
import { filterByDuration } from "../data/corpus/filter.js";
import type { TranscribedUtterance } from "../data/utterance.js";
import { ConfigurationError, UserError } from "../errors.js";
import { type DownloadProgress, resolveModel } from "../files/hub.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { configWithKeys, readConfig } from "../model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../model/ctc.js";
import { PRESETS } from "../model/presets.js";
import { type CtcModel, saveCtcModel } from "../pretrained/ctc-directory.js";
import { loadModel } from "../pretrained/model-directory.js";
import { readNormalize } from "../pretrained/preprocessor.js";
import { CtcTokenizer } from "../text/tokenizer.js";
import { hasTokenizer } from "../text/tokenizer-files.js";
import { Vocabulary } from "../text/vocabulary.js";
import type { Tracker } from "../tracking/tracker.js";
import { findAugmentation } from "./augmentation-files.js";
import { listCheckpoints, recoverRun } from "./checkpoint.js";
import { batchLimits, type CtcTrainingBatch, ctcBatches, forwardBatch, paddedFrames } from "./ctc-batches.js";
import { evaluate } from "./evaluate.js";
import { LeftOut } from "./left-out.js";
import { type Task, train } from "./loop.js";
import { readSplit } from "./read-split.js";
import type { Recipe } from "./recipe.js";
import { loadRecipe, writeRecipe } from "./recipe-file.js";

const SAMPLE_TRANSCRIPTS = 3;
const BATCH_SECONDS = 100;

export interface FinetuneResult {
  /** Directory of the best model, by WER on the validation split. */
  model: string;
  steps: number;
  wer: number | undefined;
  interrupted: boolean;
}

export interface FinetuneOptions {
  resume: boolean;
  signal: AbortSignal;
  tracker: Tracker;
  /** How far the reading of a split is. */
  onReading?: (done: number, total: number | undefined) => void;
  /** How far the download of a Hub model to start from is. */
  onDownload?: (progress: DownloadProgress) => void;
}

/**
 * Trains speech recognition with CTC (paper, section 3.3) as the recipe says, into the run directory
 * `recipe.output`.
 *
 * @throws UserError on bad data, a model that does not fit, or an output directory that holds another run
 * @throws the signal's reason where it is aborted while a model is downloaded
 */
export async function finetune(recipe: Recipe, options: FinetuneOptions): Promise<FinetuneResult> {
  const { tracker } = options;
  await prepareOutput(recipe, options.resume);
  if (recipe.threads) setThreads(recipe.threads);
  manualSeed(recipe.seed);

  const leftOut = new LeftOut(join(recipe.output, "left-out.txt"), tracker);
  const read = async (split: string) => {
    const { root, on_bad_data: onProblem, exclude } = recipe.data;
    const reading = { onProblem, exclude, signal: options.signal, onProgress: options.onReading };
    const { utterances, problems, excluded } = await readSplit(root, split, reading);
    leftOut.addAll(problems, split);
    if (exclude) tracker.note(`${excluded} clips of ${split} are left out as ${exclude} says.`);
    return utterances;
  };
  const all = await read(recipe.data.train_split);
  const held = await read(recipe.data.eval_split);
  noteOverlap(all, held, tracker);
  const ctc = await makeModel(recipe, await findInit(recipe, options), all);
  const utterances = usable(recipe, ctc, all, tracker);
  tracker.note(summary(ctc, utterances, held));
  const augmentation = await findAugmentation(recipe.data);

  const workers = recipe.data.workers > 0 ? batchWorkers(recipe.data.workers) : undefined;
  try {
    const loading: BatchLoadOptions = {
      workers,
      onBadAudio: recipe.data.on_bad_data,
      onBad: (clip) => leftOut.add(clip),
      onNote: (text) => tracker.note(text),
    };
    const task = ctcTask(recipe, ctc, { utterances, held, augmentation, loading }, tracker);
    const result = await train(recipe, task, options);
    return {
      model: join(recipe.output, result.best ? "best" : "checkpoints"),
      steps: result.steps,
      wer: result.best?.value,
      interrupted: result.interrupted,
    };
  } finally {
    await workers?.close();
  }
}

/** Of the clips and their lengths, which decide the batches. */
function fingerprint(utterances: readonly TranscribedUtterance[]): string {
  const hash = createHash("sha256");
  for (const { id, samples } of utterances) hash.update(`${id}\n${samples}\n`);
  return hash.digest("hex");
}

/** Clips to validate on that are trained on too. */
function noteOverlap(
  all: readonly TranscribedUtterance[],
  held: readonly TranscribedUtterance[],
  tracker: Tracker,
): void {
  const place = ({ path, start = 0 }: TranscribedUtterance) => `${start} ${path}`;
  const trained = new Set(all.map(place));
  const both = held.filter((utterance) => trained.has(place(utterance))).length;
  if (both === 0) return;
  tracker.note(
    `${both} of ${held.length} clips to validate on are in the training split too: error rates will look better than ` +
      "they are. Choose splits without common clips.",
  );
}

/** What may differ between the parts of one run; anything else would make it another run. */
const CHANGEABLE: (keyof Recipe)[] = [
  "max_steps",
  "max_minutes",
  "output",
  "logging_steps",
  "eval_steps",
  "save_steps",
  "keep_checkpoints",
  "threads",
];

/** Refuses to mix two runs in one directory. */
async function prepareOutput(recipe: Recipe, resume: boolean): Promise<void> {
  const { output } = recipe;
  await recoverRun(output);
  if (resume && (await listCheckpoints(output)).length > 0) requireSameRun(recipe);
  if (!resume && (await listCheckpoints(output)).length > 0) {
    throw new UserError(
      `${output} must be a new run directory, but holds checkpoints. Add --resume to go on, or give another --output.`,
    );
  }
  await mkdir(output, { recursive: true });
  if (!resume)
    for (const name of ["best", "left-out.txt"])
      await rm(join(output, name), { recursive: true, force: true });
  await writeRecipe(join(output, "recipe.yaml"), recipe);
}

function requireSameRun(recipe: Recipe): void {
  const path = join(recipe.output, "recipe.yaml");
  const before = loadRecipe(path);
  for (const key of Object.keys(recipe) as (keyof Recipe)[]) {
    const same = isDeepStrictEqual(recipe[key], before[key]);
    if (same || CHANGEABLE.includes(key) || (key === "data" && sameData(recipe, before))) continue;
    throw new UserError(
      `${key} must be as in ${path} to go on with that run, but is ${JSON.stringify(recipe[key])} instead of ` +
        `${JSON.stringify(before[key])}. Give another --output for another run.`,
    );
  }
}

/** Whether two recipes train on the same batches; the number of threads does not change them. */
function sameData({ data }: Recipe, before: Recipe): boolean {
  return isDeepStrictEqual({ ...data, workers: 0 }, { ...before.data, workers: 0 });
}

/** The directory of the model to start from. */
async function findInit(recipe: Recipe, options: FinetuneOptions): Promise<string | undefined> {
  if (recipe.init === undefined) return undefined;
  return await resolveModel(recipe.init, {
    revision: recipe.init_revision,
    signal: options.signal,
    onProgress: options.onDownload,
    onNote: (text) => options.tracker.note(text),
  });
}

/** The model to start from: a directory's weights, or random ones for the characters of the transcripts. */
async function makeModel(
  recipe: Recipe,
  init: string | undefined,
  utterances: readonly TranscribedUtterance[],
): Promise<CtcModel> {
  const base = init ? await readConfig(init) : PRESETS[recipe.preset];
  const known = init !== undefined && hasTokenizer(init); // pre-trained models need none
  const tokenizer = known
    ? await CtcTokenizer.read(init, { size: base.vocabSize ?? undefined })
    : new CtcTokenizer(Vocabulary.fromTranscripts(utterances.map(({ text }) => text)));
  const { vocabulary } = tokenizer;
  const config: Wav2Vec2Config = configWithKeys(
    base,
    {
      ctc_zero_infinity: true,
      ...recipe.model,
      ctc_loss_reduction: recipe.ctc_loss_reduction,
      vocab_size: vocabulary.size,
      pad_token_id: vocabulary.blankId,
    },
    "The recipe's model",
  );
  if (init) requireSameShape(init, base, config);
  const model = init
    ? await loadModel(Wav2Vec2ForCTC, init, {
        config: () => config,
        newHead: known ? "where missing" : "always",
      })
    : new Wav2Vec2ForCTC(config);
  if (recipe.freeze_feature_encoder) model.freezeFeatureEncoder();
  return { model, tokenizer, normalize: init ? await readNormalize(init) : true };
}

/** What a checkpoint's weights were made for; dropouts, masks and losses may change. */
const SHAPE = [
  ...(["hiddenSize", "numHiddenLayers", "numAttentionHeads", "intermediateSize", "hiddenAct"] as const),
  ...([
    "featExtractNorm",
    "featExtractActivation",
    "convDim",
    "convStride",
    "convKernel",
    "convBias",
  ] as const),
  ...(["numConvPosEmbeddings", "numConvPosEmbeddingGroups", "doStableLayerNorm"] as const),
];

/** A recipe that shapes a network of its own cannot start from another one's weights. */
function requireSameShape(init: string, base: Wav2Vec2Config, config: Wav2Vec2Config): void {
  const changed = SHAPE.filter((field) => !isDeepStrictEqual(base[field], config[field]));
  if (changed.length === 0) return;
  const [first] = changed as [(typeof SHAPE)[number]];
  const keys = changed.map(nn.stateName).join(", ");
  throw new ConfigurationError(
    `The recipe's model must have the shape of ${init}, but its ${nn.stateName(first)} is ` +
      `${JSON.stringify(config[first])} instead of ${JSON.stringify(base[first])}. Leave these keys out of it: ${keys}.`,
  );
}

/** What can be trained on, with a note on what was left out and why. */
function usable(
  recipe: Recipe,
  { model, tokenizer }: CtcModel,
  all: readonly TranscribedUtterance[],
  tracker: Tracker,
): TranscribedUtterance[] {
  const { min_seconds: minSeconds, max_seconds: maxSeconds } = recipe.data;
  const lengths = filterByDuration(all, { minSeconds, maxSeconds });
  const { kept, dropped } = dropImpossibleTargets(
    lengths.kept,
    (samples) => paddedFrames(model.config, Math.floor(samples / (1 + recipe.data.speed_perturbation))),
    (text, utterance) => tokenizer.encode(text, { utterance }),
  );
  const leftOut = all.length - lengths.kept.length;
  if (leftOut > 0)
    tracker.note(`${leftOut} utterances outside ${minSeconds} to ${maxSeconds} s were left out.`);
  if (dropped.length > 0) {
    const example = dropped[0]!;
    tracker.note(
      `${dropped.length} utterances have fewer frames than their labels need and were left out, for example ` +
        `${example.id}: ${example.frames} frames, ${example.needed} needed.`,
    );
  }
  if (kept.length === 0) {
    throw new UserError(
      `${recipe.data.train_split} must hold utterances to train on, but all ${all.length} were left out.`,
    );
  }
  return kept;
}

interface FinetuneData {
  /** To train on. */
  utterances: readonly TranscribedUtterance[];
  /** To validate on. */
  held: readonly TranscribedUtterance[];
  augmentation: AugmentationOptions | undefined;
  loading: BatchLoadOptions;
}

function ctcTask(
  recipe: Recipe,
  ctc: CtcModel,
  { utterances, held, augmentation, loading }: FinetuneData,
  tracker: Tracker,
): Task<CtcTrainingBatch> {
  const { model } = ctc;
  const { seed } = recipe;
  const { batch_seconds: batchSeconds, batch_size: batchSize } = recipe.data;
  const limits = batchLimits({ batchSeconds, batchSize }, BATCH_SECONDS);
  return {
    module: model,
    data: fingerprint(utterances),
    batches: (from) =>
      ctcBatches(ctc, utterances, batchOrder(utterances, { ...limits, seed }, from), {
        ...loading,
        seed,
        augmentation,
        unknown: "error",
      }),
    loss(batch) {
      const { logits, frames } = forwardBatch(model, batch);
      return model.loss(logits, frames, batch);
    },
    async evaluate(step) {
      const { evaluation, blankShare, ctcLoss } = await evaluate(ctc, held, { ...limits, ...loading });
      tracker.transcripts(evaluation.utterances.slice(0, SAMPLE_TRANSCRIPTS), step);
      const metrics = {
        wer: evaluation.wer,
        cer: evaluation.cer,
        blank_share: blankShare,
        ctc_loss: ctcLoss,
      };
      return { metrics, criterion: evaluation.wer };
    },
    save: (kind) => saveCtcModel(join(recipe.output, kind), ctc),
  };
}

function summary(
  { model }: CtcModel,
  utterances: readonly TranscribedUtterance[],
  held: readonly TranscribedUtterance[],
): string {
  const hours = (list: readonly TranscribedUtterance[]) =>
    (list.reduce((sum, { seconds }) => sum + seconds, 0) / 3600).toFixed(2);
  return (
    `${(model.parameterCount() / 1e6).toFixed(2)} M parameters, ${utterances.length} utterances (${hours(utterances)} h) ` +
    `to train on, ${held.length} (${hours(held)} h) to validate on.`
  );
}
