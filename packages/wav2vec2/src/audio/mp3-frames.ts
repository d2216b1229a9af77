import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import type { ByteStream } from "./byte-stream.js";
import { AGAIN } from "./decoded-audio.js";

// MPEG audio layer III frames: http://www.mp3-tech.org/programmer/frame_header.html
const BIT_RATES_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]; // kbit/s, MPEG-1
const BIT_RATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]; // MPEG-2 and 2.5
const SAMPLE_RATES = [44100, 48000, 32000]; // Hz, MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter

export interface Mp3Frame {
  /** In bytes. */
  length: number;
  /** A channel. */
  samples: number;
  sampleRate: number;
  channels: number;
  /** Bytes between the header and the main data. */
  sideInfo: number;
}

/** Whether an MP3 frame, or an ID3 tag as in front of one, begins here. */
export function isMp3(bytes: Uint8Array): boolean {
  return tag(bytes, 0, 3) === "ID3" || parseFrame(bytes, 0) !== undefined;
}

/** @throws UserError where no frame begins behind the tags */
export function findFirstFrame(source: ByteSource, name: string): { begin: number; frame: Mp3Frame } {
  let begin = 0;
  for (let size = 0; ; begin += size) {
    size = id3Size(source.read(begin, ID3_HEADER));
    if (size === 0) break;
  }
  // Some writers leave zeros behind the tag.
  const bytes = source.read(begin, MAX_ZEROS);
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  const frame = parseFrame(bytes, zeros);
  if (!frame) throw noFrame(name, begin + zeros);
  return { begin: begin + zeros, frame };
}

/**
 * Takes what lies before the first frame.
 * @throws UserError as `findFirstFrame`
 */
export async function streamFirstFrame(stream: ByteStream, name: string): Promise<Mp3Frame> {
  for (;;) {
    await stream.fill(ID3_HEADER);
    const size = id3Size(stream.bytes.subarray(0, ID3_HEADER));
    if (size === 0) break;
    await stream.skip(size);
  }
  for (let zeros = 0; zeros < MAX_ZEROS && (await stream.fill(1)) && stream.bytes[0] === 0; zeros++)
    stream.take(1);
  await stream.fill(4);
  const frame = parseFrame(stream.bytes, 0);
  if (!frame) throw noFrame(name, stream.position);
  return frame;
}

const ID3_HEADER = 10;
const MAX_ZEROS = 2 ** 16;

/** Of a tag with its header, 0 where none begins: https://id3.org/id3v2.4.0-structure. */
function id3Size(head: Uint8Array): number {
  if (tag(head, 0, 3) !== "ID3" || head.length < ID3_HEADER) return 0;
  // Seven bits a byte; a footer of ten bytes where the flag says so.
  const size = (head[6]! << 21) | (head[7]! << 14) | (head[8]! << 7) | head[9]!;
  return ID3_HEADER + size + (head[5]! & 0x10 ? ID3_HEADER : 0);
}

function noFrame(name: string, at: number): UserError {
  return new UserError(`${name} must be an MP3 file, but no MP3 frame begins at byte ${at}. ${AGAIN}`);
}

/** What must be seen to tell a frame from a tag behind the last one. */
const FRAME_HEAD = 16;
const WINDOW = 2 ** 18;

/** @throws UserError where the frames do not follow one another to the file's end */
export function countFrames(source: ByteSource, begin: number, like: Mp3Frame, name: string): number {
  let window = source.read(begin, WINDOW);
  let windowStart = begin;
  let at = begin;
  for (let frames = 0; ; frames++) {
    if (at + FRAME_HEAD > windowStart + window.length && windowStart + window.length < source.size) {
      window = source.read(at, WINDOW);
      windowStart = at;
    }
    const head = window.subarray(at - windowStart, at - windowStart + FRAME_HEAD);
    if (head.length === 0 || isTrailer(source, head, at)) return frames;
    const frame = parseFrame(head, 0);
    const isWhole = frame !== undefined && at + frame.length <= source.size;
    if (!isWhole || !isAlike(frame, like)) throw badFrame(name, frames + 1, at, frame, isWhole);
    at += frame.length;
  }
}

// Frames that are taken at once, about a second.
const MOST_FRAMES = 32;

/**
 * The frames that come next, as many as are there by now, at least one.
 * @param before the number of those before
 * @returns 0 frames at the file's end, or where the tags behind the last one begin
 * @throws UserError as `countFrames`
 */
export async function wholeFrames(
  stream: ByteStream,
  like: Mp3Frame,
  before: number,
  name: string,
): Promise<{ frames: number; length: number }> {
  const at = stream.position;
  await stream.fill(FRAME_HEAD);
  if (stream.bytes.length === 0 || (await takeTrailer(stream))) return { frames: 0, length: 0 };
  const first = parseFrame(stream.bytes, 0);
  const isWhole = first !== undefined && (await stream.fill(first.length));
  if (!isWhole || !isAlike(first, like)) throw badFrame(name, before + 1, at, first, isWhole);
  let { length } = first;
  let frames = 1;
  while (frames < MOST_FRAMES) {
    const frame = parseFrame(stream.bytes, length);
    if (!frame || !isAlike(frame, like) || length + frame.length > stream.bytes.length) break;
    length += frame.length;
    frames++;
  }
  return { frames, length };
}

function isAlike(frame: Mp3Frame, like: Mp3Frame): boolean {
  return frame.sampleRate === like.sampleRate && frame.channels === like.channels;
}

function badFrame(
  name: string,
  number: number,
  at: number,
  frame: Mp3Frame | undefined,
  isWhole: boolean,
): UserError {
  return new UserError(
    `${name} must be MP3 frames of one kind to its end, but frame ${number}, at byte ${at}, is ` +
      `${frame && !isWhole ? "cut off: the file is truncated" : "none: the file is corrupt"}. ${AGAIN}`,
  );
}

/** Tags that may follow the last frame, or zeros. */
function isTrailer(source: ByteSource, head: Uint8Array, at: number): boolean {
  if (tag(head, 0, 3) === "TAG" && at + ID3V1 === source.size) return true;
  if (isTag(head)) return true;
  return head[0] === 0 && source.read(at, source.size - at).every((byte) => byte === 0);
}

/** `isTrailer` of what comes next in a stream, of which zeros are taken. */
async function takeTrailer(stream: ByteStream): Promise<boolean> {
  const head = stream.bytes;
  if (tag(head, 0, 3) === "TAG" && !(await stream.fill(ID3V1 + 1)) && stream.bytes.length === ID3V1)
    return true;
  if (isTag(head)) return true;
  if (head[0] !== 0) return false;
  do {
    if (stream.bytes.some((byte) => byte !== 0)) return false;
    stream.take(stream.bytes.length);
  } while (await stream.more());
  return true;
}

const ID3V1 = 128;

function isTag(head: Uint8Array): boolean {
  return tag(head, 0, 8) === "APETAGEX" || tag(head, 0, 11) === "LYRICSBEGIN";
}

function parseFrame(bytes: Uint8Array, at: number): Mp3Frame | undefined {
  const [b0, b1, b2, b3] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  if (b0 !== 0xff || b1 === undefined || b2 === undefined || b3 === undefined) return undefined;
  const version = (b1 >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const isLayer3 = (b1 & 0xe6) === 0xe2;
  const bitRate = (version === 3 ? BIT_RATES_1 : BIT_RATES_2)[b2 >> 4];
  const baseRate = SAMPLE_RATES[(b2 >> 2) & 3];
  if (!isLayer3 || version === 1 || !bitRate || !baseRate) return undefined;
  const sampleRate = version === 3 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const samples = version === 3 ? 1152 : 576;
  const channels = b3 >> 6 === 3 ? 1 : 2;
  const padding = (b2 >> 1) & 1;
  const length = Math.floor(((samples / 8) * bitRate * 1000) / sampleRate) + padding;
  const sideInfo = version === 3 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17;
  return { length, samples, sampleRate, channels, sideInfo };
}

export interface Mp3Info {
  frames: number;
  /** Samples that the encoder and the decoder put before and behind the sound. */
  delay: number;
  padding: number;
}

// What a decoder delays: http://gabriel.mp3-tech.org/mp3infotag.html
const DECODER_DELAY = 529;

/** The counts that encoders put into a first frame without sound; undefined where it is none or has no counts. */
export function readInfo(bytes: Uint8Array, frame: Mp3Frame): Mp3Info | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = 4 + frame.sideInfo;
  if (tag(bytes, 36, 4) === "VBRI" && bytes.length >= 54)
    return { frames: view.getUint32(50), delay: 0, padding: 0 };
  if (!["Xing", "Info"].includes(tag(bytes, at, 4)) || bytes.length < at + 12) return undefined;
  const flags = view.getUint32(at + 4);
  if (!(flags & 1)) return undefined;
  const frames = view.getUint32(at + 8);
  // Behind the counts of frames and bytes, the table of places and the quality, of which each may be absent.
  const lame = at + 12 + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  if (lame + 24 > bytes.length || bytes[lame] === 0) return { frames, delay: 0, padding: 0 };
  const delay = (bytes[lame + 21]! << 4) | (bytes[lame + 22]! >> 4);
  const padding = ((bytes[lame + 22]! & 15) << 8) | bytes[lame + 23]!;
  return { frames, delay: delay + DECODER_DELAY, padding: Math.max(0, padding - DECODER_DELAY) };
}

function tag(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
