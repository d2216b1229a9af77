import type { Classifier } from "../../classification/classifier-directory.js";
import { frameTargets, segmentsOfFrames } from "../../classification/frame-targets.js";
import { chooseFrameLabels, type Prediction, rankLabels } from "../../classification/predict.js";
import type { Labelled } from "../../data/labels/clip-labels.js";
import type { Segment } from "../../data/labels/rttm.js";
import type { Segmented } from "../../data/labels/segments.js";
import type { Utterance } from "../../data/utterance.js";
import { Wav2Vec2ForAudioFrameClassification } from "../../model/heads/audio-frame-classification.js";
import { type ClipCounts, countClip, countFrames } from "./class-scores.js";
import type { ClassifiedClip } from "./classifier-result.js";

/** A clip with what it is: its label, or what is in it when. */
export type KnownClip = Labelled | Segmented;

export interface Judged {
  clip: ClassifiedClip;
  /** Undefined where the head has not the clip's label. */
  counts: ClipCounts | undefined;
}

/** Compares what was said of a clip with what it is. */
export function judge({ model }: Classifier, clip: KnownClip, prediction: Prediction): Judged {
  const idOf = new Map(model.labels.map((label, id) => [label, id]));
  if (model instanceof Wav2Vec2ForAudioFrameClassification)
    return judgeFrames(model, clip as Segmented, prediction, idOf);
  const { label: reference } = clip as Labelled;
  const [best] = rankLabels(model.labels, prediction.scores);
  const { label: hypothesis, score } = best!;
  const [id, said] = [idOf.get(reference), idOf.get(hypothesis)!];
  return {
    clip: { ...placeOf(clip), reference, hypothesis, score, right: reference === hypothesis },
    counts: id === undefined ? undefined : countClip(id, said),
  };
}

function judgeFrames(
  model: Wav2Vec2ForAudioFrameClassification,
  clip: Segmented,
  prediction: Prediction,
  idOf: ReadonlyMap<string, number>,
): Judged {
  const { config } = model;
  const { frames } = prediction;
  const wanted = frameTargets(config, clip.segments, frames, idOf);
  const chosen = chooseFrameLabels(model, prediction);
  const counts = countFrames(wanted, chosen, model.labels.length, model.multiLabel);
  const score = counts.total === 0 ? 1 : counts.right / counts.total;
  return {
    clip: {
      ...placeOf(clip),
      reference: segmentText(clip.segments),
      hypothesis: segmentText(segmentsOfFrames(config, chosen, frames)),
      score,
      right: counts.right === counts.total,
    },
    counts,
  };
}

/** `speech 0.52-1.20, speech 1.64-2.00` */
function segmentText(segments: readonly Segment[]): string {
  return segments.map(({ start, end, label }) => `${label} ${start.toFixed(2)}-${end.toFixed(2)}`).join(", ");
}

function placeOf({ id, path, start, end, seconds, split, speaker }: Utterance) {
  return {
    id,
    path,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    seconds,
    ...(split === undefined ? {} : { split }),
    ...(speaker === undefined ? {} : { speaker }),
  };
}
