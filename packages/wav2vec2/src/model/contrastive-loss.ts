import { autocast, cat, crossEntropyLoss, type Tensor, tensor, zeros } from "@wav2vec2/libtorch";
import { UserError } from "../errors.js";

export interface ContrastiveInput {
  /** The transformer's outputs in the common space, c in the paper, [batch, frames, width] */
  predicted: Tensor;
  /** Quantized features in the common space, q in the paper, [batch, frames, width] */
  targets: Tensor;
  /** The quantizer's choices, int64 [batch, frames, groups] */
  codes: Tensor;
  /** [batch, frames] of 0 and 1, row by row: the frames to compare */
  mask: Uint8Array;
  /** Distractors, int64 [batch, frames, count], as indices into all rows' frames, each in its own row */
  negatives: Tensor;
  /** kappa in the paper */
  temperature: number;
}

// libtorch's at::Reduction
const SUM = 2;

/**
 * Each masked frame's output compared with its own target (first) and its distractors by cosine similarity over
 * temperature (paper, equation 3), in float32. A distractor with the target's own codes is no distractor: it gets
 * -infinity.
 *
 * @returns [masked frames, 1 + count]
 */
export function contrastiveLogits(input: ContrastiveInput): Tensor {
  const { predicted, targets, codes, mask, negatives, temperature } = input;
  const [batch, time] = predicted.shape as [number, number];
  const { device } = predicted;
  const masked = Array.from(mask.keys()).filter((frame) => mask[frame]);
  const firsts = masked.map((frame) => frame - (frame % time)); // of each one's clip
  const rows = tensor(masked, [masked.length], { dtype: "int64", device }); // [masked]
  const first = tensor(firsts, [masked.length, 1], { dtype: "int64", device });
  const others = negatives.reshape([batch * time, -1]).indexSelect(0, rows); // [masked, count]
  const candidates = cat([rows.unsqueeze(1), others], 1).sub(first); // frame within the clip, [masked, 1 + count]
  requireOwnClip(candidates, time);

  // All pairs of a clip's frames in one product: less memory than each frame's own copy of its distractors.
  const similarities = autocast({ device: device.split(":")[0]!, enabled: false }, () =>
    unit(predicted).matmul(unit(targets).transpose(1, 2)),
  ); // [batch, frames, frames]
  const logits = similarities
    .view([batch * time, time])
    .indexSelect(0, rows)
    .gather(1, candidates)
    .div(temperature); // [masked, 1 + count]

  const same = sameCodes(codes, rows, others); // [masked, count]
  const own = zeros([masked.length, 1], { dtype: "bool", device });
  return logits.maskedFill(cat([own, same], 1), Number.NEGATIVE_INFINITY);
}

/** @throws UserError for a distractor of another clip, looked for where that is cheap: in the CPU's memory */
function requireOwnClip(candidates: Tensor, time: number): void {
  if (candidates.device !== "cpu" || candidates.numel === 0) return;
  if (candidates.amin().item() >= 0 && candidates.amax().item() < time) return;
  throw new UserError(
    "sampledNegativeIndices must name frames of the masked frame's own clip (clip * frames + frame), but some name " +
      "others. Sample them with sampleNegatives.",
  );
}

/** L_m of the paper: cross-entropy with the own target as the class, summed over masked frames. */
export function contrastiveLoss(logits: Tensor): Tensor {
  const first = zeros([logits.shape[0]!], { dtype: "int64", device: logits.device });
  return crossEntropyLoss(logits, first, undefined, SUM);
}

/** Vectors of length 1, float32; those shorter than 1e-8 are divided by that, as PyTorch's `cosine_similarity` does. */
function unit(vectors: Tensor): Tensor {
  const values = vectors.to({ dtype: "float32" });
  return values.div(values.norm(2, [-1], true).clamp(1e-8));
}

/** bool [masked, count]: whether a distractor has the codes of the masked frame. */
function sameCodes(codes: Tensor, rows: Tensor, others: Tensor): Tensor {
  const groups = codes.shape[2]!;
  const flat = codes.view([-1, groups]); // [batch * frames, groups]
  const own = flat.indexSelect(0, rows).unsqueeze(1); // [masked, 1, groups]
  const theirs = flat.indexSelect(0, others.flatten()).view([...others.shape, groups]); // [masked, count, groups]
  return theirs.ne(own).sum([-1]).eq(0);
}
