import { counted } from "../../counted.js";
import { type ErrorCode, UserError } from "../../errors.js";
import { AGAIN } from "../decoded-audio.js";
import { refuseRecordingBehind } from "../sources/recording-behind.js";
import { inputName } from "../sources/source-names.js";
import { hasInfo, isAlike, type Mp3Frame, type Mp3Info, parseFrame } from "./mp3-frames.js";
import { startsWith, TAG_HEADER, tagSize } from "./tags.js";

/** What comes next: whole frames, something that is none, the need to see more, or nothing. */
export type Mp3Step = { kind: "frames" | "skip"; length: number } | { kind: "more" } | { kind: "end" };

/** Frames that are taken at once, about a second. */
const MOST_FRAMES = 32;
/** A frame is never longer. */
const LONGEST_FRAME = 1441;
/** Of what is no frame, as much is looked through at once. */
const WINDOW = 2 ** 14;

/**
 * Goes from frame to frame, over tags and whatever else stands between and behind them, and judges at the end whether
 * none is missing: a header's count is the least, and without one nothing may stand between frames but tags.
 */
export class Mp3Walk {
  /** With sound, passed so far. */
  frames = 0;
  /** Whether another file was put behind the first. */
  joined = false;
  /** Zeros that were passed since the last frame, and whether some lie before it. */
  #zeros = 0;
  #hole = false;
  /** Bytes that are neither frame nor tag: what was passed since the last frame, and whether some lie before it. */
  #unknown = 0;
  #gap: { at: number; frames: number } | undefined;
  /** Whether a tag, of which only its end tells, was seen. */
  #tagged = false;

  constructor(
    readonly like: Mp3Frame,
    readonly info: Mp3Info | undefined,
    readonly name: string,
  ) {}

  /**
   * @param bytes what comes next
   * @param at where it is in the file
   * @param isAll whether the file ends with it
   * @throws UserError where frames are missing or of several kinds
   */
  step(bytes: Uint8Array, at: number, isAll: boolean): Mp3Step {
    if (bytes.length === 0 && isAll) return this.#end(at);
    if (bytes.length < LONGEST_FRAME + TAG_HEADER && !isAll) return { kind: "more" };
    const frame = parseFrame(bytes, 0);
    if (frame && isAlike(frame, this.like))
      return frame.length <= bytes.length ? this.#frames(bytes, at) : this.#cut(bytes, at, isAll);
    if (frame && this.#isOtherKind(bytes, frame)) throw this.#severalKinds(frame, at);
    const tag = tagSize(bytes.subarray(0, TAG_HEADER));
    if (tag > 0 && tag < Number.POSITIVE_INFINITY) return { kind: "skip", length: tag };
    return this.#skipUnknown(bytes, at, isAll);
  }

  /** Samples of the sound in what was decoded of all frames. */
  get samples(): { delay: number; padding: number } {
    const { frames = 0, delay = 0, padding = 0, bytes } = this.info ?? {};
    const joined = this.joined || (bytes !== undefined && this.frames > frames);
    // The padding is at the end of the frames that were counted; of joined files, in their midst.
    const missing = Math.max(0, frames - this.frames) * this.like.samples;
    return { delay, padding: joined ? 0 : Math.max(0, padding - missing) };
  }

  #frames(bytes: Uint8Array, at: number): Mp3Step {
    if (this.#unknown > 0) this.#gap ??= { at: at - this.#unknown, frames: this.frames };
    if (this.#zeros > 0) this.#hole = true;
    this.#unknown = 0;
    this.#zeros = 0;
    let length = 0;
    for (let count = 0; count < MOST_FRAMES; count++) {
      const frame = parseFrame(bytes, length);
      if (!frame || !isAlike(frame, this.like) || length + frame.length > bytes.length) break;
      if (hasInfo(bytes, frame, length)) this.joined = true;
      length += frame.length;
      this.frames++;
    }
    return { kind: "frames", length };
  }

  /** What begins like a frame at the file's end is none where the others are as many as they should be. */
  #cut(bytes: Uint8Array, at: number, isAll: boolean): Mp3Step {
    if (!isAll) return { kind: "more" };
    if (this.info && this.info.frames > 0 && this.frames >= this.info.frames)
      return { kind: "skip", length: bytes.length };
    throw this.#badFrame(at, "cut off: the file is truncated", "ERR_AUDIO_TRUNCATED");
  }

  #isOtherKind(bytes: Uint8Array, frame: Mp3Frame): boolean {
    const next = parseFrame(bytes, frame.length);
    return next !== undefined && isAlike(next, frame);
  }

  #skipUnknown(bytes: Uint8Array, at: number, isAll: boolean): Mp3Step {
    const zeros = bytes.findIndex((byte) => byte !== 0);
    if (zeros !== 0) {
      const length = zeros < 0 ? bytes.length : zeros;
      this.#zeros += length;
      return { kind: "skip", length };
    }
    if (bytes.length < WINDOW && !isAll) return { kind: "more" };
    if (this.frames > 0) refuseRecordingBehind(bytes, at, { name: this.name, piped: false, ending: "mp3" });
    if (startsWith(bytes, "LYRICSBEGIN")) this.#tagged = true;
    const next = this.#nextKnown(bytes);
    if (next === undefined && isAll && endsInTag(bytes)) this.#tagged = true;
    const length = next ?? (isAll ? bytes.length : bytes.length - LONGEST_FRAME - TAG_HEADER);
    this.#unknown += length;
    return { kind: "skip", length };
  }

  /** Where the next frames or the next tag begin. */
  #nextKnown(bytes: Uint8Array): number | undefined {
    for (let at = 1; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === 0xff) {
        const frame = parseFrame(bytes, at);
        const next = frame && isAlike(frame, this.like) ? parseFrame(bytes, at + frame.length) : undefined;
        if (next && isAlike(next, this.like)) return at;
        if (frame && isAlike(frame, this.like) && at + frame.length === bytes.length) return at;
      } else if (byte === 0x49 || byte === 0x41 || byte === 0x54) {
        const head = bytes.subarray(at, at + TAG_HEADER);
        if (startsWith(head, "APETAGEX") && tagSize(head) === TAG_HEADER) this.#tagged = true; // a footer alone
        if (isTagIn(head, bytes.length - at)) return at;
      }
    }
    return undefined;
  }

  /** @throws UserError where frames are missing */
  #end(at: number): Mp3Step {
    const count = this.info?.frames ?? 0;
    // Some cutters count the frame of the counts itself.
    const least = this.#gap || (this.#unknown > 0 && !this.#tagged) ? count : count - 1;
    if (count > 0 && this.frames < least) throw this.#otherCount(count);
    if (count > 0) return { kind: "end" };
    const none = ["none: the file is corrupt", "ERR_AUDIO_CORRUPT"] as const;
    if (this.#gap) throw this.#badFrame(this.#gap.at, ...none, this.#gap.frames);
    if (this.#unknown >= this.like.length && !this.#tagged) throw this.#badFrame(at - this.#unknown, ...none);
    return { kind: "end" };
  }

  #otherCount(count: number): UserError {
    // Something else is where frames were, or nothing.
    const isDamaged = this.#gap !== undefined || this.#hole || this.#unknown >= this.like.length;
    return new UserError(
      `${this.name} must hold ${counted(count, "frame")} by its header, but holds ${this.frames}: ` +
        `it is ${isDamaged ? "corrupt" : "truncated"}. ${AGAIN}`,
      { code: isDamaged ? "ERR_AUDIO_CORRUPT" : "ERR_AUDIO_TRUNCATED" },
    );
  }

  #badFrame(at: number, reason: string, code: ErrorCode, frames = this.frames): UserError {
    return new UserError(
      `${this.name} must be MP3 frames to its end, but what follows frame ${frames}, at byte ${at}, is ${reason}. ${AGAIN}`,
      { code },
    );
  }

  #severalKinds({ sampleRate, channels }: Mp3Frame, at: number): UserError {
    const { like } = this;
    return new UserError(
      `${this.name} must be MP3 frames of one kind to its end, but changes from ${counted(like.channels, "channel")} at ` +
        `${like.sampleRate} Hz to ${counted(channels, "channel")} at ${sampleRate} Hz at byte ${at}. ` +
        `Convert it with: ffmpeg -i ${inputName(this.name)} OUTPUT.flac`,
      { code: "ERR_AUDIO_FORMAT" },
    );
  }
}

/** Whether a tag that fits begins here: three letters alone are found in anything. */
function isTagIn(head: Uint8Array, left: number): boolean {
  if (startsWith(head, "TAG")) return left === 128 || (startsWith(head, "TAG+") && left === 227 + 128);
  if (startsWith(head, "ID3")) return head[3]! <= 4 && head[4] === 0 && tagSize(head) <= left;
  return startsWith(head, "APETAGEX") && tagSize(head) <= left;
}

/** Tags whose beginning has no mark: an APE tag of version 1, texts of songs. */
function endsInTag(bytes: Uint8Array): boolean {
  const ends = (text: string, length: number) => startsWith(bytes, text, bytes.length - length);
  return ends("APETAGEX", TAG_HEADER) || ends("LYRICS200", 9) || ends("LYRICSEND", 9);
}
