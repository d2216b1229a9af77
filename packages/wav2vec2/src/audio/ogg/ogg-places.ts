import { UserError } from "../../errors.js";
import { inputName } from "../sources/source-names.js";
import type { OggPage } from "./ogg-page.js";

/** Samples by which the places of pages may be off where the program that wrote them counted in milliseconds. */
const JITTER = 48;

/**
 * Counts the samples of an Ogg stream beside the places that its pages tell, in which they are to be played. The last page may
 * tell less than it holds, to end between two packets; so do pages in the midst of files that were joined without being
 * decoded. The first tells more where the stream was cut out of a longer one.
 */
export class OggPlaces {
  #begin: number | undefined;
  #silence = 0;
  /** Samples so far, without what pages cut away. */
  #passed = 0;
  readonly #delay: number;
  readonly #isCut: boolean;

  /**
   * @param delay samples at the beginning that are not to be played
   * @param isCut whether pages cut away what they do not count; frames of FLAC are whole
   */
  constructor(
    readonly name: string,
    readonly piped: boolean,
    { delay = 0, isCut = true } = {},
  ) {
    this.#delay = delay;
    this.#isCut = isCut;
  }

  /** Samples of silence that the end is later than the last packet's, by what the counting in milliseconds is off. */
  get silence(): number {
    return this.#silence;
  }

  /** The place of the first sample, once a page has told it. */
  get begin(): number | undefined {
    return this.#begin;
  }

  /** Samples to be played up to the last page. */
  get samples(): number {
    return Math.max(0, this.#passed - this.#delay);
  }

  /**
   * @param samples of the packets that end on the page
   * @returns how many of them count
   * @throws UserError where its place cannot be that of its samples
   */
  push({ granule, ends }: Pick<OggPage, "granule" | "ends">, samples: number): number {
    if (samples === 0 && !ends) return 0;
    if (granule < 0) {
      this.#passed += samples;
      return samples;
    }
    // What the first page holds beyond its place was before the cut: it is sound, too.
    this.#begin ??= Math.max(this.#isCut && ends ? 0 : -Infinity, granule - this.#passed - samples);
    const expected = this.#begin + this.#passed + samples;
    const excess = expected - granule;
    if (excess > (this.#isCut ? samples : 0) || excess < (this.#isCut ? -JITTER : 0))
      throw misplaced(this.name, granule, expected, this.piped);
    if (ends) this.#silence = Math.max(0, -excess);
    const kept = excess > JITTER || (ends && excess > 0) ? samples - excess : samples;
    this.#passed += kept + this.#silence;
    return kept;
  }
}

/** Of a stream that was cut without being decoded, or is damaged: its places are not those of its samples. */
function misplaced(name: string, place: number, expected: number, piped: boolean): UserError {
  const input = piped ? "INPUT" : inputName(name);
  return new UserError(
    `${name} must hold the samples that its Ogg pages count, but one ends at sample ${expected} and says ${place}: it was cut ` +
      `out of a longer one, or is corrupt. Convert it with: ffmpeg -i ${input} OUTPUT.flac`,
    { code: "ERR_AUDIO_CORRUPT" },
  );
}
