import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Device, manualSeed, setThreads } from "@wav2vec2/libtorch";
import { BOOLEAN, FUNCTION, isObject, OBJECT, requireArguments } from "../../argument-kinds.js";
import { counted } from "../../counted.js";
import { lengthBucketedBatches } from "../../data/batches/batches.js";
import { type BatchLoadOptions, batchWorkers } from "../../data/batches/load-batches.js";
import { loadTransforms } from "../../data/batches/load-transforms.js";
import type { Transforms } from "../../data/batches/transforms.js";
import type { Corpus } from "../../data/corpus/corpus.js";
import { readSplit } from "../../data/corpus/read-split.js";
import { Random } from "../../data/random.js";
import type { TranscribedUtterance, Utterance } from "../../data/utterance.js";
import { flattened } from "../../differences.js";
import { requireAgreement } from "../../distributed/agreement.js";
import { ALONE, type World } from "../../distributed/world.js";
import { UserError } from "../../errors.js";
import type { DownloadProgress } from "../../files/hub/hub.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import { requirePrecision } from "../../precision/compute-in.js";
import type { MeasureSpeed } from "../../precision/known-speeds.js";
import type { Precision } from "../../precision/precision-names.js";
import type { NetworkWidth } from "../../precision/speed-of.js";
import { SINK } from "../../tracking/sink-kind.js";
import type { SystemReading } from "../../tracking/system/system-reading.js";
import type { SystemSampler } from "../../tracking/system/system-sampler.js";
import { combineTrackers, QUIET, type Sink, type Tracker } from "../../tracking/tracker.js";
import { version } from "../../version.js";
import { batchPlanOf, type PlannedRecipe, planSteps } from "../loop/batch-plan.js";
import { warmupSteps } from "../loop/schedule.js";
import type { Recipe } from "../recipe/recipe.js";
import { RECIPE } from "../recipe/recipe-kind.js";
import { describeRun, type TrainedModel } from "./describe-run.js";
import { LeftOut } from "./left-out.js";
import { deviceOf, meet, ownPlace } from "./meet.js";
import { takeRunDirectory } from "./run-directory.js";
import { settlePrecision } from "./settle-precision.js";
import { sampleSystem, withMachineFindings } from "./system-sampling.js";

/** What training gets besides its recipe. */
export interface RunOptions {
  /** Whether to go on from the newest checkpoint of the run directory, where there is one. Default: false */
  resume?: boolean | undefined;
  /** Aborted, it interrupts the run behind the step that is being made, with a checkpoint. Default: nothing interrupts */
  signal?: AbortSignal | undefined;
  /** Where the run reports to, closed at its end; what it leaves out is not reported. Default: nowhere */
  tracker?: Sink | undefined;
  /** The processes that train together. Default: those of the launcher that started this one; else this one alone */
  world?: World | undefined;
  /**
   * Whether to look at processors, memory, disk, network and GPUs while training goes on (every `system_seconds`), for the
   * tracker and for findings about them. Default: true
   */
  system?: boolean | undefined;
  /**
   * Says how many times as fast as float32 bfloat16 is for a network, which decides what `precision: auto` is. Default: it is measured,
   * once a machine
   */
  measureSpeed?: MeasureSpeed | undefined;
  /** How far the reading of a split is. */
  onReading?: (done: number, total: number | undefined) => void;
  /** How far the download of a Hub model to start from is. */
  onDownload?: (progress: DownloadProgress) => void;
}

/** What every kind of training works with. */
export interface TrainingRun {
  /** The clips to train and to validate on, with notes on what was left out. */
  readSplits(transcripts: "required"): Promise<Splits<TranscribedUtterance>>;
  readSplits(transcripts: "none", columns?: readonly string[]): Promise<Splits<Utterance>>;
  /** What was read to train on, once it was. */
  trainClips: () => readonly Utterance[] | undefined;
  loading: BatchLoadOptions;
  /** Where the model computes. */
  device: Device;
  resume: boolean;
  signal: AbortSignal;
  /** The module of one's own that the recipe names. */
  transforms: Transforms | undefined;
  /**
   * The recipe with the precision that it is trained in, the same in all processes: what `auto` is for a network, or was when the
   * run began. Called once, by all processes; without it, and where the network is not known, `auto` is float32.
   */
  settle<R extends Recipe>(recipe: R, network: NetworkWidth | undefined): Promise<R>;
  /** The recipe with its number of steps, given the clips as long as training takes them. */
  plan<R extends Recipe>(recipe: R, lengths: readonly { samples: number }[]): R & PlannedRecipe;
  /**
   * Writes the recipe into the run directory, once all that it needs has been found, in rank 0, and tells the tracker what is
   * trained; makes sure that all processes are about to do the same.
   *
   * @param data tells the clips to train on from others
   * @throws ConfigurationError naming what differs between processes
   * @throws UserError where the tracker takes nothing
   */
  begin(data: string, model: TrainedModel): Promise<void>;
  world: World;
  /** How this process and its machine were since it was called last. */
  readings: () => SystemReading[];
  /** That of the options in rank 0; the others' say nothing. */
  tracker: Tracker;
}

export interface Splits<T extends Utterance> {
  train: T[];
  held: T[];
}

/** Names of {@link RunOptions}, to refuse others. */
export const RUN_OPTIONS = {
  resume: BOOLEAN,
  signal: true,
  tracker: SINK,
  world: {
    must: "a world of processes",
    holds: (value) => isObject(value) && typeof value.sum === "function",
  },
  system: BOOLEAN,
  measureSpeed: FUNCTION,
  onReading: true,
  onDownload: true,
} satisfies KnownOptions<RunOptions>;

/**
 * Takes the run directory, sets seed and threads, and gives both that and the worker threads back behind `body`; then the
 * tracker is closed, also where `body` failed.
 *
 * @throws ConfigurationError where this machine has not the recipe's device or number format
 * @throws UserError where the output directory holds another run or another process writes it
 */
export async function withRun<T extends { interrupted: boolean }>(
  recipe: Recipe,
  options: RunOptions,
  body: (run: TrainingRun) => Promise<T>,
): Promise<T> {
  requireArguments("withRun", {
    recipe: [recipe, RECIPE],
    options: [options, OBJECT],
    body: [body, FUNCTION],
  });
  const { resume = false, signal = new AbortController().signal } = options;
  requireTrackerMethods(options.tracker);
  const notes: string[] = []; // whether this process speaks is known behind them
  const place = options.world ? undefined : ownPlace((text) => notes.push(text));
  const device = deviceOf(recipe, place);
  requirePrecision(recipe.precision, device);
  await using meeting = place && (await meet(place, recipe, device));
  const world = options.world ?? meeting?.world ?? ALONE;
  const tracker =
    world.rank === 0 ? withMachineFindings(combineTrackers([options.tracker ?? {}]), recipe) : QUIET;
  for (const note of notes) tracker.note(note);
  if (world.size > 1) tracker.tell(`${world.size} processes train together.`);
  await using directory =
    world.rank === 0 ? await takeRunDirectory(recipe, resume, tracker, signal) : undefined;
  if (recipe.threads) setThreads(recipe.threads);
  manualSeed(recipe.seed);
  const leftOut = new LeftOut(join(recipe.output, leftOutName(world)), tracker);
  const { root, on_bad_data: onProblem, exclude, train_split, eval_split } = recipe.data;
  const { transforms: file } = recipe.data;
  const transforms = file === undefined ? undefined : await loadTransforms(file);
  const workers = recipe.data.workers > 0 ? batchWorkers(recipe.data.workers) : undefined;

  let trained: readonly Utterance[] | undefined;
  const trainClips = () => trained;
  const read = async <T extends Utterance>(
    split: string,
    transcripts: "required" | "none",
    columns: readonly string[] | undefined,
  ) => {
    const { onReading: onProgress } = options;
    const reading = { onProblem, exclude, signal, onProgress, transcripts, columns };
    const { utterances, problems, excluded, unknownExclusions } = await readSplit<T>(root, split, reading);
    leftOut.addAll(problems, split);
    if (exclude)
      tracker.tell(
        `${counted(excluded, "clip")} of ${split} ${excluded === 1 ? "is" : "are"} left out as ${exclude} says.`,
      );
    return { utterances, unknownExclusions };
  };
  const readSplits = async <T extends Utterance>(
    transcripts: "required" | "none",
    columns?: readonly string[],
  ): Promise<Splits<T>> => {
    const train = await read<T>(train_split, transcripts, columns);
    const held = await read<T>(eval_split, transcripts, columns);
    const splits = { train: drawShare(train.utterances, recipe), held: held.utterances };
    if (exclude) noteUnknown(exclude, [train.unknownExclusions, held.unknownExclusions], tracker);
    noteOverlap(splits, tracker);
    trained = splits.train;
    return splits;
  };
  let settled: Precision | undefined;
  const settle = async <R extends Recipe>(given: R, network: NetworkWidth | undefined) => {
    const { precision: before } = directory ?? {};
    const { measureSpeed: measure } = options;
    settled = await settlePrecision(given, { world, device, tracker, network, before, measure });
    return { ...given, precision: settled };
  };
  const plan = <R extends Recipe>(given: R, lengths: readonly { samples: number }[]) => {
    const planned = planSteps(given, lengths, world.size);
    if (given.max_epochs !== undefined)
      tracker.tell(`As max_epochs is ${given.max_epochs}, max_steps is ${planned.max_steps}.`);
    tracker.planned(planned.max_steps);
    noteSteps(planned, tracker);
    if (lengths.length > 0) requireBatchForEach(planned, lengths, world);
    return planned as R & PlannedRecipe;
  };
  const loading: BatchLoadOptions = {
    workers,
    onBadAudio: onProblem,
    onBad: (clip) => leftOut.add(clip),
    onNote: (text) => tracker.note(text),
  };
  let sampler: SystemSampler | undefined;
  let failed = false;
  const readings = () => sampler?.take() ?? [];
  try {
    const begin = async (data: string, model: TrainedModel) => {
      const begun = settled ? { ...recipe, precision: settled } : await settle(recipe, undefined);
      await requireAgreement(world, {
        "The version of wav2vec2": version(),
        ...prefixed(flattened(withoutPlace(begun))),
        "The list of clips to train on": data,
        "The module of transforms": transforms?.sha256,
      });
      await directory?.begin(begun);
      if (directory)
        await tracker.begin(
          await describeRun(begun, { ...model, device, processes: world.size, resume, transforms, tracker }),
        );
      if (options.system !== false) sampler = sampleSystem(recipe, { world, place, device, tracker });
    };
    const common = { readSplits, trainClips, loading, device, settle, plan, begin, world, readings, tracker };
    const result = await body({ ...common, resume, signal, transforms });
    tracker.end({ state: result.interrupted ? "interrupted" : "finished" });
    return result;
  } catch (error) {
    failed = true;
    const interrupted = signal.aborted && error === signal.reason;
    tracker.end(
      interrupted ? { state: "interrupted" } : { state: "failed", reason: (error as Error).message },
    );
    throw error;
  } finally {
    await sampler?.[Symbol.asyncDispose]();
    await workers?.close();
    // What ended the run is what is told. A script that does not catch it ends at once, with what was pending.
    await (failed ? tracker.close().catch(() => {}) : tracker.close());
  }
}

/** @throws ConfigurationError for a method that a tracker has not, which nobody would call */
function requireTrackerMethods(tracker: Sink = {}): void {
  const methods = Object.entries(tracker).filter(([, value]) => typeof value === "function");
  const known = Object.keys(QUIET).map((name) => [name, true] as const);
  requireOptions("a tracker", Object.fromEntries(methods), Object.fromEntries(known));
}

/** What may differ between processes. */
function withoutPlace({ output: _, threads: __, ...recipe }: Recipe): Record<string, unknown> {
  const { workers: ___, feature_cache: ____, ...data } = recipe.data;
  return { ...recipe, data };
}

function prefixed(keys: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [`The recipe's ${key}`, value]));
}

/** Each process lists the clips that it could not read. */
function leftOutName({ rank }: World): string {
  return rank === 0 ? "left-out.txt" : `left-out-rank-${rank}.txt`;
}

/** @throws UserError where there are fewer batches than processes */
function requireBatchForEach(
  recipe: PlannedRecipe,
  lengths: readonly { samples: number }[],
  { size }: World,
): void {
  if (size === 1) return;
  const { length } = lengthBucketedBatches(lengths, { ...batchPlanOf(recipe), epoch: 0 });
  if (length >= size) return;
  throw new UserError(
    `${recipe.data.train_split} must hold a batch for each of the ${size} processes, but holds ${length} (${lengths.length} clips). Use ` +
      "fewer processes, or smaller batches (data.batch_seconds, data.batch_size).",
  );
}

/** Says what the number of steps leaves no time for. */
function noteSteps(recipe: PlannedRecipe, tracker: Tracker): void {
  const { max_steps: steps, schedule, freeze_backbone_steps: headOnly = 0 } = recipe;
  const warmup = warmupSteps(schedule, steps);
  if (steps <= warmup) {
    tracker.note(
      `schedule.warmup_steps should be less than max_steps (${steps}), but is ${warmup}: the ` +
        "learning rate only rises and never reaches its highest value. A tenth of max_steps is usual.",
    );
  }
  if (steps <= headOnly) {
    tracker.note(
      `freeze_backbone_steps should be less than max_steps (${steps}), but is ${headOnly}: only the output layer is trained.`,
    );
  }
}

/** Of the clips and their lengths, which decide the batches. */
export function fingerprint(utterances: readonly Utterance[]): string {
  const hash = createHash("sha256");
  for (const { id, samples } of utterances) hash.update(`${id}\n${samples}\n`);
  return hash.digest("hex");
}

/** A part of the clips, in their order; the seed decides which. */
export function drawShare<T extends Utterance>(
  utterances: readonly T[],
  { seed, data: { train_share: share } }: Pick<Recipe, "seed" | "data">,
): T[] {
  const count = Math.max(1, Math.round(share * utterances.length));
  if (count === utterances.length) return [...utterances];
  const drawn = new Random(seed, "share").shuffle(utterances.map((_, index) => index)).slice(0, count);
  return drawn.sort((a, b) => a - b).map((index) => utterances[index]!);
}

/** Lines of the list of clips to leave out that fit none in either split: mistyped, or of a split that is not read. */
function noteUnknown(
  list: string,
  [ofTrain, ofHeld]: readonly [Corpus["unknownExclusions"], Corpus["unknownExclusions"]],
  tracker: Tracker,
): void {
  const unknown = new Set(ofHeld.map(({ line }) => line));
  const lines = ofTrain.filter(({ line }) => unknown.has(line));
  const [first] = lines;
  if (!first) return;
  const count = lines.length === 1 ? "1 line fits" : `${lines.length} lines fit`;
  tracker.note(`${list}: ${count} no clip of the splits, such as line ${first.line}: ${first.id}.`);
}

/** Clips to validate on that are trained on too. */
function noteOverlap({ train, held }: Splits<Utterance>, tracker: Tracker): void {
  const place = ({ path, start = 0 }: Utterance) => `${start} ${path}`;
  const trained = new Set(train.map(place));
  const both = held.filter((utterance) => trained.has(place(utterance))).length;
  if (both === 0) return;
  tracker.note(
    `${both} of ${held.length} clips to validate on are in the training split too: results will look better than ` +
      "they are. Choose splits without common clips.",
  );
}

/** Hours of all clips together, for messages. */
export function hoursOf(utterances: readonly Utterance[]): string {
  return (utterances.reduce((sum, { seconds }) => sum + seconds, 0) / 3600).toFixed(2);
}
