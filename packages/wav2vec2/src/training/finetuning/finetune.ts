import { join } from "node:path";
import { counted } from "../../counted.js";
import type { AugmentationOptions } from "../../data/batches/augmentation.js";
import { batchOrder, shareOfBatches } from "../../data/batches/batches.js";
import { dropImpossibleTargets } from "../../data/batches/ctc-collator.js";
import type { BatchLoadOptions } from "../../data/batches/load-batches.js";
import { filterByDuration } from "../../data/corpus/filter.js";
import type { TranscribedUtterance } from "../../data/utterance.js";
import type { World } from "../../distributed/world.js";
import { UserError } from "../../errors.js";
import { evaluate } from "../../evaluation/evaluate.js";
import { showBytes } from "../../files/show-bytes.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { configWithKeys, readConfig } from "../../model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../../model/heads/ctc.js";
import { PRESETS } from "../../model/presets.js";
import { type CtcModel, saveCtcModel } from "../../pretrained/ctc-directory.js";
import { loadModel } from "../../pretrained/model-directory.js";
import { readNormalize } from "../../pretrained/preprocessor.js";
import { type CtcTrainingBatch, ctcBatches, paddedFrames } from "../../recognition/ctc-batches.js";
import type { Tracker } from "../../tracking/tracker.js";
import { batchLimitsOf, batchPlanOf } from "../loop/batch-plan.js";
import { type Task, train } from "../loop/loop.js";
import type { Recipe } from "../recipe/recipe.js";
import { requireTask } from "../recipe/recipe-rules.js";
import { annealHead } from "../run/anneal-head.js";
import { findAugmentation } from "../run/augmentation-files.js";
import { findInit, prepareNetwork, requireLearnedBackbone, requireSameShape } from "../run/initial-model.js";
import { fingerprint, hoursOf, type RunOptions, withRun } from "../run/training-run.js";
import { type AnyCtcBatch, cachedCtcBatches, cachedLoss } from "./cached-batches.js";
import { chooseTokenizer } from "./choose-tokenizer.js";
import { ctcLoss } from "./ctc-loss.js";
import { FeatureCache } from "./feature-cache.js";

const SAMPLE_TRANSCRIPTS = 3;
/** Share of blanks from which on a network says nothing yet. */
const MOSTLY_BLANK = 0.98;

export interface FinetuneResult {
  /** Directory of the best model, by WER on the validation split; undefined where the run was interrupted before any. */
  model: string | undefined;
  steps: number;
  wer: number | undefined;
  interrupted: boolean;
}

/**
 * Trains speech recognition with CTC (paper, section 3.3) as the recipe says, into the run directory
 * `recipe.output`.
 *
 * @throws UserError on bad data, a model that does not fit, or an output directory that holds another run
 * @throws the signal's reason where it is aborted while a model is downloaded
 */
export async function finetune(recipe: Recipe, options: RunOptions): Promise<FinetuneResult> {
  requireTask(recipe, "finetune");
  requireLearnedBackbone(recipe);
  return await withRun(
    recipe,
    options,
    async ({ readSplits, loading, device, plan, begin, world, readings, tracker }) => {
      const { train: all, held } = await readSplits("required");
      const ctc = await makeModel(recipe, await findInit(recipe, options), all, tracker);
      ctc.model.to({ device });
      const utterances = usable(recipe, ctc, all, tracker);
      tracker.tell(summary(ctc, utterances, held));
      const augmentation = await findAugmentation(recipe.data);
      const planned = plan(recipe, utterances);
      const cache = await openCache(recipe, ctc, utterances, tracker);
      const task = ctcTask(recipe, ctc, { utterances, held, augmentation, loading, cache, world }, tracker);
      await begin(task.data, { module: ctc.model, config: ctc.model.config });
      const result = await train(planned, task, { ...options, tracker, world, readings });
      return {
        model: result.best && join(recipe.output, "best"),
        steps: result.steps,
        wer: result.best?.value,
        interrupted: result.interrupted,
      };
    },
  );
}

/** The model to start from: a directory's weights, or random ones for the characters of the transcripts. */
async function makeModel(
  recipe: Recipe,
  init: string | undefined,
  utterances: readonly TranscribedUtterance[],
  tracker: Tracker,
): Promise<CtcModel> {
  const base = init ? await readConfig(init) : PRESETS[recipe.preset];
  const start = init === undefined ? undefined : { directory: init, config: base };
  const { tokenizer, newHead } = await chooseTokenizer(recipe, start, utterances, tracker);
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
        newHead: newHead ? "always" : "where missing",
        newAdapters: recipe.train === "adapters" || base.adapterAttnDim === null,
        onNote: (text) => tracker.note(text),
      })
    : new Wav2Vec2ForCTC(config);
  prepareNetwork(model, recipe);
  return { model, tokenizer, normalize: recipe.data.normalize ?? (init ? await readNormalize(init) : true) };
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
    tracker.note(
      `${counted(leftOut, "utterance")} outside ${minSeconds} to ${maxSeconds} s ${leftOut === 1 ? "was" : "were"} left out.`,
    );
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
  cache: FeatureCache | undefined;
  world: World;
}

/** The recipe's feature cache, with a note of how large it will be. @throws UserError where that does not fit the disk */
async function openCache(
  recipe: Recipe,
  ctc: CtcModel,
  utterances: readonly TranscribedUtterance[],
  tracker: Tracker,
): Promise<FeatureCache | undefined> {
  const directory = recipe.data.feature_cache;
  if (directory === undefined) return undefined;
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
  { utterances, held, augmentation, loading, cache, world }: FinetuneData,
  tracker: Tracker,
): Task<AnyCtcBatch> {
  const { model } = ctc;
  const { encoder } = model.wav2vec2;
  const { seed } = recipe;
  const limits = batchLimitsOf(recipe);
  let saidBlank = false;
  return {
    module: model,
    data: fingerprint(utterances),
    batches: (from) => {
      const plan = shareOfBatches(batchOrder(utterances, batchPlanOf(recipe), from), world);
      return cache
        ? cachedCtcBatches(ctc, utterances, plan, {
            cache,
            loading,
            onComplete: () =>
              tracker.tell("All features are in the cache: the convolutions need not run any more."),
          })
        : ctcBatches(ctc, utterances, plan, { ...loading, seed, augmentation, unknown: "error" });
    },
    anneal: (step) => annealHead(model, recipe, step, tracker),
    idle: () => encoder.skippedParameters(),
    loss(batch) {
      if (cache) return cachedLoss(model, batch, cache);
      return ctcLoss(model, batch as CtcTrainingBatch);
    },
    metrics: ({ loss, count }) => ({ loss: loss! / count! }),
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
