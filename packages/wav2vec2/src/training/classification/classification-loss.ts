import type { Tensor } from "@wav2vec2/libtorch";
import { type ClipBatch, inputOf } from "../../classification/classifier-batches.js";
import type { Classifier } from "../../classification/classifier-directory.js";
import { frameTargets } from "../../classification/frame-targets.js";
import type { KnownClip } from "../../evaluation/classification/judge.js";
import { Wav2Vec2ForAudioFrameClassification } from "../../model/heads/audio-frame-classification.js";
import type { BatchLoss } from "../task/task.js";

/** What clips are, by their ids. */
export type KnownClips = ReadonlyMap<string, KnownClip>;

/**
 * A batch's share of an update: a sum over its clips; with labels of frames over its frames, where a frame may have several
 * labels over each.
 *
 * @param known the batch's clips among others
 */
export function classificationLoss(classifier: Classifier, batch: ClipBatch, known: KnownClips): BatchLoss {
  const { model } = classifier;
  const input = inputOf(classifier, batch);
  const clips = batch.ids.map((id) => known.get(id)!);
  if (model instanceof Wav2Vec2ForAudioFrameClassification) {
    const { logits, frames } = model.forward(input);
    const { sum, count } = model.summedLoss(logits, frames, batchTargets(model, clips, frames, logits));
    return { loss: sum, count };
  }
  const ids = clips.map((clip) => model.labels.indexOf("label" in clip ? clip.label : ""));
  const { logits } = model.forward(input);
  return { loss: model.loss(logits, ids).mul(ids.length), count: ids.length };
}

/** [batch, frames, labels] of 0 and 1, row by row */
function batchTargets(
  { config }: Wav2Vec2ForAudioFrameClassification,
  clips: readonly KnownClip[],
  frames: readonly number[],
  logits: Tensor,
): Uint8Array {
  const [batch, time, labels] = logits.shape as [number, number, number];
  const idOf = new Map(config.id2label.map((label, id) => [label, id]));
  const targets = new Uint8Array(batch * time * labels);
  for (const [row, clip] of clips.entries()) {
    const segments = "segments" in clip ? clip.segments : [];
    targets.set(frameTargets(config, segments, frames[row]!, idOf), row * time * labels);
  }
  return targets;
}
