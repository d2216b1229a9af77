import type { Classifier } from "../../classification/classifier-directory.js";
import { type ClipCounts, classScores } from "../../evaluation/classification/class-scores.js";
import { type EvaluateClipsOptions, predictClips } from "../../evaluation/classification/evaluate-clips.js";
import { judge, type KnownClip } from "../../evaluation/classification/judge.js";
import { allPairs, scoreTrials, verificationScores } from "../../evaluation/classification/verification.js";
import { taskOfModel } from "../../model/heads/classification-task.js";
import type { RecognizedUtterance } from "../../tracking/tracker.js";

const SAMPLES = 3;
/** Validation happens often: of many clips, not all pairs. */
const MOST_PAIRS = 200_000;

/**
 * Accuracy and F1 on clips; of speakers the equal error rate too.
 *
 * @param onSamples receives a few clips with what they were taken for
 * @returns with what the best model is chosen by, lower is better: wrong clips, 1 less the macro F1 of frames, or the equal
 * error rate of speakers
 */
export async function validate(
  classifier: Classifier,
  clips: readonly KnownClip[],
  options: EvaluateClipsOptions,
  onSamples: (samples: readonly RecognizedUtterance[]) => void,
): Promise<{ metrics: Record<string, number>; criterion: number }> {
  const task = taskOfModel(classifier.model);
  const predicted = await predictClips(classifier, clips, options);
  const judged = predicted.map(({ clip, prediction }) => judge(classifier, clip, prediction));
  onSamples(judged.slice(0, SAMPLES).map(({ clip }) => clip));
  const counts = judged.flatMap(({ counts: own }): ClipCounts[] => (own ? [own] : []));
  const known = counts.length === judged.length ? classScores(counts, classifier.model.labels) : undefined;
  const metrics: Record<string, number> = known ? { accuracy: known.accuracy, macro_f1: known.macroF1 } : {};
  if (task !== "speaker") {
    const { accuracy, macroF1 } = known!;
    return { metrics, criterion: 1 - (task === "frames" ? macroF1 : accuracy) };
  }
  const pairs = allPairs(
    predicted.map(({ clip }) => ("label" in clip ? clip.label : "")),
    MOST_PAIRS,
  );
  const embeddings = predicted.map(({ prediction }) => prediction.embedding!);
  const { equalErrorRate, minDcf } = verificationScores(scoreTrials(pairs, embeddings));
  return { metrics: { ...metrics, eer: equalErrorRate, min_dcf: minDcf }, criterion: equalErrorRate };
}
