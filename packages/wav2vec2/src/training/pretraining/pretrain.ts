import { join } from "node:path";
import { requireArguments } from "../../argument-kinds.js";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import { counted } from "../../counted.js";
import { batchOrder, lengthBucketedBatches, shareOfBatches } from "../../data/batches/batches.js";
import type { BatchLoadOptions } from "../../data/batches/load-batches.js";
import type { PreTrainingPreparation } from "../../data/batches/preparation.js";
import type { Transforms } from "../../data/batches/transforms.js";
import { divideLong } from "../../data/corpus/filter.js";
import type { Utterance } from "../../data/utterance.js";
import type { World } from "../../distributed/world.js";
import { requireOptions } from "../../known-options.js";
import { Wav2Vec2ForPreTraining } from "../../model/heads/pretraining/pretraining.js";
import { receptiveField } from "../../model/lengths.js";
import { NEW_HEAD } from "../../pretrained/model-directory.js";
import { type PreTrainingModel, savePreTrainingModel } from "../../pretrained/pretraining-directory.js";
import type { CodedClip } from "../../tracking/coded-clip.js";
import { formatDuration } from "../../tracking/duration.js";
import type { Tracker } from "../../tracking/tracker.js";
import { batchPlanOf } from "../loop/batch-plan.js";
import { drawSkippedLayers } from "../loop/draws.js";
import { train } from "../loop/loop.js";
import type { PreTrainingRecipe, Recipe } from "../recipe/recipe.js";
import { RECIPE } from "../recipe/recipe-kind.js";
import { requireTask } from "../recipe/recipe-rules.js";
import { findAugmentation } from "../run/augmentation-files.js";
import { findInit, type OwnModel, requireSubclass } from "../run/initial-model.js";
import { fingerprint, hoursOf, RUN_OPTIONS, type RunOptions, withRun } from "../run/training-run.js";
import { changedTask } from "../task/changed-task.js";
import type { BatchLoss, Task } from "../task/task.js";
import { watched } from "../watchdog/watched.js";
import { evaluatePreTraining } from "./evaluate-pretraining.js";
import {
  forwardPreTraining,
  type PreTrainingTrainingBatch,
  preTrainingBatches,
  type ScoredBatch,
} from "./pretraining-batches.js";
import {
  chanceLoss,
  isCollapsed,
  preTrainingLoss,
  preTrainingMetrics,
  preTrainingSums,
} from "./pretraining-metrics.js";
import { makePreTrainingModel, type PreTrainingSetup } from "./pretraining-model.js";
import { usableClips } from "./usable-clips.js";

/** Of validation, whatever the recipe: so that its curves can be compared between runs. */
export const HELD_SECONDS = 60;
const SHOWN_CLIPS = 4;

export interface PretrainResult<Model extends Wav2Vec2ForPreTraining = Wav2Vec2ForPreTraining> {
  /** Directory of the model behind the last step, to fine-tune; undefined where the run was interrupted. */
  model: string | undefined;
  steps: number;
  /** Of the newest validation, in nats; undefined where there was none since the start. */
  contrastiveLoss: number | undefined;
  /** That of guessing, in nats. */
  chanceLoss: number;
  /** Share of masked frames that were found, of the newest validation. */
  accuracy: number | undefined;
  /** Summed over codebooks, of the newest validation. */
  perplexity: number | undefined;
  /** Whether the codebooks had collapsed then, so that loss and accuracy say nothing. */
  collapsed: boolean;
  interrupted: boolean;
  /** The network in memory, as it is behind the last step. */
  pretrained: PreTrainingModel & { model: Model };
}

/** What is trained by `pretrain`, to change: its members use each other by no `this`, so a spread copy works. */
export interface PreTrainingTask<Model extends Wav2Vec2ForPreTraining = Wav2Vec2ForPreTraining>
  extends Task<PreTrainingTrainingBatch> {
  pretrained: PreTrainingModel & { model: Model };
  /** The clips to train and to validate on, long ones in parts. */
  utterances: readonly Utterance[];
  held: readonly Utterance[];
  /** What the network makes of a batch, with its losses. */
  forward(batch: PreTrainingTrainingBatch): ScoredBatch;
  /** What the metrics need of that. */
  sums(scored: ScoredBatch, batch: PreTrainingTrainingBatch): NonNullable<BatchLoss["sums"]>;
}

/** What `pretrain` gets besides its recipe. */
export interface PretrainOptions<Model extends Wav2Vec2ForPreTraining = Wav2Vec2ForPreTraining>
  extends RunOptions {
  /** Changes what is trained and how: `(base) => ({ ...base, loss(batch) { … } })`. */
  task?: ((base: PreTrainingTask<Model>) => Task<PreTrainingTrainingBatch>) | undefined;
}

/**
 * Learns representations of unlabelled speech (paper, sections 3.1 and 3.2) as the recipe says, into the run directory
 * `recipe.output`.
 *
 * @throws UserError on bad data, a model that does not fit, or an output directory that holds another run
 * @throws HookError where a hook of the task fails, naming it and the step
 * @throws the signal's reason where it is aborted while a model is downloaded
 */
export async function pretrain<Model extends Wav2Vec2ForPreTraining>(
  given: Recipe,
  options: PretrainOptions<Model> & OwnModel<Model>,
): Promise<PretrainResult<Model>>;
export async function pretrain(given: Recipe, options?: PretrainOptions): Promise<PretrainResult>;
export async function pretrain(
  given: Recipe,
  options: PretrainOptions & Partial<OwnModel<Wav2Vec2ForPreTraining>> = {},
): Promise<PretrainResult> {
  requireArguments("pretrain", { recipe: [given, RECIPE] });
  requireTask(given, "pretrain");
  requireOptions("pretrain", options, { ...RUN_OPTIONS, task: true, model: true, newHead: NEW_HEAD });
  const { task: change, model: modelClass = Wav2Vec2ForPreTraining, newHead, ...runOptions } = options;
  requireSubclass(modelClass, Wav2Vec2ForPreTraining);
  return await withRun(given, runOptions, async (run) => {
    const { readSplits, loading, device, plan, begin, world, transforms } = run;
    const { train: all, held } = await readSplits("none");
    const init = await findInit(given, options);
    const pretrained = await makePreTrainingModel(given, init, { modelClass, newHead, tracker: run.tracker });
    pretrained.model.to({ device });
    const clips = {
      train: usableClips(given, all, (text) => run.tracker.note(text)),
      held: divideLong(held, given.data.max_seconds),
    };
    const settled = await run.settle(given, pretrained.config);
    const recipe = plan(settled, withinSeconds(clips.train, given.data.max_seconds));
    const tracker = watched(run.tracker, recipe, pretrained.config);
    describe(recipe, pretrained, clips, { tracker, world });
    const parts = { ...loading, onBad: wholeRecordings([...clips.train, ...clips.held], loading.onBad) };
    const base = await pretrainingTask(recipe, pretrained, clips, {
      loading: parts,
      tracker,
      world,
      transforms,
    });
    const { task, ownHooks } = changedTask(base, change);
    await begin(task.data, { module: task.module, config: pretrained.config });
    const { steps, interrupted, evaluation } = await train(recipe, task, { ...run, tracker, ownHooks });
    return {
      model: interrupted ? undefined : join(recipe.output, "final"),
      steps,
      contrastiveLoss: evaluation?.contrastive_loss,
      chanceLoss: chanceLoss(pretrained.config),
      accuracy: evaluation?.accuracy,
      perplexity: evaluation?.codevector_perplexity,
      collapsed: evaluation !== undefined && isCollapsed(evaluation, pretrained.config),
      interrupted,
      pretrained,
    };
  });
}

interface Clips {
  train: Utterance[];
  held: Utterance[];
}

/** Says what is trained on what, and what looks like too little. */
function describe(
  recipe: PreTrainingRecipe,
  { model, collation }: PreTrainingModel & PreTrainingSetup,
  { train, held }: Clips,
  { tracker, world }: { tracker: Tracker; world: World },
): void {
  const { max_seconds: maxSeconds, train_split: split } = recipe.data;
  tracker.tell(
    `${(model.parameterCount() / 1e6).toFixed(2)} M parameters, ${counted(train.length, "clip")} (${hoursOf(train)} h) to learn from, ` +
      `${held.length} (${hoursOf(held)} h) to validate on.`,
  );
  const limits = { ...batchPlanOf(recipe), epoch: 0 };
  const lengths = withinSeconds(train, maxSeconds);
  const batches = lengthBucketedBatches(lengths, limits);
  const heard = batches.reduce((sum, batch) => sum + heardSeconds(batch, lengths, collation.padding), 0);
  const batchesAStep = recipe.gradient_accumulation * world.size;
  const update = (heard / batches.length) * batchesAStep;
  tracker.tell(
    `An update takes ${formatDuration(update)} of audio; the paper's take 1.6 h (BASE) and 2.7 h (LARGE), and smaller ` +
      "ones learn less from each. gradient_accumulation gives larger ones in the same memory.",
  );
  if (batches.length < batchesAStep) {
    tracker.note(
      `${split} should hold at least one update's batches (${batchesAStep}), but holds ${batches.length}: ` +
        "an update takes clips more than once. Lower gradient_accumulation.",
    );
  }
  const { maskTimeLength } = collation;
  const span = receptiveField(collation, maskTimeLength);
  const short = train.filter(({ samples }) => samples <= span);
  if (short[0]) {
    tracker.note(
      `${counted(short.length, "clip")} ${short.length === 1 ? "is" : "are"} not longer than a mask of ${maskTimeLength} frames, for example ${short[0].id}: such ` +
        "are hidden as a whole and teach little. Raise data.min_seconds or lower model.mask_time_length.",
    );
  }
}

/** Clips as long as training takes them. */
export function withinSeconds(clips: readonly Utterance[], maxSeconds: number): { samples: number }[] {
  const most = Math.floor(maxSeconds * SAMPLE_RATE);
  return clips.map(({ samples }) => ({ samples: Math.min(samples, most) }));
}

/** Seconds of a batch's clips that are left in it. */
function heardSeconds(
  batch: readonly number[],
  lengths: readonly { samples: number }[],
  padding: "pad" | "crop",
): number {
  const samples = batch.map((index) => lengths[index]!.samples);
  const shortest = samples.reduce((least, length) => Math.min(least, length));
  const heard =
    padding === "crop" ? shortest * samples.length : samples.reduce((sum, length) => sum + length, 0);
  return heard / SAMPLE_RATE;
}

/** Tells of a bad part of a recording under the recording's id, which exclude lists know. */
function wholeRecordings(
  parts: readonly Utterance[],
  onBad: BatchLoadOptions["onBad"],
): BatchLoadOptions["onBad"] {
  const whole = new Map(parts.map(({ id, partOf }) => [id, partOf ?? id]));
  return (clip) => onBad?.({ ...clip, id: whole.get(clip.id) ?? clip.id });
}

async function pretrainingTask(
  recipe: PreTrainingRecipe,
  pretrained: PreTrainingModel & PreTrainingSetup,
  { train, held }: Clips,
  {
    loading,
    tracker,
    world,
    transforms,
  }: {
    loading: BatchLoadOptions;
    tracker: Tracker;
    world: World;
    transforms: Transforms | undefined;
  },
): Promise<PreTrainingTask> {
  const { seed, pretraining } = recipe;
  const { model, normalize, config } = pretrained;
  const collation = { task: "pretraining", ...pretrained.collation } as const;
  const preparation: PreTrainingPreparation = {
    seed,
    normalize,
    augmentation: await findAugmentation(recipe.data),
    transforms,
    collation,
  };
  const fixed: PreTrainingPreparation = {
    seed: 0,
    normalize,
    transforms,
    training: false,
    collation: { ...collation, padding: "pad" },
  };
  const lengths = withinSeconds(train, recipe.data.max_seconds);
  const { encoder } = model.wav2vec2;
  const shown = new Map(held.slice(0, SHOWN_CLIPS).map((clip) => [clip.id, clip]));
  const forward = (batch: PreTrainingTrainingBatch) => forwardPreTraining(model, batch);
  return {
    pretrained,
    utterances: train,
    held,
    forward,
    sums: preTrainingSums,
    module: model,
    data: fingerprint(train),
    batches: (from) => {
      const plan = shareOfBatches(batchOrder(lengths, batchPlanOf(recipe), from), world);
      return preTrainingBatches(train, plan, preparation, loading);
    },
    anneal(step) {
      model.setGumbelTemperature(gumbelTemperature(step, pretraining));
      encoder.skippedLayers = drawSkippedLayers(config, seed, step);
    },
    idle: () => encoder.skippedParameters(),
    loss: (batch) => preTrainingLoss(forward(batch), batch),
    metrics: (sums) => ({
      ...preTrainingMetrics(sums, config),
      gumbel_temperature: model.quantizer.temperature,
    }),
    async evaluate(step, signal) {
      const options = {
        ...loading,
        preparation: fixed,
        shown: new Set(shown.keys()),
        batchSeconds: HELD_SECONDS,
        signal,
        world,
      };
      const { metrics, codebooks, clips } = await evaluatePreTraining(model, held, options);
      tracker.codebooks(codebooks, step);
      tracker.codedClips(
        clips.map((clip) => withAudio(clip, shown.get(clip.id)!)),
        step,
      );
      const { loss = Number.NaN } = metrics;
      const isBad = isCollapsed(metrics, config) || Number.isNaN(loss);
      return { metrics, criterion: isBad ? Number.POSITIVE_INFINITY : loss };
    },
    save: (kind) => savePreTrainingModel(join(recipe.output, kind), pretrained),
  };
}

/** Tells where a clip's audio is, so that people can listen to it. */
function withAudio(clip: CodedClip, { path, start, end }: Utterance): CodedClip {
  return { ...clip, path, start, end };
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
