import { join } from "node:path";
import { requireArguments } from "../../argument-kinds.js";
import { counted } from "../../counted.js";
import type { AugmentationOptions } from "../../data/batches/augmentation.js";
import { batchOrder, shareOfBatches } from "../../data/batches/batches.js";
import { dropImpossibleTargets } from "../../data/batches/ctc-collator.js";
import type { BatchLoadOptions } from "../../data/batches/load-batches.js";
import { textTransform } from "../../data/batches/load-transforms.js";
import type { Transforms } from "../../data/batches/transforms.js";
import type { TranscribedUtterance } from "../../data/utterance.js";
import type { World } from "../../distributed/world.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { evaluate } from "../../evaluation/evaluate.js";
import { showBytes } from "../../files/show-bytes.js";
import { requireOptions } from "../../known-options.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { configWithKeys, readConfig } from "../../model/configuration-file.js";
import { type CtcOutput, Wav2Vec2ForCTC } from "../../model/heads/ctc.js";
import { PRESETS } from "../../model/presets.js";
import { type CtcModel, saveCtcModel } from "../../pretrained/ctc-directory.js";
import { loadModel, NEW_HEAD, type NewHead } from "../../pretrained/model-directory.js";
import { readNormalize } from "../../pretrained/preprocessor.js";
import {
  type CtcTrainingBatch,
  ctcBatches,
  forwardBatch,
  paddedFrames,
} from "../../recognition/emissions/ctc-batches.js";
import type { Tracker } from "../../tracking/tracker.js";
import { batchLimitsOf, batchPlanOf } from "../loop/batch-plan.js";
import { train } from "../loop/loop.js";
import type { Recipe } from "../recipe/recipe.js";
import { RECIPE } from "../recipe/recipe-kind.js";
import { requireTask } from "../recipe/recipe-rules.js";
import { annealHead } from "../run/anneal-head.js";
import { findAugmentation } from "../run/augmentation-files.js";
import {
  findInit,
  type OwnModel,
  prepareNetwork,
  requireLearnedBackbone,
  requireSameShape,
  requireSubclass,
  useSpanSampler,
} from "../run/initial-model.js";
import {
  fingerprint,
  hoursOf,
  RUN_OPTIONS,
  type RunOptions,
  type TrainingRun,
  withRun,
} from "../run/training-run.js";
import { requireUsable, usableLengths } from "../run/usable-lengths.js";
import { changedTask } from "../task/changed-task.js";
import { meansOf } from "../task/means.js";
import type { Task } from "../task/task.js";
import { type AnyCtcBatch, cachedCtcBatches, cachedForward } from "./cached-batches.js";
import { type ChosenTokenizer, chooseTokenizer } from "./choose-tokenizer.js";
import { ctcLoss } from "./ctc-loss.js";
import { FeatureCache } from "./feature-cache.js";
import { sentenceNote } from "./sentence-note.js";

const SAMPLE_TRANSCRIPTS = 3;
/** Share of blanks from which on a network says nothing yet. */
const MOSTLY_BLANK = 0.98;

export interface FinetuneResult<Model extends Wav2Vec2ForCTC = Wav2Vec2ForCTC> {
  /** Directory of the best model, by WER on the validation split; undefined where the run was interrupted before any. */
  model: string | undefined;
  steps: number;
  /** Of the best model, which `model` names; `ctc` may have another. */
  wer: number | undefined;
  /** All that the best validation found; as `wer`, not of `ctc`. */
  metrics: Readonly<Record<string, number>> | undefined;
  interrupted: boolean;
  /** The recogniser in memory, as it is behind the last step: not the best one, which `loadCtcModel(model)` reads. */
  ctc: CtcModel & { model: Model };
}

/** What is trained by `finetune`, to change: its members use each other by no `this`, so a spread copy works. */
export interface CtcTask<Model extends Wav2Vec2ForCTC = Wav2Vec2ForCTC> extends Task<AnyCtcBatch> {
  ctc: CtcModel & { model: Model };
  /** The clips to train and to validate on. */
  utterances: readonly TranscribedUtterance[];
  held: readonly TranscribedUtterance[];
  /** What the network makes of a batch, of its audio or of features in a cache. */
  forward(batch: AnyCtcBatch): CtcOutput;
}

/** What `finetune` gets besides its recipe. */
export interface FinetuneOptions<Model extends Wav2Vec2ForCTC = Wav2Vec2ForCTC> extends RunOptions {
  /** Changes what is trained and how: `(base) => ({ ...base, loss(batch) { … } })`. */
  task?: ((base: CtcTask<Model>) => Task<AnyCtcBatch>) | undefined;
}

/**
 * Trains speech recognition with CTC (paper, section 3.3) as the recipe says, into the run directory
 * `recipe.output`.
 *
 * @throws UserError on bad data, a model that does not fit, or an output directory that holds another run
 * @throws HookError where a hook of the task fails, naming it and the step
 * @throws the signal's reason where it is aborted while a model is downloaded
 */
export async function finetune<Model extends Wav2Vec2ForCTC>(
  recipe: Recipe,
  options: FinetuneOptions<Model> & OwnModel<Model>,
): Promise<FinetuneResult<Model>>;
export async function finetune(recipe: Recipe, options?: FinetuneOptions): Promise<FinetuneResult>;
export async function finetune(
  given: Recipe,
  options: FinetuneOptions & Partial<OwnModel<Wav2Vec2ForCTC>> = {},
): Promise<FinetuneResult> {
  requireArguments("finetune", { recipe: [given, RECIPE] });
  requireTask(given, "finetune");
  requireLearnedBackbone(given);
  requireOptions("finetune", options, { ...RUN_OPTIONS, task: true, model: true, newHead: NEW_HEAD });
  const { task: change, model: modelClass = Wav2Vec2ForCTC, newHead, ...runOptions } = options;
  requireSubclass(modelClass, Wav2Vec2ForCTC);
  return await withRun(given, runOptions, async (run) => {
    const { readSplits, loading, device, plan, begin, world, tracker, transforms } = run;
    const splits = await readSplits("required");
    const all = await withTexts(splits.train, transforms, { seed: given.seed, training: true });
    const validation = await withTexts(splits.held, transforms, { seed: given.seed, training: false });
    const { ctc, inForm } = await makeModel(given, await findInit(given, options), {
      clips: { train: all, held: validation },
      modelClass,
      newHead,
      tracker,
    });
    const recipe = await run.settle(given, ctc.model.config);
    const held = withForms(validation, inForm);
    const advice = sentenceNote(recipe, held);
    if (advice !== undefined) tracker.note(advice);
    await useSpanSampler(ctc.model.wav2vec2, transforms);
    ctc.model.to({ device });
    const kept = new Set(usable(recipe, ctc, withForms(all, inForm), tracker).map(({ id }) => id));
    const utterances = withForms(
      splits.train.filter(({ id }) => kept.has(id)),
      inForm,
    );
    tracker.tell(summary(ctc, utterances, held));
    if (ctc.tokenizer.phonemes)
      tracker.tell(
        "The vocabulary is of phonemes, which texts have spaces between: WER is their error rate (PER).",
      );
    const augmentation = await findAugmentation(recipe.data);
    const planned = plan(recipe, utterances);
    const cache = await openCache(recipe, ctc, utterances, run);
    const data = { utterances, held, augmentation, transforms, loading, cache, world };
    const base = ctcTask(recipe, ctc, data, tracker);
    const { task, ownHooks } = changedTask(base, change);
    await begin(task.data, { module: task.module, config: ctc.model.config });
    const { best, ...result } = await train(planned, task, { ...run, ownHooks });
    return {
      model: best && join(recipe.output, "best"),
      steps: result.steps,
      wer:
        best?.metrics?.wer ?? (ownHooks.has("evaluate") || best?.by !== undefined ? undefined : best?.value),
      metrics: best?.metrics,
      interrupted: result.interrupted,
      ctc,
    };
  });
}

/** Transcripts as they are in the first epoch. */
async function withTexts(
  clips: readonly TranscribedUtterance[],
  transforms: Transforms | undefined,
  options: { seed: number; training: boolean },
): Promise<readonly TranscribedUtterance[]> {
  if (!transforms?.hooks.includes("text")) return clips;
  const textOf = await textTransform(transforms, options);
  return clips.map((clip) => ({ ...clip, text: textOf(clip, 0) }));
}

/** Transcripts with each letter in the vocabulary's form; the same objects where nothing changes. */
function withForms(
  clips: readonly TranscribedUtterance[],
  inForm: ChosenTokenizer["inForm"],
): readonly TranscribedUtterance[] {
  return clips.map((clip) => {
    const text = inForm(clip.text);
    return text === clip.text ? clip : { ...clip, text };
  });
}

/** The model to start from: a directory's weights, or random ones for the characters of the transcripts. */
async function makeModel(
  recipe: Recipe,
  init: string | undefined,
  {
    clips,
    modelClass,
    newHead: wanted = "where missing",
    tracker,
  }: {
    clips: Parameters<typeof chooseTokenizer>[2];
    modelClass: new (config: Wav2Vec2Config) => Wav2Vec2ForCTC;
    newHead: NewHead | undefined;
    tracker: Tracker;
  },
): Promise<{ ctc: CtcModel; inForm: ChosenTokenizer["inForm"] }> {
  const base = init ? await readConfig(init) : PRESETS[recipe.preset];
  const start = init === undefined ? undefined : { directory: init, config: base };
  const { tokenizer, newHead, inForm } = await chooseTokenizer(recipe, start, clips, tracker);
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
    ? await loadModel(modelClass, init, {
        config: () => config,
        newHead: newHead ? "always" : wanted,
        newAdapters: recipe.train === "adapters" || base.adapterAttnDim === null,
        onNote: (text) => tracker.note(text),
      })
    : new modelClass(config);
  prepareNetwork(model, recipe);
  const normalize = recipe.data.normalize ?? (init ? await readNormalize(init) : true);
  return { ctc: { model, tokenizer, normalize }, inForm };
}

/** What can be trained on, with a note on what was left out and why. */
function usable(
  recipe: Recipe,
  { model, tokenizer }: CtcModel,
  all: readonly TranscribedUtterance[],
  tracker: Tracker,
): TranscribedUtterance[] {
  const { kept, dropped } = dropImpossibleTargets(
    usableLengths(recipe, all, tracker),
    (samples) => paddedFrames(model.config, Math.floor(samples / (1 + recipe.data.speed_perturbation))),
    (text, utterance) => tokenizer.encode(text, { utterance }),
  );
  if (dropped.length > 0) {
    const example = dropped[0]!;
    tracker.note(
      `${counted(dropped.length, "utterance")} ${dropped.length === 1 ? "has fewer frames than its" : "have fewer frames than their"} labels need and ${dropped.length === 1 ? "was" : "were"} left out, for example ` +
        `${example.id}: ${example.frames} frames, ${example.needed} needed.`,
    );
  }
  requireUsable(recipe, kept, all);
  return kept;
}

interface FinetuneData {
  /** To train on. */
  utterances: readonly TranscribedUtterance[];
  /** To validate on. */
  held: readonly TranscribedUtterance[];
  augmentation: AugmentationOptions | undefined;
  transforms: Transforms | undefined;
  loading: BatchLoadOptions;
  cache: FeatureCache | undefined;
  world: World;
}

/** The recipe's feature cache, with a note of how large it will be. @throws UserError where that does not fit the disk */
async function openCache(
  recipe: Recipe,
  ctc: CtcModel,
  utterances: readonly TranscribedUtterance[],
  { tracker, transforms }: Pick<TrainingRun, "tracker" | "transforms">,
): Promise<FeatureCache | undefined> {
  const directory = recipe.data.feature_cache;
  if (directory === undefined) return undefined;
  const changing = transforms?.hooks.filter((hook) => hook === "audio" || hook === "collate") ?? [];
  if (changing.length > 0)
    throw new ConfigurationError(
      `data.feature_cache needs features that stay the same, but data.transforms changes the clips (${changing.join(", ")}). Remove ` +
        "one of them.",
    );
  const cache = await FeatureCache.open(directory, ctc, utterances, recipe);
  const { clips, filled, bytes, missingBytes, freeBytes } = await cache.size();
  const free = freeBytes === undefined ? "" : `; ${showBytes(freeBytes)} are free`;
  tracker.tell(
    `The feature cache ${directory} takes ${showBytes(bytes)} for ${clips} clips, ${filled} of which are there${free}.`,
  );
  if (freeBytes === undefined || missingBytes <= freeBytes) return cache;
  throw new UserError(
    `data.feature_cache must be on a disk with ${showBytes(missingBytes)} free, but ${directory} has ` +
      `${showBytes(freeBytes)}. Give another directory, or leave the key out.`,
  );
}

function ctcTask(
  recipe: Recipe,
  ctc: CtcModel,
  { utterances, held, augmentation, transforms, loading, cache, world }: FinetuneData,
  tracker: Tracker,
): CtcTask {
  const { model } = ctc;
  const { encoder } = model.wav2vec2;
  const { seed } = recipe;
  const limits = batchLimitsOf(recipe);
  let saidBlank = false;
  const forward = (batch: AnyCtcBatch): CtcOutput =>
    cache ? cachedForward(model, batch, cache) : forwardBatch(model, batch as CtcTrainingBatch);
  return {
    ctc,
    utterances,
    held,
    forward,
    module: model,
    data: fingerprint(utterances),
    batches: (from) => {
      const plan = shareOfBatches(batchOrder(utterances, batchPlanOf(recipe), from), world);
      return cache
        ? cachedCtcBatches(ctc, utterances, plan, {
            cache,
            loading: { ...loading, seed, transforms },
            onComplete: () =>
              tracker.tell("All features are in the cache: the convolutions need not run any more."),
          })
        : ctcBatches(ctc, utterances, plan, { ...loading, seed, augmentation, transforms, unknown: "error" });
    },
    anneal: (step) => annealHead(model, recipe, step, tracker),
    idle: () => encoder.skippedParameters(),
    loss: (batch) => ctcLoss(model, forward(batch), batch),
    metrics: meansOf,
    async evaluate(step, signal) {
      const options = { ...limits, ...loading, signal, world };
      const { evaluation, blankShare, confidence, ctcLoss } = await evaluate(ctc, held, options);
      if (blankShare > MOSTLY_BLANK && !saidBlank) tracker.note(blankRemark(step, blankShare));
      saidBlank ||= blankShare > MOSTLY_BLANK;
      tracker.transcripts(evaluation.utterances.slice(0, SAMPLE_TRANSCRIPTS), step);
      const metrics = {
        wer: evaluation.wer,
        cer: evaluation.cer,
        substitutions: evaluation.substitutions,
        deletions: evaluation.deletions,
        insertions: evaluation.insertions,
        confidence,
        blank_share: blankShare,
        ctc_loss: ctcLoss,
      };
      return { metrics, criterion: evaluation.wer };
    },
    save: (kind) => saveCtcModel(join(recipe.output, kind), ctc, { language: recipe.adapter_language }),
  };
}

function blankRemark(step: number, share: number): string {
  return (
    `Step ${step}: ${(share * 100).toFixed(1)} % of the frames are blanks. The first few hundred steps of CTC look like this, ` +
    "with a WER of 100 %, while the loss falls; letters come after them. Where they do not come within some thousand " +
    "steps, try a higher learning rate, more clips, or a model that has learned more."
  );
}

function summary(
  { model }: CtcModel,
  utterances: readonly TranscribedUtterance[],
  held: readonly TranscribedUtterance[],
): string {
  return (
    `${(model.parameterCount() / 1e6).toFixed(2)} M parameters, ${counted(utterances.length, "utterance")} (${hoursOf(utterances)} h) ` +
    `to train on, ${held.length} (${hoursOf(held)} h) to validate on.`
  );
}
