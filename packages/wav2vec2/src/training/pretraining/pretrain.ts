import { join } from "node:path";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import { batchOrder, lengthBucketedBatches, shareOfBatches } from "../../data/batches/batches.js";
import type { BatchLoadOptions } from "../../data/batches/load-batches.js";
import type { PreTrainingPreparation } from "../../data/batches/preparation.js";
import { divideLong } from "../../data/corpus/filter.js";
import type { Utterance } from "../../data/utterance.js";
import type { World } from "../../distributed/world.js";
import { receptiveField } from "../../model/lengths.js";
import { type PreTrainingModel, savePreTrainingModel } from "../../pretrained/pretraining-directory.js";
import type { CodedClip } from "../../tracking/coded-clip.js";
import { formatDuration } from "../../tracking/duration.js";
import type { Tracker } from "../../tracking/tracker.js";
import { batchPlanOf } from "../loop/batch-plan.js";
import { drawSkippedLayers } from "../loop/draws.js";
import { type Task, train } from "../loop/loop.js";
import type { PreTrainingRecipe, Recipe } from "../recipe/recipe.js";
import { requireTask } from "../recipe/recipe-rules.js";
import { findAugmentation } from "../run/augmentation-files.js";
import { findInit } from "../run/initial-model.js";
import { fingerprint, hoursOf, type RunOptions, withRun } from "../run/training-run.js";
import { watched } from "../watchdog/watched.js";
import { evaluatePreTraining } from "./evaluate-pretraining.js";
import { type PreTrainingTrainingBatch, preTrainingBatches } from "./pretraining-batches.js";
import { chanceLoss, isCollapsed, preTrainingLoss, preTrainingMetrics } from "./pretraining-metrics.js";
import { makePreTrainingModel, type PreTrainingSetup } from "./pretraining-model.js";
import { usableClips } from "./usable-clips.js";

/** Of validation, whatever the recipe: so that its curves can be compared between runs. */
export const HELD_SECONDS = 60;
const SHOWN_CLIPS = 4;

export interface PretrainResult {
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
}

/**
 * Learns representations of unlabelled speech (paper, sections 3.1 and 3.2) as the recipe says, into the run directory
 * `recipe.output`.
 *
 * @throws UserError on bad data, a model that does not fit, or an output directory that holds another run
 * @throws the signal's reason where it is aborted while a model is downloaded
 */
export async function pretrain(given: Recipe, options: RunOptions): Promise<PretrainResult> {
  requireTask(given, "pretrain");
  return await withRun(given, options, async (run) => {
    const { readSplits, loading, device, plan, begin, world, readings } = run;
    const { train: all, held } = await readSplits("none");
    const init = await findInit(given, options);
    const pretrained = await makePreTrainingModel(given, init, run.tracker);
    pretrained.model.to({ device });
    const clips = {
      train: usableClips(given, all, (text) => run.tracker.note(text)),
      held: divideLong(held, given.data.max_seconds),
    };
    const recipe = plan(given, withinSeconds(clips.train, given.data.max_seconds));
    const tracker = watched(run.tracker, recipe, pretrained.config);
    describe(recipe, pretrained, clips, { tracker, world });
    const parts = { ...loading, onBad: wholeRecordings([...clips.train, ...clips.held], loading.onBad) };
    const task = await pretrainingTask(recipe, pretrained, clips, { loading: parts, tracker, world });
    await begin(task.data, { module: pretrained.model, config: pretrained.config });
    const { steps, interrupted, evaluation } = await train(recipe, task, {
      ...options,
      tracker,
      world,
      readings,
    });
    return {
      model: interrupted ? undefined : join(recipe.output, "final"),
      steps,
      contrastiveLoss: evaluation?.contrastive_loss,
      chanceLoss: chanceLoss(pretrained.config),
      accuracy: evaluation?.accuracy,
      perplexity: evaluation?.codevector_perplexity,
      collapsed: evaluation !== undefined && isCollapsed(evaluation, pretrained.config),
      interrupted,
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
    `${(model.parameterCount() / 1e6).toFixed(2)} M parameters, ${train.length} clips (${hoursOf(train)} h) to learn from, ` +
      `${held.length} (${hoursOf(held)} h) to validate on.`,
  );
  const limits = { ...batchPlanOf(recipe), epoch: 0 };
  const lengths = withinSeconds(train, maxSeconds);
  const batches = lengthBucketedBatches(lengths, limits);
  const heard = batches.reduce((sum, batch) => sum + heardSeconds(batch, lengths, collation.padding), 0);
  const batchesAStep = recipe.gradient_accumulation * world.size;
  const update = (heard / batches.length) * batchesAStep;
  tracker.tell(
    `An update hears ${formatDuration(update)} of audio; the paper's hear 1.6 h (BASE) and 2.7 h (LARGE), and smaller ` +
      "ones learn less from each. gradient_accumulation gives larger ones in the same memory.",
  );
  if (batches.length < batchesAStep) {
    tracker.note(
      `${split} should hold at least one update's batches (${batchesAStep}), but holds ${batches.length}: ` +
        "an update hears clips more than once. Lower gradient_accumulation.",
    );
  }
  const { maskTimeLength } = collation;
  const span = receptiveField(collation, maskTimeLength);
  const short = train.filter(({ samples }) => samples <= span);
  if (short[0]) {
    tracker.note(
      `${short.length} clips are not longer than a mask of ${maskTimeLength} frames, for example ${short[0].id}: they ` +
        "are hidden as a whole and teach little. Raise data.min_seconds or lower model.mask_time_length.",
    );
  }
}

/** Clips as long as training hears them. */
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
  { loading, tracker, world }: { loading: BatchLoadOptions; tracker: Tracker; world: World },
): Promise<Task<PreTrainingTrainingBatch>> {
  const { seed, pretraining } = recipe;
  const { model, normalize, config } = pretrained;
  const collation = { task: "pretraining", ...pretrained.collation } as const;
  const preparation: PreTrainingPreparation = {
    seed,
    normalize,
    augmentation: await findAugmentation(recipe.data),
    collation,
  };
  const fixed: PreTrainingPreparation = { seed: 0, normalize, collation: { ...collation, padding: "pad" } };
  const lengths = withinSeconds(train, recipe.data.max_seconds);
  const { encoder } = model.wav2vec2;
  const shown = new Map(held.slice(0, SHOWN_CLIPS).map((clip) => [clip.id, clip]));
  return {
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
    loss: (batch) => preTrainingLoss(model, batch),
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
      return { metrics, criterion: isCollapsed(metrics, config) ? Number.POSITIVE_INFINITY : metrics.loss! };
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
