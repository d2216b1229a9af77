import { startsWith, TAG_HEADER, tagSize } from "../mp3/tags.js";
import { refuseRecordingBehind } from "../sources/recording-behind.js";
import { contentEnd, type FlacFormat, frameEnd } from "./flac-decoder.js";
import { type FlacFrame, findSync, MAX_FRAME_HEADER, parseFrameHeader } from "./flac-frames.js";

/** The last frame of a file, behind which something stands that is no frame. @param rest from its beginning on */
export function lastFrame(rest: Uint8Array, format: FlacFormat): FlacFrame | undefined {
  const header = parseFrameHeader(rest, 0);
  const end = header && frameEnd(rest, header, format);
  return header && end !== undefined ? { bytes: rest.subarray(0, end), header } : undefined;
}

/** A checksum that is 0 stays so over zeros: those behind the last frame are taken for its end. */
export function withoutZeros(frame: FlacFrame, format: FlacFormat): FlacFrame {
  return frame.bytes.at(-1) === 0 ? (lastFrame(frame.bytes, format) ?? frame) : frame;
}

/**
 * Whether a file whose frames end too early is damaged there, and not cut off: another frame begins behind, or the content
 * of this one comes to its end, or breaks the format, before the bytes end. A damaged last frame whose content seems to go on
 * behind them is taken for one that was cut.
 * @param rest what stands behind the last whole frame
 */
export function isDamaged(rest: Uint8Array, format: FlacFormat): boolean {
  const header = parseFrameHeader(rest, 0);
  if (!header) return rest.length >= MAX_FRAME_HEADER; // what is left of a file that was cut begins with one
  if (findLater(rest)) return true;
  try {
    return contentEnd(rest, header, format) <= rest.length;
  } catch (error) {
    return !(error instanceof RangeError);
  }
}

/** Whether behind the frame header at the beginning another one of the same stream stands, of a later frame. */
function findLater(bytes: Uint8Array): boolean {
  const first = parseFrameHeader(bytes, 0)!;
  // Of the sample rate, and of the bits of a sample.
  const kind = (at: number) => ((bytes[at + 2]! & 15) << 4) | (bytes[at + 3]! & 15);
  for (
    let at = findSync(bytes, 2, bytes.length);
    at < bytes.length;
    at = findSync(bytes, at + 2, bytes.length)
  ) {
    const header = kind(at) === kind(0) ? parseFrameHeader(bytes, at) : undefined;
    if (header && header.countsSamples === first.countsSamples && header.number > first.number) return true;
  }
  return false;
}

/** Bytes of anything that hold no frame. */
const FEW = 8;

/** Bytes that are looked at behind the last frame at once. */
export const LOOK = 2 ** 12;

/** Looks at what stands behind the last frame: tags and zeros are no sound, another file is not to be left out in silence. */
export class BehindFrames {
  /** Bytes that are neither. */
  #unknown = 0;

  constructor(
    readonly name: string,
    readonly piped: boolean,
  ) {}

  /**
   * @param bytes what comes next
   * @param at where it is in the file
   * @returns how many bytes on the next look is due
   * @throws UserError where another recording begins
   */
  look(bytes: Uint8Array, at: number): number {
    refuseRecordingBehind(bytes, at, { name: this.name, piped: this.piped, ending: "flac" });
    const zeros = bytes.findIndex((byte) => byte !== 0);
    if (zeros !== 0) return zeros < 0 ? bytes.length : zeros;
    const tag = tagSize(bytes.subarray(0, TAG_HEADER));
    if (tag > 0) return tag;
    const next = bytes.findIndex((_, i) => i > 0 && startsWith(bytes, "fLaC", i));
    const length = next > 0 ? next : Math.max(1, bytes.length - 3);
    this.#unknown += length;
    return length;
  }

  /** Whether nothing was passed in which damaged frames might be. */
  get isHarmless(): boolean {
    return this.#unknown < FEW;
  }
}
