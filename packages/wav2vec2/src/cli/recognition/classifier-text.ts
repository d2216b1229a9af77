import type {
  ClassEvaluation,
  ClassifierResult,
  VerificationEvaluation,
} from "../../evaluation/classification/classifier-result.js";
import { confusionsOf, wrongClips } from "../../evaluation/classification/classifier-summary.js";
import { formatTable } from "../table.js";
import { interval, percent } from "./evaluation-text.js";

/** Rows of a table of labels, and pairs in a list of confusions. */
const MOST_LABELS = 40;
const MOST_CONFUSIONS = 10;

/**
 * What `evaluate` prints of a classifier: accuracy and F1 with intervals, of speakers the equal error rate, a table of labels,
 * which labels are taken for which, and some wrong clips.
 */
export function describeClassifier(result: ClassifierResult, worst: number): string {
  const { classes, verification } = result;
  const sections = [
    [
      ...(verification ? verificationLines(verification, result) : []),
      ...(classes ? scoreLines(classes, result) : []),
    ],
    classes ? labelTable(classes) : [],
    confusionLines(result),
    wrongLines(result, worst),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function drawn({ bootstrap }: ClassifierResult): string {
  return `95 % interval${bootstrap.by === "speaker" ? " over speakers" : ""}`;
}

function scoreLines(classes: ClassEvaluation, result: ClassifierResult): string[] {
  const { clips, decisions } = result;
  const right = clips.filter((clip) => clip.right).length;
  const of =
    decisions === "clips" ? `${right} of ${clips.length} clips` : `of frames in ${clips.length} clips`;
  return [
    `Accuracy  ${percent(classes.accuracy)}  ${of}`,
    `          ${interval(classes.accuracyInterval)}  ${drawn(result)}`,
    `Macro F1  ${percent(classes.macroF1)}  mean of the labels' F1; of all decisions together ${percent(classes.microF1)}`,
    `          ${interval(classes.macroF1Interval)}  ${drawn(result)}`,
  ];
}

function verificationLines(scores: VerificationEvaluation, result: ClassifierResult): string[] {
  return [
    `EER       ${percent(scores.equalErrorRate)}  ${scores.trials} pairs of clips, ${scores.same} of one speaker; from a cosine of ${scores.threshold.toFixed(3)} on`,
    `          ${interval(scores.equalErrorRateInterval)}  ${drawn(result)}`,
    `minDCF    ${scores.minDcf.toFixed(3)}  where one pair in a hundred is of one speaker`,
    `          ${scores.minDcfInterval.low.toFixed(3)} to ${scores.minDcfInterval.high.toFixed(3)}  ${drawn(result)}`,
  ];
}

function labelTable({ labels }: ClassEvaluation): string[] {
  const shown = labels.length > MOST_LABELS ? [...labels].sort((a, b) => a.f1 - b.f1) : labels;
  const rows = shown
    .slice(0, MOST_LABELS)
    .map(({ label, count, predicted, precision, recall, f1 }) => [
      label,
      String(count),
      String(predicted),
      percent(precision),
      percent(recall),
      percent(f1),
    ]);
  const lines = formatTable(["label", "there", "predicted", "precision", "recall", "F1"], rows);
  const rest = labels.length - rows.length;
  return rest > 0 ? [...lines, `${rest} others with a higher F1`] : lines;
}

function confusionLines(result: ClassifierResult): string[] {
  const confusions = confusionsOf(result);
  if (confusions.length === 0) return [];
  const shown = confusions
    .slice(0, MOST_CONFUSIONS)
    .map(({ reference, hypothesis, count }) => `${reference} → ${hypothesis} ${count}×`);
  return ["Most frequent confusions", `  ${shown.join(", ")}`];
}

function wrongLines(result: ClassifierResult, worst: number): string[] {
  const shown = wrongClips(result).slice(0, worst);
  if (shown.length === 0) return [];
  const lines = shown.map(({ id, reference, hypothesis, score }) =>
    result.decisions === "frames"
      ? `  ${id}: ${percent(score)} of frames right\n    reference   ${reference || "nothing"}\n    hypothesis  ${hypothesis || "nothing"}`
      : `  ${id}: ${reference}, taken for ${hypothesis} (${score.toFixed(3)})`,
  );
  return [result.decisions === "frames" ? "Worst clips" : "Wrong clips, the surest first", ...lines];
}
