import { turn } from "#platform/turn";
import type { DecodingStream } from "../../text/decoding/ctc-decoder.js";

/** Frames that are decoded before the event loop has its turn: two seconds of speech. */
const FRAMES_A_TURN = 100;

/**
 * Hands emissions to a decoder bit by bit, which comes to the same.
 *
 * @param logits [frames * vocabulary], row by row
 * @throws the signal's reason where it is aborted
 */
export async function decodeInTurns(
  decoding: DecodingStream,
  logits: Float32Array,
  frames: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const width = logits.length / frames;
  for (let begin = 0; begin < frames; begin += FRAMES_A_TURN) {
    const end = Math.min(frames, begin + FRAMES_A_TURN);
    decoding.push(logits.subarray(begin * width, end * width), end - begin);
    await turn();
    signal?.throwIfAborted();
  }
}
