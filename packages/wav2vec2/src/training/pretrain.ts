import { join } from "node:path";
import { SAMPLE_RATE } from "../audio/audio-file.js";
import { batchOrder, lengthBucketedBatches } from "../data/batches/batches.js";
import type { BatchLoadOptions } from "../data/batches/load-batches.js";
import type { Preparation } from "../data/batches/prepare-batch.js";
import type { PreTrainingCollation } from "../data/batches/pretraining-collator.js";
import { divideLong, filterByDuration } from "../data/corpus/filter.js";
import type { Utterance } from "../data/utterance.js";
import { ConfigurationError, UserError } from "../errors.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { configWithKeys, readConfig } from "../model/configuration-file.js";
import { receptiveField } from "../model/lengths.js";
import { PRESETS } from "../model/presets.js";
import { Wav2Vec2ForPreTraining } from "../model/pretraining.js";
import { loadModel } from "../pretrained/model-directory.js";
import { readNormalize } from "../pretrained/preprocessor.js";
import { type PreTrainingModel, savePreTrainingModel } from "../pretrained/pretraining-directory.js";
import { formatDuration } from "../tracking/duration.js";
import type { Tracker } from "../tracking/tracker.js";
import { findAugmentation } from "./augmentation-files.js";
import { evaluatePreTraining } from "./evaluate-pretraining.js";
import { findInit, requireSameShape } from "./initial-model.js";
import { type Task, train } from "./loop.js";
import { type PreTrainingTrainingBatch, preTrainingBatches } from "./pretraining-batches.js";
import { chanceLoss, preTrainingLoss, preTrainingMetrics } from "./pretraining-metrics.js";
import type { PreTrainingRecipe, Recipe } from "./recipe.js";
import { batchLimitsOf, fingerprint, hoursOf, type RunOptions, withRun } from "./training-run.js";
import { watched } from "./watched.js";

/** Of validation, whatever the recipe: so that its curves can be compared between runs. */
const HELD_SECONDS = 60;
const SHOWN_CLIPS = 4;

export interface PretrainResult {
  /** Directory of the model behind the last step, to fine-tune. */
  model: string;
  steps: number;
  /** Of the newest validation, in nats; undefined where there was none since the start. */
  contrastiveLoss: number | undefined;
  /** That of guessing, in nats. */
  chanceLoss: number;
  /** Share of masked frames that were found, of the newest validation. */
  accuracy: number | undefined;
  /** Summed over codebooks, of the newest validation. */
  perplexity: number | undefined;
  interrupted: boolean;
}

/**
 * Learns representations of unlabelled speech (paper, sections 3.1 and 3.2) as the recipe says, into the run directory
 * `recipe.output`.
 *
 * @throws UserError on bad data, a model that does not fit, or an output directory that holds another run
 * @throws the signal's reason where it is aborted while a model is downloaded
 */
export async function pretrain(recipe: Recipe, options: RunOptions): Promise<PretrainResult> {
  requirePretraining(recipe);
  return await withRun(recipe, options, async ({ readSplits, loading }) => {
    const { train: all, held } = await readSplits("none");
    const pretrained = await makeModel(recipe, await findInit(recipe, options));
    const tracker = watched(options.tracker, recipe, pretrained.model.config);
    const clips = { train: usable(recipe, all, tracker), held: divideLong(held, recipe.data.max_seconds) };
    describe(recipe, pretrained.model, clips, tracker);
    const task = await pretrainingTask(recipe, pretrained, clips, loading, tracker);
    const { steps, interrupted, evaluation } = await train(recipe, task, { ...options, tracker });
    return {
      model: join(recipe.output, interrupted ? "checkpoints" : "final"),
      steps,
      contrastiveLoss: evaluation?.contrastive_loss,
      chanceLoss: chanceLoss(pretrained.model.config),
      accuracy: evaluation?.accuracy,
      perplexity: evaluation?.codevector_perplexity,
      interrupted,
    };
  });
}

function requirePretraining(recipe: Recipe): asserts recipe is PreTrainingRecipe {
  if (recipe.pretraining) return;
  throw new ConfigurationError(
    `task must be pretrain for pre-training, but is ${recipe.task}. Run wav2vec2 ${recipe.task} with this recipe.`,
  );
}

/** What the recipe makes of a shape. @throws ConfigurationError where nothing would be masked */
export function pretrainingConfig(recipe: Recipe, base: Wav2Vec2Config): Wav2Vec2Config {
  // A fine-tuned or published model's masks are those of fine-tuning.
  const masks = { mask_time_prob: 0.65, mask_time_length: 10, mask_time_min_masks: 2, mask_feature_prob: 0 };
  const config = configWithKeys(base, { ...masks, ...recipe.model }, "The recipe's model");
  if (config.maskTimeProb > 0 || config.maskTimeMinMasks > 0) return config;
  throw new ConfigurationError(
    "model.mask_time_prob must be above 0 for pre-training, but is 0. The paper's is 0.65 with spans of 10 frames.",
  );
}

/** The model to start from: a directory's weights, or random ones as the paper draws them. */
async function makeModel(recipe: PreTrainingRecipe, init: string | undefined): Promise<PreTrainingModel> {
  const base = init ? await readConfig(init) : PRESETS[recipe.preset];
  const config = pretrainingConfig(recipe, base);
  if (init) requireSameShape(init, base, config);
  const model = init
    ? await loadModel(Wav2Vec2ForPreTraining, init, { config: () => config, newHead: "where missing" })
    : new Wav2Vec2ForPreTraining(config);
  if (recipe.freeze_feature_encoder) model.freezeFeatureEncoder();
  model.gradientCheckpointingEnable(recipe.gradient_checkpointing);
  return { model, normalize: recipe.data.normalize ?? (init ? await readNormalize(init) : true) };
}

interface Clips {
  train: Utterance[];
  held: Utterance[];
}

/** What can be trained on, with a note on what was left out and why. */
function usable({ data }: Recipe, all: readonly Utterance[], tracker: Tracker): Utterance[] {
  const { min_seconds: minSeconds, max_seconds: maxSeconds } = data;
  const { kept, tooShort } = filterByDuration(all, { minSeconds, maxSeconds: Number.POSITIVE_INFINITY });
  if (tooShort > 0) tracker.note(`${tooShort} clips shorter than ${minSeconds} s were left out.`);
  if (kept.length > 0) return divideLong(kept, maxSeconds);
  throw new UserError(
    `${data.train_split} must hold clips of at least ${minSeconds} s, but all ${all.length} are shorter. Lower ` +
      "data.min_seconds, or give longer clips.",
  );
}

/** Says what is trained on what, and what looks like too little. */
function describe(
  recipe: PreTrainingRecipe,
  model: Wav2Vec2ForPreTraining,
  { train, held }: Clips,
  tracker: Tracker,
): void {
  const { config } = model;
  const { max_seconds: maxSeconds, train_split: split } = recipe.data;
  tracker.note(
    `${(model.parameterCount() / 1e6).toFixed(2)} M parameters, ${train.length} clips (${hoursOf(train)} h) to learn from, ` +
      `${held.length} (${hoursOf(held)} h) to validate on.`,
  );
  const limits = { ...batchLimitsOf(recipe), seed: recipe.seed, epoch: 0 };
  const lengths = withinSeconds(train, maxSeconds);
  const batches = lengthBucketedBatches(lengths, limits);
  const heard = lengths.reduce((sum, { samples }) => sum + samples, 0) / SAMPLE_RATE;
  const update = (heard / batches.length) * recipe.gradient_accumulation;
  tracker.note(
    `An update hears ${formatDuration(update)} of audio; the paper's hear 1.6 h (BASE) and 2.7 h (LARGE), and smaller ` +
      "ones learn less from each. gradient_accumulation gives larger ones in the same memory.",
  );
  if (batches.length < recipe.gradient_accumulation) {
    tracker.note(
      `${split} should hold at least one update's batches (${recipe.gradient_accumulation}), but holds ${batches.length}: ` +
        "an update hears clips more than once. Lower gradient_accumulation.",
    );
  }
  const span = receptiveField(config, config.maskTimeLength);
  const short = train.filter(({ samples }) => samples <= span);
  if (short[0]) {
    tracker.note(
      `${short.length} clips are not longer than a mask of ${config.maskTimeLength} frames, for example ${short[0].id}: they ` +
        "are hidden as a whole and teach little. Raise data.min_seconds or lower model.mask_time_length.",
    );
  }
}

/** Clips as long as training hears them. */
export function withinSeconds(clips: readonly Utterance[], maxSeconds: number): { samples: number }[] {
  const most = Math.floor(maxSeconds * SAMPLE_RATE);
  return clips.map(({ samples }) => ({ samples: Math.min(samples, most) }));
}

async function pretrainingTask(
  recipe: PreTrainingRecipe,
  pretrained: PreTrainingModel,
  { train, held }: Clips,
  loading: BatchLoadOptions,
  tracker: Tracker,
): Promise<Task<PreTrainingTrainingBatch>> {
  const { seed, pretraining } = recipe;
  const { model, normalize } = pretrained;
  const { config } = model;
  const { max_seconds: maxSeconds } = recipe.data;
  const maxSamples = Math.floor(maxSeconds * SAMPLE_RATE);
  const collation = {
    task: "pretraining",
    ...masksOf(config),
    padding: pretraining.padding,
    maxSamples,
  } as const;
  const preparation: Preparation = {
    seed,
    normalize,
    augmentation: await findAugmentation(recipe.data),
    collation,
  };
  const fixed: Preparation = { seed: 0, normalize, collation: { ...collation, padding: "pad" } };
  const lengths = withinSeconds(train, maxSeconds);
  const shown = new Set(held.slice(0, SHOWN_CLIPS).map(({ id }) => id));
  return {
    module: model,
    data: fingerprint(train),
    batches: (from) =>
      preTrainingBatches(
        train,
        batchOrder(lengths, { ...batchLimitsOf(recipe), seed }, from),
        preparation,
        loading,
      ),
    anneal: (step) => model.setGumbelTemperature(gumbelTemperature(step, pretraining)),
    loss: (batch) => preTrainingLoss(model, batch),
    metrics: (sums) => ({
      ...preTrainingMetrics(sums, config),
      gumbel_temperature: model.quantizer.temperature,
    }),
    async evaluate(step) {
      const options = { ...loading, preparation: fixed, shown, batchSeconds: HELD_SECONDS };
      const { metrics, codebooks, clips } = await evaluatePreTraining(model, held, options);
      tracker.codebooks(codebooks, step);
      tracker.codedClips(clips, step);
      return { metrics, criterion: metrics.loss! };
    },
    save: (kind) => savePreTrainingModel(join(recipe.output, kind), pretrained),
  };
}

/** What of a configuration decides masks and distractors. */
export function masksOf(config: Wav2Vec2Config): Omit<PreTrainingCollation, "padding" | "maxSamples"> {
  const { convKernel, convStride, maskTimeProb, maskTimeLength, maskTimeMinMasks, numNegatives } = config;
  return { convKernel, convStride, maskTimeProb, maskTimeLength, maskTimeMinMasks, numNegatives };
}

/** max(tau_max * decay^step, tau_min) (paper, section 4.2). */
export function gumbelTemperature(
  step: number,
  pretraining: Pick<
    PreTrainingRecipe["pretraining"],
    "max_gumbel_temperature" | "min_gumbel_temperature" | "gumbel_temperature_decay"
  >,
): number {
  const { max_gumbel_temperature: highest, min_gumbel_temperature: lowest } = pretraining;
  return Math.max(highest * pretraining.gumbel_temperature_decay ** step, lowest);
}
