import type { CtcOutput, CtcTargets, Wav2Vec2ForCTC } from "../../model/heads/ctc.js";
import type { BatchLoss } from "../task/task.js";

/** A batch's share of an update: its loss counts as one part, as its reduction makes it. */
export function ctcLoss(
  model: Wav2Vec2ForCTC,
  { logits, frames }: Pick<CtcOutput, "logits" | "frames">,
  targets: CtcTargets,
): BatchLoss {
  return { loss: model.loss(logits, frames, targets), count: 1 };
}
