import { setImmediate as turn } from "node:timers/promises";
import {
  deviceMemory,
  manualSeed,
  noGrad,
  type Profile,
  scope,
  setThreads,
  startProfile,
  supportsAutocast,
  synchronize,
  type Tensor,
} from "@wav2vec2/libtorch";
import { SAMPLE_RATE } from "../audio/audio-file.js";
import { type BatchLimits, lengthBucketedBatches } from "../data/batches/batches.js";
import { collateCtc } from "../data/batches/ctc-collator.js";
import { collatePreTraining, type PreTrainingBatch } from "../data/batches/pretraining-collator.js";
import { filterByDuration } from "../data/corpus/filter.js";
import { readSplit } from "../data/corpus/read-split.js";
import { Random } from "../data/random.js";
import type { Utterance } from "../data/utterance.js";
import { resolveDevice } from "../device.js";
import { ConfigurationError, UserError } from "../errors.js";
import { resolveModel } from "../files/hub/hub.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { configWithKeys, readConfig } from "../model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../model/heads/pretraining/pretraining.js";
import { minimumSamples } from "../model/lengths.js";
import { PRESETS } from "../model/presets.js";
import { choosePrecision } from "../precision/choose-precision.js";
import { computeIn } from "../precision/compute-in.js";
import { PRECISIONS, type Precision } from "../precision/precision-names.js";
import { HOPELESS, speedOf } from "../precision/speed-of.js";
import { forwardBatch } from "../recognition/emissions/ctc-batches.js";
import { median } from "../tracking/report/median.js";
import { ctcLoss } from "./finetuning/ctc-loss.js";
import { batchLimitsOf, batchPlanOf, planSteps } from "./loop/batch-plan.js";
import { Gradients } from "./loop/gradients.js";
import { makeOptimizer } from "./loop/optimizer.js";
import { HELD_SECONDS, withinSeconds } from "./pretraining/pretrain.js";
import { forwardPreTraining } from "./pretraining/pretraining-batches.js";
import { preTrainingLoss } from "./pretraining/pretraining-metrics.js";
import { pretrainingSetup } from "./pretraining/pretraining-model.js";
import { usableClips } from "./pretraining/usable-clips.js";
import type { Recipe } from "./recipe/recipe.js";
import { requireTask } from "./recipe/recipe-rules.js";
import { prepareNetwork } from "./run/initial-model.js";
import { drawShare } from "./run/training-run.js";
import type { BatchLoss } from "./task/task.js";

/** LibriSpeech's mean: 960.9 hours in 281,241 clips. */
const MEAN_SECONDS = 12.3;
/** Characters a second of LibriSpeech's transcripts, about. */
const LABELS_PER_SECOND = 14;
const MEGABYTE = 1e6;
/** A precision that takes as many times the recipe's is not measured further. */
const SLOWER = 1.5;

export interface BenchResult {
  parameters: number;
  /** Of the weights on disk. */
  modelMb: number;
  /** Of a checkpoint to resume from: weights and the moments of what is trained. */
  checkpointMb: number;
  /** The recipe's, or what `auto` is. Everything but `precisions` is measured in it. */
  precision: Precision;
  /**
   * Each number format that the device computes in, and seconds of one step in it; undefined where a probe says that it takes
   * more than four times as long as float32.
   */
  precisions: { precision: Precision; stepSeconds: number | undefined }[];
  /** Seconds of audio in a batch, padding included. */
  batchAudioSeconds: number;
  batchesAStep: number;
  /** Of each measured batch, forward and backward. */
  batchSeconds: number[];
  /** Of one step: all its batches and the optimiser. */
  stepSeconds: number;
  audioSecondsPerSecond: number;
  /** Highest of the process, in the measured batches and as many of validation. */
  memoryMb: number;
  /** Of the whole recipe, also where it counts epochs. */
  recipeSteps: number;
  /** Of the whole recipe, without validation, checkpoints and waiting for audio. */
  recipeSeconds: number;
  /** Audio that the recipe trains on. */
  recipeAudioHours: number;
  /** Of each clip, where they are made up; undefined where a corpus gives their lengths. */
  madeUpClipSeconds: number | undefined;
  /** How often it goes through the training split, where there is one. */
  epochs: number | undefined;
  /** Of one more step, where it was asked for. */
  profile: Profile | undefined;
}

export interface BenchOptions {
  /** Take the lengths of the recipe's training split. Otherwise all clips are as long as LibriSpeech's mean. */
  corpus: boolean;
  /** Batches to measure, behind one to warm up. */
  batches: number;
  /** Record which operators take memory and time in a step of one batch. Default: false */
  profile?: boolean | undefined;
  signal: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/**
 * What a step of a recipe costs on this machine, measured on noise in batches as large as the recipe's. Nothing is
 * written.
 *
 * @throws UserError for a corpus that cannot be read
 * @throws the signal's reason where it is aborted
 */
export async function bench(
  recipe: Recipe,
  { corpus, batches, profile, signal, onProgress }: BenchOptions,
): Promise<BenchResult> {
  if (recipe.task !== "pretrain" && recipe.task !== "finetune")
    throw new ConfigurationError(
      `task must be pretrain or finetune for bench, but is '${recipe.task}'. Measure a recipe of task finetune with the same network: heads cost little.`,
    );
  const device = resolveDevice(recipe.device);
  if (recipe.threads) setThreads(recipe.threads);
  manualSeed(recipe.seed);
  const clips = corpus ? await lengthsOf(recipe, signal) : undefined;
  const seconds = Math.min(MEAN_SECONDS, recipe.data.max_seconds);
  const lengths = clips ?? Array<Length>(1000).fill({ samples: Math.round(seconds * SAMPLE_RATE) });
  if (recipe.max_steps === undefined && !clips) {
    throw new ConfigurationError(
      "max_epochs counts how often a corpus is gone through, but none is given to measure with. Give --data DIR or --max-steps N.",
    );
  }
  const { max_steps: recipeSteps } = planSteps(recipe, lengths);
  const plan = lengthBucketedBatches(lengths, { ...batchPlanOf(recipe), epoch: 0 });
  const { module, prepare, heldLimits } = await makeNetwork(recipe);
  module.to({ device });
  module.train();
  const { config: network } = module;
  const { precision } = await choosePrecision(recipe.precision, { network, device, use: "training" });
  const optimizer = makeOptimizer(module, recipe);
  const random = new Random(recipe.seed, "bench");

  const noiseOf = (indices: readonly number[]) =>
    indices.map((index) =>
      Float32Array.from({ length: lengths[index]!.samples }, () => random.uniform() - 0.5),
    );
  let [audio, padded] = [0, 0]; // samples of the batches in the recipe's precision
  /** Seconds of each batch behind one to warm up, until one takes longer than it is of interest. */
  const batchesIn = async (format: Precision, gradients: Gradients, longest = Number.POSITIVE_INFINITY) => {
    const times: number[] = [];
    for (let done = 0; done <= batches && !times.some((time) => time > longest); done++) {
      if (format === precision) onProgress?.(done, batches + 1);
      await turn();
      signal.throwIfAborted();
      const batch = prepare(noiseOf(plan[done % plan.length]!), () => random.uniform());
      const began = performance.now();
      scope(() => {
        const { loss, count } = computeIn(format, module.device, batch.loss);
        gradients.add(loss, count, []);
      });
      synchronize(device);
      if (done === 0) continue; // memory is taken and kernels are chosen in the first one
      times.push((performance.now() - began) / 1000);
      if (format !== precision) continue;
      audio += batch.lengths.reduce((sum, length) => sum + length, 0);
      padded += batch.lengths.length * batch.paddedLength;
    }
    return times;
  };
  const gradients = new Gradients(optimizer.parameters, { ...recipe, precision });
  /** A step of one batch, with the moments of those before. */
  const profiled = async () => {
    optimizer.zeroGrad();
    const batch = prepare(noiseOf(plan[0]!), () => random.uniform());
    const stop = startProfile(module);
    scope(() => {
      const { loss, count } = computeIn(precision, module.device, batch.loss);
      gradients.add(loss, count, []);
    });
    await gradients.finish(1);
    optimizer.step();
    optimizer.zeroGrad();
    return stop();
  };
  const batchTimes = await batchesIn(precision, gradients);
  await gradients.finish(1);
  optimizer.step(); // makes the moments
  synchronize(device);
  const began = performance.now();
  optimizer.step();
  synchronize(device);
  const optimizerSeconds = (performance.now() - began) / 1000;
  const stepProfile = profile ? await profiled() : undefined;
  // Validation's batches may be larger than the recipe's. What the process holds grows over the first few, as each has
  // another shape.
  const held = lengthBucketedBatches(lengths, { ...heldLimits, seed: 0, epoch: 0 });
  module.eval();
  for (const indices of held.slice(0, batches)) {
    await turn();
    signal.throwIfAborted();
    const batch = prepare(noiseOf(indices), () => random.uniform(), "validation");
    noGrad(() => scope(() => batch.loss()));
  }

  const memory = deviceMemory(device)?.peak ?? process.resourceUsage().maxRSS * 1024;
  const batchesAStep = recipe.gradient_accumulation;
  const stepOf = (times: readonly number[]) => median(times) * batchesAStep + optimizerSeconds;
  const stepSeconds = stepOf(batchTimes);
  const precisions: BenchResult["precisions"] = [];
  module.train();
  for (const format of PRECISIONS) {
    if (format === precision) precisions.push({ precision, stepSeconds });
    else if (format !== "float32" && !supportsAutocast(format, device)) continue;
    else if (format !== "float32" && speedOf(format, network, device, "training") < HOPELESS)
      precisions.push({ precision: format, stepSeconds: undefined });
    else {
      optimizer.zeroGrad();
      const others = new Gradients(optimizer.parameters, { ...recipe, precision: format });
      const times = await batchesIn(format, others, SLOWER * median(batchTimes));
      precisions.push({ precision: format, stepSeconds: stepOf(times) });
    }
  }
  const audioSeconds = audio / SAMPLE_RATE / batches;
  const limit = (recipe.max_minutes ?? Number.POSITIVE_INFINITY) * 60;
  const recipeSeconds = Math.min(stepSeconds * recipeSteps, limit);
  const recipeAudioHours = ((recipeSeconds / stepSeconds) * audioSeconds * batchesAStep) / 3600;
  const hours = clips && clips.reduce((sum, { samples }) => sum + samples, 0) / SAMPLE_RATE / 3600;
  const elements = (tensors: Tensor[]) => tensors.reduce((sum, { numel }) => sum + numel, 0);
  const modelMb = (4 * elements(module.parameters())) / MEGABYTE;
  return {
    parameters: elements(module.parameters()),
    modelMb,
    checkpointMb: modelMb + (4 * optimizer.momentNames.length * elements(optimizer.parameters)) / MEGABYTE,
    precision,
    precisions,
    batchAudioSeconds: padded / SAMPLE_RATE / batches,
    batchesAStep,
    batchSeconds: batchTimes,
    stepSeconds,
    audioSecondsPerSecond: (audioSeconds * batchesAStep) / stepSeconds,
    memoryMb: memory / MEGABYTE,
    recipeSteps,
    recipeSeconds,
    recipeAudioHours,
    madeUpClipSeconds: clips ? undefined : seconds,
    epochs: hours && recipeAudioHours / hours,
    profile: stepProfile,
  };
}

interface Length {
  samples: number;
}

/** Of the clips that the recipe trains on, as long as training takes them. */
async function lengthsOf(recipe: Recipe, signal: AbortSignal): Promise<Length[]> {
  const { root, train_split, min_seconds, max_seconds, exclude } = recipe.data;
  const { utterances } = await readSplit<Utterance>(root, train_split, {
    transcripts: recipe.task === "pretrain" ? "none" : "required",
    onProblem: "skip",
    exclude,
    signal,
  });
  const drawn = drawShare(utterances, recipe);
  if (recipe.task === "pretrain") return withinSeconds(usableClips(recipe, drawn), max_seconds);
  const { kept } = filterByDuration(drawn, { minSeconds: min_seconds, maxSeconds: max_seconds });
  if (kept.length > 0) return kept;
  throw new UserError(
    `${train_split} must hold clips of ${min_seconds} to ${max_seconds} s, but none of the ${drawn.length} is. Change ` +
      "data.min_seconds or data.max_seconds, or give other clips.",
  );
}

interface Network {
  module: Wav2Vec2ForPreTraining | Wav2Vec2ForCTC;
  /** Prepares a batch of clips to train or to validate on. */
  prepare(clips: Float32Array[], uniform: () => number, use?: "training" | "validation"): NoiseBatch;
  /** Of validation's batches. */
  heldLimits: BatchLimits;
}

interface NoiseBatch extends Pick<PreTrainingBatch, "lengths" | "paddedLength"> {
  loss(): BatchLoss;
}

/** The recipe's network with random weights. */
async function makeNetwork(recipe: Recipe): Promise<Network> {
  const directory = recipe.init === undefined ? undefined : await resolveModel(recipe.init);
  const base = directory === undefined ? PRESETS[recipe.preset] : await readConfig(directory);
  const items = (clips: Float32Array[]) => clips.map((samples, index) => ({ id: String(index), samples }));
  if (recipe.task === "pretrain") {
    requireTask(recipe, "pretrain");
    const { config, collation } = pretrainingSetup(recipe, base);
    const module = new Wav2Vec2ForPreTraining(config);
    prepareNetwork(module, recipe);
    return {
      module,
      heldLimits: { batchSeconds: HELD_SECONDS },
      prepare(clips, uniform, use) {
        const padding = use === "validation" ? "pad" : collation.padding;
        const batch = collatePreTraining(items(clips), { ...collation, padding }, uniform);
        return { ...batch, loss: () => preTrainingLoss(forwardPreTraining(module, batch), batch) };
      },
    };
  }
  const config = configWithKeys(base, { ...recipe.model, ctc_zero_infinity: true }, "The recipe's model");
  const module = new Wav2Vec2ForCTC(config);
  prepareNetwork(module, recipe);
  return {
    module,
    heldLimits: batchLimitsOf(recipe),
    prepare(clips, uniform) {
      const labelled = items(clips).map((item) => ({
        ...item,
        labels: randomLabels(item.samples, config, uniform),
      }));
      const batch = collateCtc(labelled, { minimumSamples: minimumSamples(config) });
      return { ...batch, loss: () => ctcLoss(module, forwardBatch(module, batch), batch) };
    },
  };
}

/** As many as people say, of any token but the blank. */
function randomLabels(samples: Float32Array, config: Wav2Vec2Config, uniform: () => number): Int32Array {
  const length = Math.floor((samples.length / SAMPLE_RATE) * LABELS_PER_SECOND);
  const tokens = Array.from({ length: config.vocabSize! }, (_, token) => token);
  const labels = tokens.filter((token) => token !== config.padTokenId);
  return Int32Array.from({ length }, () => labels[Math.floor(uniform() * labels.length)]!);
}
