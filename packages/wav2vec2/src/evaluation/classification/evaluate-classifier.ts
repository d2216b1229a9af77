import {
  choice,
  ERROR_OR_SKIP,
  PATH,
  requireArguments,
  requireKind,
  TEXT,
  whole,
} from "../../argument-kinds.js";
import {
  type Classifier,
  LOAD_CLASSIFIER_OPTIONS,
  type LoadClassifierOptions,
  loadClassifier,
} from "../../classification/classifier-directory.js";
import { CLASSIFIER_OR_NAME } from "../../classification/classifier-kind.js";
import type { Prediction } from "../../classification/predict.js";
import { CLASSIFICATION_TASKS } from "../../classification/tasks.js";
import { BATCH_LIMITS, type BatchLimits } from "../../data/batches/batches.js";
import { batchWorkers } from "../../data/batches/load-batches.js";
import type { BadClip } from "../../data/batches/prepare-batch.js";
import { readSplit } from "../../data/corpus/read-split.js";
import { labelClips, labelNames, listLabels, requireLabels } from "../../data/labels/clip-labels.js";
import { segmentClips } from "../../data/labels/segments.js";
import type { Utterance } from "../../data/utterance.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import { type ClassificationTask, taskOfModel } from "../../model/heads/classification-task.js";
import { inPrecision } from "../../precision/in-precision.js";
import { RESAMPLES } from "../comparison/bootstrap.js";
import { BOOTSTRAP_UNITS, type BootstrapUnit, sumSeconds } from "../summary.js";
import { bootstrapClips, type ClipUnit, clipUnits } from "./bootstrap-clips.js";
import { type ClipCounts, classScores, confusionMatrix, weightedScores } from "./class-scores.js";
import type { ClassEvaluation, ClassifierResult, VerificationEvaluation } from "./classifier-result.js";
import { predictClips } from "./evaluate-clips.js";
import { type Judged, judge, type KnownClip } from "./judge.js";
import { readTrials } from "./trials-file.js";
import { allPairs, scoreTrials, type Trials, verificationScores } from "./verification.js";

/** Labels of more than these have no table of confusions. */
const MOST_CONFUSED = 100;
/** Steps over trials that drawing them again and again may take. */
const MOST_TRIAL_STEPS = 2e8;
const FEWEST_RESAMPLES = 200;

export interface EvaluateClassifierOptions extends BatchLimits, LoadClassifierOptions {
  /** A corpus that `readCorpus` knows. */
  data: string;
  /** One or, with + between them, several; all of a manifest or folder when left out. */
  split?: string | undefined;
  /** The column that labels stand in. Default: `label`, with labels of frames `segments`, of a speaker `speaker` */
  label?: string | undefined;
  /** Of the task speaker: a list of trials. Default: all pairs of clips */
  trials?: string | undefined;
  /** What the bootstrap draws. Default: utterance */
  bootstrapBy?: BootstrapUnit | undefined;
  resamples?: number | undefined;
  seed?: number | undefined;
  /** Whether clips that cannot be used, or have no label, end the evaluation or are left out and listed. Default: error */
  onBadData?: "error" | "skip" | undefined;
  /** What a model in memory is called in the result. Default: "in memory" */
  name?: string | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

const OPTIONS = {
  ...LOAD_CLASSIFIER_OPTIONS,
  ...BATCH_LIMITS,
  data: PATH,
  split: TEXT,
  label: TEXT,
  trials: PATH,
  bootstrapBy: choice(...BOOTSTRAP_UNITS),
  resamples: whole(1),
  seed: true,
  onBadData: ERROR_OR_SKIP,
  name: TEXT,
  onProgress: true,
} satisfies KnownOptions<EvaluateClassifierOptions>;

/**
 * How well a model with a classification head does on a split of a corpus: accuracy and F1 of its labels, of speakers the
 * equal error rate of telling whether two clips are of one.
 *
 * @param modelOrName a classifier in memory, such as one that was just trained; a model directory or Hub id
 * @returns with `processingSeconds`: how long reading, predicting and counting took, without loading the model
 * @throws UserError where the model has no classification head, clips have no labels or others than the head's, or none can be used
 */
export async function evaluateClassifier(
  modelOrName: Classifier | string,
  options: EvaluateClassifierOptions,
): Promise<ClassifierResult & { processingSeconds: number }> {
  requireArguments("evaluateClassifier", { modelOrName: [modelOrName, CLASSIFIER_OR_NAME] });
  requireOptions("evaluateClassifier", options, OPTIONS);
  requireKind("data of evaluateClassifier", options.data, PATH);
  const { data, split, onBadData, bootstrapBy: by = "utterance", resamples = RESAMPLES, seed = 0 } = options;
  const { name = "in memory", revision, signal, onDownload, onNote, device = "auto", precision } = options;
  const loading = { revision, signal, onDownload, onNote, device, precision };
  const isName = typeof modelOrName === "string";
  const classifier = isName
    ? await loadClassifier(modelOrName, loading)
    : await inPrecision(modelOrName, precision, { device: modelOrName.model.device, onNote });
  const model = isName ? modelOrName : name;
  const task = taskOfModel(classifier.model);
  if (options.trials !== undefined && task !== "speaker")
    throw new ConfigurationError(`trials belong to the task speaker, but ${model} is of the task ${task}.`);
  const { column: usual } = CLASSIFICATION_TASKS[task];
  const column = options.label ?? usual;
  const columns = [column];
  const { utterances, problems } = await readSplit<Utterance>(data, split, {
    onProblem: onBadData,
    transcripts: "none",
    columns,
  });
  const { labelled, unlabelled } = knownClips(task, utterances, {
    column,
    source: split ?? data,
    root: data,
  });
  requireLabels(unlabelled, onBadData);
  requireKnownLabels(task, classifier, labelled);
  const skipped = [...problems, ...unlabelled].map(({ id, message }) => ({ id, message }));
  const onBad = ({ id, message }: BadClip) => void skipped.push({ id, message });
  const workers = batchWorkers(1);
  const begin = performance.now();
  try {
    const reading = { workers, onBadAudio: onBadData, onBad };
    const predicted = await predictClips(classifier, labelled, { ...options, ...reading });
    const judged = predicted.map(({ clip, prediction }) => judge(classifier, clip, prediction));
    const clips = judged.map(({ clip }) => clip);
    const units = clipUnits(clips, by);
    const drawing = { units, resamples, seed };
    const classes = classEvaluation(classifier, judged, drawing);
    const verification =
      task === "speaker" && (await verificationEvaluation(predicted, options.trials, drawing));
    return {
      task,
      model,
      data,
      ...(split === undefined ? {} : { split }),
      column,
      labels: classifier.model.labels,
      decisions: task === "frames" ? "frames" : "clips",
      ...(classes && { classes }),
      ...(verification && { verification }),
      bootstrap: { by, resamples, seed },
      clipCount: clips.length,
      seconds: sumSeconds(clips),
      clips,
      skipped,
      processingSeconds: (performance.now() - begin) / 1000,
    };
  } finally {
    await workers.close();
  }
}

/** The clips with what they are, as a task wants it, and those that do not say. */
export function knownClips(
  task: ClassificationTask,
  utterances: readonly Utterance[],
  { column, source, root }: { column: string; source: string; root: string },
): { labelled: KnownClip[]; unlabelled: { id: string; path: string; message: string }[] } {
  return task === "frames" ? segmentClips(utterances, column, root) : labelClips(utterances, column, source);
}

/** The labels that occur in clips. */
export function labelsOf(clips: readonly KnownClip[]): string[] {
  return labelNames(
    clips.flatMap((clip) => ("segments" in clip ? clip.segments.map(({ label }) => label) : [clip.label])),
  );
}

/** @throws UserError for labels that the head has not; new speakers are no mistake */
function requireKnownLabels(
  task: ClassificationTask,
  { model }: Classifier,
  clips: readonly KnownClip[],
): void {
  if (clips.length === 0) throw new UserError("Clips must have labels to be evaluated, but none has any.");
  const unknown = labelsOf(clips).filter((label) => !model.labels.includes(label));
  if (unknown.length === 0 || task === "speaker") return;
  throw new UserError(
    `Labels of the clips must be labels of the model's head (${listLabels(model.labels)}), but ${listLabels(unknown)} ` +
      `${unknown.length === 1 ? "is" : "are"} not. Name the right column (--label), or a model for these labels.`,
  );
}

interface Drawing {
  units: readonly ClipUnit[];
  resamples: number;
  seed: number;
}

/** Undefined where the labels of clips are not the head's. */
function classEvaluation(
  { model }: Classifier,
  judged: readonly Judged[],
  { units, ...options }: Drawing,
): ClassEvaluation | undefined {
  const counts = judged.map((each) => each.counts);
  if (!counts.every((count): count is ClipCounts => count !== undefined)) return undefined;
  const { labels } = model;
  const statistics = (weights: Float64Array) => weightedScores(counts, labels.length, weights);
  const [accuracyInterval, macroF1Interval] = bootstrapClips(units, statistics, options);
  const hasTable = taskOfModel(model) !== "frames" && labels.length <= MOST_CONFUSED;
  const ids = judged.map(
    ({ clip }) => [labels.indexOf(clip.reference), labels.indexOf(clip.hypothesis)] as const,
  );
  return {
    ...classScores(counts, labels),
    accuracyInterval: accuracyInterval!,
    macroF1Interval: macroF1Interval!,
    ...(hasTable && { confusion: confusionMatrix(ids, labels.length) }),
  };
}

async function verificationEvaluation(
  predicted: readonly { clip: KnownClip; prediction: Prediction }[],
  file: string | undefined,
  { units, resamples, seed }: Drawing,
): Promise<VerificationEvaluation> {
  const clips = predicted.map(({ clip }) => clip);
  const trials: Trials =
    file === undefined
      ? allPairs(clips.map((clip) => ("label" in clip ? clip.label : clip.id)))
      : readTrials(file, clips);
  const scored = scoreTrials(
    trials,
    predicted.map(({ prediction }) => prediction.embedding!),
  );
  const few = Math.max(FEWEST_RESAMPLES, Math.floor(MOST_TRIAL_STEPS / scored.same.length));
  const statistics = (weights: Float64Array) => {
    const { equalErrorRate, minDcf } = verificationScores(scored, weights);
    return [equalErrorRate, minDcf];
  };
  const options = { resamples: Math.min(resamples, few), seed };
  const [equalErrorRateInterval, minDcfInterval] = bootstrapClips(units, statistics, options);
  return {
    ...verificationScores(scored),
    equalErrorRateInterval: equalErrorRateInterval!,
    minDcfInterval: minDcfInterval!,
  };
}
