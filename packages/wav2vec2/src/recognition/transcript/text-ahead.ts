import { CtcDecoder } from "../../text/decoding/ctc-decoder.js";
import type { Emissions } from "../emissions/ctc-batches.js";
import { likeliest } from "../emissions/likeliest.js";

/** Prefixes of the beam for what is shown for a moment. */
const BEAM = 16;

/**
 * Shows words while they are said: the text so far, with that of frames that a later window will score again. These are
 * decoded by themselves, without what is known of words, and the decoder of the recording is not told of them.
 */
export class TextAhead {
  readonly #decoder: CtcDecoder;

  /** @param decoder that of the recording */
  constructor({ tokenizer, options }: CtcDecoder) {
    this.#decoder = new CtcDecoder(tokenizer, { beamWidth: Math.min(BEAM, options.beamWidth) });
  }

  /**
   * @param labels of the piece so far
   * @param last [vocabulary] of the last frame that the recording's decoder has, whose label may go on
   */
  with(labels: Int32Array, last: Float32Array | undefined, ahead: Emissions): string {
    const { tokenizer } = this.#decoder;
    const { delimiterId } = tokenizer.vocabulary;
    const more = ahead.frames === 0 ? [] : [...this.#decoder.decode(ahead.logits, ahead.frames).labels];
    const width = ahead.logits.length / ahead.frames;
    const goesOn =
      last !== undefined &&
      more.length > 0 &&
      likeliest(last) === more[0] &&
      likeliest(ahead.logits.subarray(0, width)) === more[0];
    const isSecondSpace =
      delimiterId !== undefined && more[0] === delimiterId && labels.at(-1) === delimiterId;
    if (goesOn || isSecondSpace) more.shift();
    return tokenizer.decode([...labels, ...more], { groupTokens: false });
  }
}
