import { UserError } from "../../errors.js";
import { latin1 } from "../../latin1.js";
import { AGAIN } from "../decoded-audio.js";
import { TAG_HEADER, tagSize } from "../mp3/tags.js";
import { inputName } from "../sources/source-names.js";

// WebM and Matroska: elements of an id, a size and a body (https://www.rfc-editor.org/rfc/rfc8794,
// https://www.rfc-editor.org/rfc/rfc9559). What browsers record is such a file with one track of Opus, whose sizes are
// unknown where it was written as a stream.

const ID = {
  start: 0x1a45dfa3,
  segment: 0x18538067,
  cluster: 0x1f43b675,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  codec: 0x86,
  codecPrivate: 0x63a2,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  discardPadding: 0x75a2,
} as const;
/** Their bodies are gone through element by element, wherever they end. */
const ENTERED: readonly number[] = [ID.segment, ID.cluster];
/** Their bodies are needed whole. */
const NEEDED: readonly number[] = [ID.tracks, ID.simpleBlock, ID.blockGroup];
const AUDIO = 2;
/** The longest header of an element: an id of 4 bytes and a size of 8. */
const HEADER = 12;
/** A tag that ends with its name alone stands at the file's end, as far as this. */
const LONGEST_TAG = 2 ** 16;

/** Of a tag or zeros, as programs put them behind files of any format; 0 where an element may begin. */
function behindSize(bytes: Uint8Array): number {
  if (bytes[0] === 0) {
    const zeros = bytes.findIndex((byte) => byte !== 0);
    return zeros < 0 ? bytes.length : zeros;
  }
  const size = tagSize(bytes.subarray(0, TAG_HEADER));
  return size === Number.POSITIVE_INFINITY ? Math.min(bytes.length, LONGEST_TAG) : size;
}
/** No block of sound is as large. */
const LARGEST = 2 ** 24;

interface Element {
  id: number;
  /** Of the header. */
  length: number;
  /** Of the body; undefined where it is not known. */
  size: number | undefined;
}

/** What a file's next bytes are. */
export type WebmStep =
  /** @property length of bytes that must be there to go on */
  | { kind: "more"; length: number }
  | { kind: "skip"; length: number }
  /** @property codec what a decoder of the track needs to know first */
  | { kind: "track"; length: number; codec: Uint8Array }
  /** @property discard nanoseconds to leave out at the packets' end */
  | { kind: "packets"; length: number; packets: Uint8Array[]; discard: number }
  | { kind: "end" };

/** Goes through a file with one track of Opus, from element to element. */
export class WebmWalk {
  #track: number | undefined;
  /** Where the file ends at least, by the sizes of what it holds. */
  #end = 0;
  /** Whether tags or zeros were passed, behind which nothing more may be. */
  #isBehind = false;
  /** Where the segment and the cluster end that were entered last, where their sizes tell. */
  readonly #bounds = new Map<number, number>();

  constructor(readonly name: string) {}

  /**
   * @param bytes what comes next
   * @param at where it is in the file
   * @param isAll whether nothing comes behind it
   * @throws UserError where it is cut off, damaged, or holds no track of Opus
   */
  step(bytes: Uint8Array, at: number, isAll: boolean): WebmStep {
    if (bytes.length === 0 && isAll) return this.#finish(at);
    if (bytes.length < TAG_HEADER && !isAll) return { kind: "more", length: TAG_HEADER };
    const behind = this.#track !== undefined && at >= this.#end ? behindSize(bytes) : 0;
    if (behind > 0) {
      this.#isBehind = true;
      return { kind: "skip", length: behind };
    }
    const element = readElement(bytes, 0);
    if (!element) throw isAll && bytes.length < HEADER ? this.#truncated(at) : this.#damaged(at);
    const { id, length, size } = element;
    const whole = length + (size ?? 0);
    if (size !== undefined) {
      if (this.#leaves(id, at, at + whole)) throw this.#damaged(at);
      this.#end = Math.max(this.#end, at + whole);
    }
    if (id === ID.start && this.#track !== undefined) throw this.#several(at);
    if (this.#isBehind) throw this.#damaged(at);
    if (ENTERED.includes(id)) {
      this.#bounds.set(id, size === undefined ? Number.POSITIVE_INFINITY : at + whole);
      return { kind: "skip", length };
    }
    if (size === undefined) throw this.#damaged(at);
    if (!NEEDED.includes(id)) return { kind: "skip", length: whole };
    if (size > LARGEST) throw this.#damaged(at);
    if (bytes.length < whole) {
      if (isAll) throw this.#truncated(at);
      return { kind: "more", length: whole };
    }
    const body = bytes.subarray(length, whole);
    if (id === ID.tracks) return { kind: "track", length: whole, codec: this.#takeTrack(body) };
    return { kind: "packets", length: whole, ...this.#packets(id, body, at) };
  }

  /** Whether an element ends behind the one that it begins in, which no file that is whole or cut has. */
  #leaves(id: number, at: number, end: number): boolean {
    if (id === ID.segment) return false;
    return [...this.#bounds.values()].some((bound) => at < bound && end > bound);
  }

  /** Of the only track of sound, what its decoder needs to know. */
  #takeTrack(body: Uint8Array): Uint8Array {
    const tracks = [...elementsOf(body)].filter(({ id }) => id === ID.track);
    const sounds = tracks
      .map(({ body: track }) => new Map([...elementsOf(track)].map(({ id, body: field }) => [id, field])))
      .filter((fields) => numberOf(fields.get(ID.trackType)) === AUDIO);
    const codecs = sounds.map((fields) => latin1(fields.get(ID.codec) ?? []));
    if (codecs.length !== 1 || codecs[0] !== "A_OPUS")
      throw new UserError(
        `${this.name} must hold one track of Opus in its WebM or Matroska file, but holds ${codecs.join(", ") || "no sound"}. ` +
          `Convert it with: ffmpeg -i ${inputName(this.name)} -vn OUTPUT.flac`,
        { code: "ERR_AUDIO_FORMAT" },
      );
    this.#track = numberOf(sounds[0]!.get(ID.trackNumber));
    return sounds[0]!.get(ID.codecPrivate) ?? new Uint8Array(0);
  }

  #packets(id: number, body: Uint8Array, at: number): { packets: Uint8Array[]; discard: number } {
    if (this.#track === undefined) throw this.#damaged(at);
    if (id === ID.simpleBlock) return { packets: this.#packetsOfBlock(body, at), discard: 0 };
    let packets: Uint8Array[] = [];
    let discard = 0;
    for (const { id: field, body: value } of elementsOf(body)) {
      if (field === ID.block) packets = this.#packetsOfBlock(value, at);
      else if (field === ID.discardPadding) discard = signedOf(value);
    }
    return { packets, discard };
  }

  /** https://www.rfc-editor.org/rfc/rfc9559#name-block-structure */
  #packetsOfBlock(block: Uint8Array, at: number): Uint8Array[] {
    const track = readVint(block, 0, false);
    if (!track || block.length < track.length + 3) throw this.#damaged(at);
    if (track.value !== this.#track) return [];
    const lacing = (block[track.length + 2]! >> 1) & 3;
    const packets = divide(block.subarray(track.length + 3), lacing);
    if (!packets) throw this.#damaged(at);
    return packets;
  }

  #finish(at: number): WebmStep {
    if (at < this.#end) throw this.#truncated(at);
    if (this.#track === undefined)
      throw new UserError(`${this.name} must hold a track of sound, but ends before one. ${AGAIN}`, {
        code: "ERR_AUDIO_TRUNCATED",
      });
    return { kind: "end" };
  }

  #several(at: number): UserError {
    const input = inputName(this.name);
    return new UserError(
      `${this.name} must hold one recording, but behind it another WebM or Matroska file begins, at byte ${at}. ` +
        `Take them apart: head -c ${at} ${input} > FIRST.webm; tail -c +${at + 1} ${input} > SECOND.webm`,
      { code: "ERR_AUDIO_FORMAT" },
    );
  }

  #truncated(at: number): UserError {
    return new UserError(
      `${this.name} must be a whole WebM or Matroska file, but ends within what begins before byte ${at}: it is truncated. ${AGAIN}`,
      { code: "ERR_AUDIO_TRUNCATED" },
    );
  }

  #damaged(at: number): UserError {
    return new UserError(
      `${this.name} must be a valid WebM or Matroska file, but is damaged at byte ${at}. ${AGAIN}`,
      { code: "ERR_AUDIO_CORRUPT" },
    );
  }
}

/** The header of the element that begins at `at`; undefined where there is none, or not all of it. */
function readElement(bytes: Uint8Array, at: number): Element | undefined {
  const id = readVint(bytes, at, true);
  if (!id || id.length > 4) return undefined;
  const size = readVint(bytes, at + id.length, false);
  if (!size) return undefined;
  const isUnknown = size.value === 2 ** (7 * size.length) - 1;
  return { id: id.value, length: id.length + size.length, size: isUnknown ? undefined : size.value };
}

function* elementsOf(bytes: Uint8Array): Generator<{ id: number; body: Uint8Array }> {
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes, at);
    if (!element || element.size === undefined) return;
    const begin = at + element.length;
    yield { id: element.id, body: bytes.subarray(begin, begin + element.size) };
    at = begin + element.size;
  }
}

/**
 * A number whose first byte tells by its zeros how many follow.
 *
 * @param isId whether the mark that ends the zeros is part of it
 */
function readVint(
  bytes: Uint8Array,
  at: number,
  isId: boolean,
): { value: number; length: number } | undefined {
  const first = bytes[at];
  if (first === undefined || first === 0) return undefined;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return undefined;
  let value = isId ? first : first & (0xff >> length);
  for (let i = 1; i < length; i++) value = value * 256 + bytes[at + i]!;
  return { value, length };
}

function numberOf(bytes: Uint8Array = new Uint8Array(0)): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

function signedOf(bytes: Uint8Array): number {
  const value = numberOf(bytes);
  return bytes.length > 0 && bytes[0]! >= 128 ? value - 256 ** bytes.length : value;
}

/** Packets of a block: one, or several by Xiph's sizes (1), of one size (2), or by EBML's sizes (3). */
function divide(bytes: Uint8Array, lacing: number): Uint8Array[] | undefined {
  if (lacing === 0) return [bytes];
  const count = (bytes[0] ?? 0) + 1;
  const sizes: number[] = [];
  let at = 1;
  while (sizes.length < count - 1) {
    if (lacing === 2) sizes.push(Math.floor((bytes.length - 1) / count));
    else if (lacing === 1) {
      let size = 0;
      while (bytes[at] === 255) size += bytes[at++]!;
      sizes.push(size + (bytes[at++] ?? 0));
    } else {
      const size = readVint(bytes, at, false);
      if (!size) return undefined;
      at += size.length;
      // The first is a size, the others what each differs from the one before.
      sizes.push(
        sizes.length === 0 ? size.value : sizes.at(-1)! + size.value - (2 ** (7 * size.length - 1) - 1),
      );
    }
  }
  const packets: Uint8Array[] = [];
  for (const size of sizes) {
    if (size < 0 || at + size > bytes.length) return undefined;
    packets.push(bytes.subarray(at, at + size));
    at += size;
  }
  return at > bytes.length ? undefined : [...packets, bytes.subarray(at)];
}
