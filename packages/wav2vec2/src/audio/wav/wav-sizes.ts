import { UserError } from "../../errors.js";
import { startsWith, TAG_HEADER, tagSize } from "../mp3/tags.js";
import { refuseRecordingBehind } from "../sources/recording-behind.js";
import { inputName } from "../sources/source-names.js";

/** The size of samples that go on to the file's end. */
export const UNKNOWN = Number.POSITIVE_INFINITY;

/**
 * Whether programs that write to a pipe put a size there without knowing it, and could not go back: nearly 2^31 (SoX,
 * arecord), nearly 2^32 (FFmpeg), or anything else that is far beyond what follows. A file that is cut off lacks a part
 * of its samples, hardly ever seven eighths of 256 MB.
 */
export function isOpenSize(size: number, available: number): boolean {
  if (size === UNKNOWN || isPlaceholder(size)) return true;
  return size >= 2 ** 28 && size < 2 ** 32 && size > 8 * available;
}

/** Sizes that nobody's samples have, to 64 kB. */
export function isPlaceholder(size: number): boolean {
  return (size >= 0x7fff0000 && size <= 2 ** 31) || (size >= 0xffff0000 && size < 2 ** 32);
}

export function openSizeNote(name: string): string {
  return (
    `The header of ${name} leaves the size of its samples open, as programs do that write to a pipe: ` +
    "it is read to its end, and that nothing is missing there cannot be known."
  );
}

/** Whether a chunk or a tag begins here, and no samples do. */
export function isChunk(head: Uint8Array): boolean {
  return tagSize(head) > 0 || /^[A-Za-z][A-Za-z0-9 _-]{3}$/.test(String.fromCharCode(...head.subarray(0, 4)));
}

/** Of a header that two looks might divide. */
const LOOK_BACK = 12;
/** Bytes that are looked at behind the samples at once. */
export const LOOK = 2 ** 12;

/**
 * Looks at what stands behind a WAV file's samples. Chunks and tags are harmless; another recording, which would be left
 * out in silence, is not.
 */
export class BehindSamples {
  #unknown = 0;

  /**
   * @param second bytes of a second of samples
   * @param end of the samples, in bytes from the file's beginning
   */
  constructor(
    readonly name: string,
    readonly second: number,
    readonly end: number,
    readonly piped: boolean,
  ) {}

  /**
   * @param bytes what comes next, at least `LOOK` bytes of it where there are as many
   * @param at where it is in the file
   * @returns how many bytes on the next look is due
   * @throws UserError where another recording begins, or samples go on
   */
  look(bytes: Uint8Array, at: number): number {
    const zeros = bytes.findIndex((byte) => byte !== 0);
    if (zeros !== 0) return zeros < 0 ? bytes.length : zeros;
    const riff = ["RIFF", "RF64", "BW64"].some((magic) => startsWith(bytes, magic));
    if (riff && startsWith(bytes, "WAVE", 8)) throw this.#several(at);
    if (!startsWith(bytes, "R"))
      refuseRecordingBehind(bytes, at, { name: this.name, piped: this.piped, ending: "wav" });
    if (startsWith(bytes, "data")) throw this.#severalChunks(at);
    const tag = tagSize(bytes.subarray(0, TAG_HEADER));
    if (tag > 0) return tag;
    if (isChunk(bytes) && bytes.length >= 8) {
      const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
      return 8 + size; // a byte of padding is a zero
    }
    return this.#skipUnknown(bytes);
  }

  #skipUnknown(bytes: Uint8Array): number {
    const isNext = (_: number, i: number) =>
      i > 0 && (startsWith(bytes, "RIFF", i) || (i === 1 && isChunk(bytes.subarray(1))));
    const next = bytes.findIndex(isNext);
    const skipped = next > 0 ? next : Math.max(1, bytes.length - (bytes.length > LOOK_BACK ? LOOK_BACK : 0));
    this.#unknown += skipped;
    if (this.#unknown >= this.second) throw this.#goesOn();
    return skipped;
  }

  #several(at: number): UserError {
    const advice = this.piped
      ? "Send them one at a time."
      : `Take them apart: head -c ${at} ${inputName(this.name)} > FIRST.wav; tail -c +${at + 1} ${inputName(this.name)} > SECOND.wav`;
    return new UserError(
      `${this.name} must hold one recording, but behind its ${this.#seconds()} s another WAV file begins, at byte ${at}. ${advice}`,
      { code: "ERR_AUDIO_FORMAT" },
    );
  }

  #severalChunks(at: number): UserError {
    return new UserError(
      `${this.name} must hold its samples in one "data" chunk, but behind the first, of ${this.#seconds()} s, another ` +
        `begins at byte ${at}. Other programs read one of them alone: have the one that made it write a single chunk.`,
      { code: "ERR_AUDIO_FORMAT" },
    );
  }

  #goesOn(): UserError {
    const input = this.piped ? "INPUT" : inputName(this.name);
    return new UserError(
      `${this.name} must end with its samples or with chunks, but goes on behind the ${this.#seconds()} s that its header tells: ` +
        `its size was never put in. Read it to its end with: ffmpeg -ignore_length 1 -i ${input} OUTPUT.flac`,
    );
  }

  #seconds(): number {
    return Number((this.end / this.second).toFixed(2));
  }
}
