import { FUNCTION, listOf, requireArguments, SAMPLES, whole } from "../../argument-kinds.js";

const CLIPS = listOf("Float32Arrays", SAMPLES.holds);

/** Gives memory for so many samples, whatever they hold; for example in memory that threads share. */
export type Allocate = (length: number) => Float32Array;

/**
 * Clips one below the other, with zeros behind each.
 *
 * @param clips each [samples], of at most `paddedLength`
 * @returns [clips * paddedLength], row by row, in what `allocate` gave
 */
export function padClips(
  clips: readonly Float32Array[],
  paddedLength: number,
  allocate: Allocate = (length) => new Float32Array(length),
): Float32Array {
  requireArguments("padClips", {
    clips: [clips, CLIPS],
    paddedLength: [paddedLength, whole(0)],
    allocate: [allocate, FUNCTION],
  });
  const input = allocate(clips.length * paddedLength);
  for (const [row, clip] of clips.entries()) {
    const start = row * paddedLength;
    input.set(clip, start);
    input.fill(0, start + clip.length, start + paddedLength);
  }
  return input;
}
