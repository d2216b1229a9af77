import { FUNCTION, MASK, requireArguments, whole } from "../../../argument-kinds.js";

/**
 * Distractors for every masked frame: `count` other masked frames of the same clip, each as likely as any other, with
 * replacement (paper, section 3.2). Hugging Face: `_sample_negative_indices`.
 *
 * A clip with one masked frame has no others: its frame stands in for them, and the loss leaves it out as it does
 * every distractor that equals the target. Hugging Face throws there.
 *
 * @param mask [rows, width] of 0 and 1, row by row
 * @param uniform draws from [0, 1)
 * @returns [rows, width, count] of indices into all rows' frames (row * width + frame); 0 for frames without mask
 */
export function sampleNegatives(
  mask: Uint8Array,
  width: number,
  count: number,
  uniform: () => number,
): Int32Array {
  requireArguments("sampleNegatives", {
    mask: [mask, MASK],
    width: [width, whole(1)],
    count: [count, whole(0)],
    uniform: [uniform, FUNCTION],
  });
  const negatives = new Int32Array(mask.length * count);
  for (let start = 0; start < mask.length; start += width) {
    const masked: number[] = [];
    for (let frame = start; frame < start + width; frame++) if (mask[frame]) masked.push(frame);
    const others = masked.length - 1;
    for (const [own, frame] of masked.entries()) {
      for (let k = 0; k < count; k++) {
        const drawn = Math.floor(uniform() * others); // one of the others, counted without the frame itself
        negatives[frame * count + k] = masked[others === 0 ? own : drawn + Number(drawn >= own)]!;
      }
    }
  }
  return negatives;
}
