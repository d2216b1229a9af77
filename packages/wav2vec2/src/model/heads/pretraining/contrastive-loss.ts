import { autocast, cat, crossEntropyLoss, type Tensor, tensor, zeros } from "@wav2vec2/libtorch";
import { FINITE, type Kind, MASK, OBJECT, requireArguments } from "../../../argument-kinds.js";
import { UserError } from "../../../errors.js";
import { TENSOR } from "../../../module-kinds.js";

export interface ContrastiveInput {
  /** The transformer's outputs in the common space, c in the paper, [batch, frames, width] */
  predicted: Tensor;
  /** Quantized features in the common space, q in the paper, [batch, frames, width] */
  targets: Tensor;
  /** The quantizer's choices, int64 [batch, frames, groups] */
  codes: Tensor;
  /** [batch, frames] of 0 and 1, row by row: the frames to compare */
  mask: Uint8Array;
  /** Distractors, [batch, frames, count], as indices into all rows' frames, each in its own row */
  negatives: Int32Array;
  /** kappa in the paper */
  temperature: number;
}

const NEGATIVES: Kind = {
  must: "an Int32Array, as sampleNegatives gives it",
  holds: (value) => value instanceof Int32Array,
};

// libtorch's at::Reduction
const SUM = 2;

/**
 * Each masked frame's output compared with its own target (first) and its distractors by cosine similarity over
 * temperature (paper, equation 3), in float32. A distractor with the target's own codes is no distractor: it gets
 * -infinity.
 *
 * @returns [masked frames, 1 + count]
 * @throws UserError for a distractor of another clip
 */
export function contrastiveLogits(input: ContrastiveInput): Tensor {
  requireArguments("contrastiveLogits", { input: [input, OBJECT] });
  requireArguments("contrastiveLogits", {
    predicted: [input.predicted, TENSOR],
    targets: [input.targets, TENSOR],
    codes: [input.codes, TENSOR],
    mask: [input.mask, MASK],
    negatives: [input.negatives, NEGATIVES],
    temperature: [input.temperature, FINITE],
  });
  const { predicted, targets, codes, mask, negatives, temperature } = input;
  const [batch, time] = predicted.shape as [number, number];
  const { device } = predicted;
  const integers = { dtype: "int64", device } as const;
  const masked = Array.from(mask.keys()).filter((frame) => mask[frame]);
  const width = 1 + negatives.length / mask.length;
  const own = tensor(Int32Array.from(masked), [masked.length], integers); // [masked]
  const within = tensor(candidates(masked, negatives, time, width), [masked.length, width], integers);
  const first = own.sub(within.select(1, 0)).unsqueeze(1); // of each one's clip, [masked, 1]
  const others = within.narrow(1, 1, width - 1).add(first); // [masked, count]

  // All pairs of a clip's frames in one product: less memory than each frame's own copy of its distractors.
  const similarities = autocast({ device: device.split(":")[0]!, enabled: false }, () =>
    unit(predicted).matmul(unit(targets).transpose(1, 2)),
  ); // [batch, frames, frames]
  const logits = similarities
    .view([batch * time, time])
    .indexSelect(0, own)
    .gather(1, within)
    .div(temperature); // [masked, 1 + count]

  const same = sameCodes(codes, own, others); // [masked, count]
  const target = zeros([masked.length, 1], { dtype: "bool", device });
  return logits.maskedFill(cat([target, same], 1), Number.NEGATIVE_INFINITY);
}

/**
 * Each masked frame and its distractors as frames within the clip, [masked, width].
 *
 * @throws UserError for a distractor of another clip
 */
function candidates(
  masked: readonly number[],
  negatives: Int32Array,
  time: number,
  width: number,
): Int32Array {
  const frames = new Int32Array(masked.length * width);
  const count = width - 1;
  let next = 0;
  for (const frame of masked) {
    const own = frame % time;
    const first = frame - own; // of the clip
    frames[next++] = own;
    for (let k = frame * count; k < (frame + 1) * count; k++) {
      const other = negatives[k]! - first;
      if (!(other >= 0 && other < time)) throw otherClip();
      frames[next++] = other;
    }
  }
  return frames;
}

function otherClip(): UserError {
  return new UserError(
    "sampledNegativeIndices must name frames of the masked frame's own clip (clip * frames + frame), but some name " +
      "others. Sample them with sampleNegatives.",
  );
}

/** L_m of the paper: cross-entropy with the own target as the class, summed over masked frames. */
export function contrastiveLoss(logits: Tensor): Tensor {
  requireArguments("contrastiveLoss", { logits: [logits, TENSOR] });
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
