import type { CtcBatch } from "../../data/batches/ctc-collator.js";
import type { Wav2Vec2ForCTC } from "../../model/heads/ctc.js";
import { forwardBatch } from "../../recognition/ctc-batches.js";
import type { BatchLoss } from "../loop/loop.js";

/** A batch's share of an update: its loss counts as one part, as its reduction makes it. */
export function ctcLoss(model: Wav2Vec2ForCTC, batch: CtcBatch): BatchLoss {
  const { logits, frames } = forwardBatch(model, batch);
  return { loss: model.loss(logits, frames, batch), count: 1 };
}
