import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import { AGAIN, type AudioHeader, type DecodedAudio } from "./decoded-audio.js";

// MPEG audio layer III frames: http://www.mp3-tech.org/programmer/frame_header.html
const BIT_RATES_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]; // kbit/s, MPEG-1
const BIT_RATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]; // MPEG-2 and 2.5
const SAMPLE_RATES = [44100, 48000, 32000]; // Hz, MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter

interface Mp3Frame {
  /** In bytes. */
  length: number;
  /** A channel. */
  samples: number;
  sampleRate: number;
  channels: number;
  /** Bytes between the header and the main data. */
  sideInfo: number;
}

interface Mp3Layout {
  frame: Mp3Frame;
  /** Of the first frame that holds sound or the counts, and behind the last one. */
  begin: number;
  end: number;
  samples: number;
}

/** Whether an MP3 frame, or an ID3 tag as in front of one, begins here. */
export function isMp3(bytes: Uint8Array): boolean {
  return tag(bytes, 0, 3) === "ID3" || parseFrame(bytes, 0) !== undefined;
}

/**
 * The length comes from the Xing, Info or VBRI header where there is one, less the encoder's delay and padding, else
 * from counting the frames.
 * @throws UserError naming the file where it is no MP3 file or, where the frames are counted, truncated or corrupt
 */
export function readMp3Header(source: ByteSource, name: string): AudioHeader {
  const { frame, samples } = readLayout(source, name, false);
  return { format: "mp3", sampleRate: frame.sampleRate, channels: frame.channels, samples };
}

/**
 * Without the encoder's delay and padding, where the file tells them.
 * @throws UserError naming the file where it is no MP3 file, truncated or corrupt: its frames must follow one another
 * to the end, as many as its header says, and each must be decoded
 */
export async function decodeMp3(source: ByteSource, name: string): Promise<DecodedAudio> {
  const { frame, begin, end, samples } = readLayout(source, name, true);
  const { MPEGDecoder } = await import("mpg123-decoder");
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const { channelData, samplesDecoded, sampleRate, errors } = decoder.decode(
      source.read(begin, end - begin),
    );
    if (errors.length > 0) throw new Error(errors[0]!.message);
    if (samplesDecoded !== samples || sampleRate !== frame.sampleRate)
      throw new Error(
        `it should hold ${samples} samples at ${frame.sampleRate} Hz, but ${samplesDecoded} at ${sampleRate} Hz were decoded`,
      );
    return { channelData: channelData.slice(0, frame.channels), sampleRate };
  } catch (error) {
    throw new UserError(
      `${name} must be a valid MP3 file, but is corrupt: ${(error as Error).message}. ${AGAIN}`,
    );
  } finally {
    decoder.free();
  }
}

function readLayout(source: ByteSource, name: string, count: boolean): Mp3Layout {
  const { begin, frame } = findFirstFrame(source, name);
  const info = readInfo(source.read(begin, frame.length), frame);
  // The frame that holds the counts holds no sound.
  const first = info ? begin + frame.length : begin;
  if (!count && info) return { frame, begin, end: source.size, samples: playedSamples(info, frame) };
  const { frames, end } = countFrames(source, first, frame, name);
  if (info && info.frames !== frames)
    throw new UserError(
      `${name} must hold ${info.frames} frames by its header, but holds ${frames}: it is truncated or corrupt. ${AGAIN}`,
    );
  const samples = playedSamples(info ?? { frames, delay: 0, padding: 0 }, frame);
  return { frame, begin, end, samples };
}

function playedSamples({ frames, delay, padding }: Mp3Info, frame: Mp3Frame): number {
  return Math.max(0, frames * frame.samples - delay - padding);
}

function findFirstFrame(source: ByteSource, name: string): { begin: number; frame: Mp3Frame } {
  let begin = 0;
  for (;;) {
    const head = source.read(begin, 10);
    if (tag(head, 0, 3) !== "ID3" || head.length < 10) break;
    // Seven bits a byte; a footer of ten bytes where the flag says so: https://id3.org/id3v2.4.0-structure
    const size = (head[6]! << 21) | (head[7]! << 14) | (head[8]! << 7) | head[9]!;
    begin += 10 + size + (head[5]! & 0x10 ? 10 : 0);
  }
  // Some writers leave zeros behind the tag.
  const bytes = source.read(begin, 2 ** 16);
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  const frame = parseFrame(bytes, zeros);
  if (!frame)
    throw new UserError(
      `${name} must be an MP3 file, but no MP3 frame begins at byte ${begin + zeros}. ${AGAIN}`,
    );
  return { begin: begin + zeros, frame };
}

function countFrames(
  source: ByteSource,
  begin: number,
  like: Mp3Frame,
  name: string,
): { frames: number; end: number } {
  let window = source.read(begin, 2 ** 18);
  let windowStart = begin;
  let at = begin;
  for (let frames = 0; ; frames++) {
    if (at + 16 > windowStart + window.length && windowStart + window.length < source.size) {
      window = source.read(at, 2 ** 18);
      windowStart = at;
    }
    const head = window.subarray(at - windowStart, at - windowStart + 16);
    if (head.length === 0 || isTrailer(source, head, at)) return { frames, end: at };
    const frame = parseFrame(head, 0);
    const isWhole = frame && at + frame.length <= source.size;
    if (!isWhole || frame.sampleRate !== like.sampleRate || frame.channels !== like.channels)
      throw new UserError(
        `${name} must be MP3 frames of one kind to its end, but frame ${frames + 1}, at byte ${at}, is ` +
          `${frame && !isWhole ? "cut off: the file is truncated" : "none: the file is corrupt"}. ${AGAIN}`,
      );
    at += frame.length;
  }
}

/** Tags that may follow the last frame, or zeros. */
function isTrailer(source: ByteSource, head: Uint8Array, at: number): boolean {
  if (tag(head, 0, 3) === "TAG" && at + 128 === source.size) return true;
  if (tag(head, 0, 8) === "APETAGEX" || tag(head, 0, 11) === "LYRICSBEGIN") return true;
  return head[0] === 0 && source.read(at, source.size - at).every((byte) => byte === 0);
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

interface Mp3Info {
  frames: number;
  /** Samples that the encoder and the decoder put before and behind the sound. */
  delay: number;
  padding: number;
}

// What a decoder delays: http://gabriel.mp3-tech.org/mp3infotag.html
const DECODER_DELAY = 529;

/** The counts that encoders put into a first frame without sound; undefined where it is none or has no counts. */
function readInfo(bytes: Uint8Array, frame: Mp3Frame): Mp3Info | undefined {
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
