import type { Vocabulary } from "../../text/vocabulary.js";
import { likeliest } from "../emissions/likeliest.js";

/** Seconds without a label that end a piece of speech wherever they come. */
const PAUSE = 0.6;
/** No piece is shorter, in seconds. */
const SHORTEST = 1;
/** From the first to the second length of a piece, the pause that ends it shrinks to a mere space between words. */
const SHRINKING = { from: 5, to: 15 };
/** A piece this long ends at the next blank; one longer than the second, anywhere. */
const LONGEST = { atBlank: 30, anywhere: 40 };

/**
 * Finds where a stream of emissions can be cut into pieces that are decoded one after another: in pauses, which the
 * likeliest tokens show, frame by frame and without looking ahead. The longer a piece is, the shorter a pause ends it, so
 * that none grows without end.
 */
export class PauseFinder {
  readonly #vocabulary: Vocabulary;
  readonly #secondsPerFrame: number;
  /** Frames since the last cut, and those at their end without a label. */
  #frames = 0;
  #quiet = 0;
  #sawSpace = false;

  constructor(vocabulary: Vocabulary, secondsPerFrame: number) {
    this.#vocabulary = vocabulary;
    this.#secondsPerFrame = secondsPerFrame;
  }

  /**
   * @param scores [vocabulary] of the next frame
   * @returns whether to cut behind it
   */
  push(scores: Float32Array): boolean {
    const { blankId, delimiterId } = this.#vocabulary;
    const best = likeliest(scores);
    const isLabel = best !== blankId && best !== delimiterId;
    this.#frames++;
    this.#quiet = isLabel ? 0 : this.#quiet + 1;
    // Without a token for the space, every blank may be one.
    this.#sawSpace = !isLabel && (this.#sawSpace || best === (delimiterId ?? blankId));
    if (!this.#isEnd()) return false;
    this.#frames = this.#quiet = 0;
    this.#sawSpace = false;
    return true;
  }

  #isEnd(): boolean {
    const seconds = this.#frames * this.#secondsPerFrame;
    const quiet = this.#quiet * this.#secondsPerFrame;
    if (seconds < SHORTEST) return false;
    if (quiet >= PAUSE || seconds >= LONGEST.anywhere) return true;
    if (quiet > 0 && seconds >= LONGEST.atBlank) return true;
    const { from, to } = SHRINKING;
    const share = Math.min(1, Math.max(0, (seconds - from) / (to - from)));
    return this.#sawSpace && quiet >= PAUSE * (1 - share);
  }
}
