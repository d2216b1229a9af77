import { FileSource } from "#platform/audio-files";
import { UserError } from "../../errors.js";
import { atOnce, inTurns, type Steps } from "../../in-turns.js";
import {
  AGAIN,
  type AudioHeader,
  type DecodedAudio,
  type OnNote,
  type SampleRange,
} from "../decoded-audio.js";
import type { ByteSource } from "../sources/byte-source.js";
import { inputName } from "../sources/source-names.js";
import { decodeFrames, type FlacFormat } from "./flac-decoder.js";
import { BehindFrames, isDamaged, LOOK, lastFrame, withoutZeros } from "./flac-end.js";
import {
  type FlacFrame,
  type FlacFrameHeader,
  largestFrame,
  MAX_FRAME_HEADER,
  metadataEnd,
  parseFrameHeader,
  splitFrames,
} from "./flac-frames.js";
import { findFrames, framesBegin } from "./flac-seek.js";

/** A FLAC file's STREAMINFO block: https://www.rfc-editor.org/rfc/rfc9639#name-streaminfo. */
export interface FlacInfo {
  /** Hz. */
  sampleRate: number;
  channels: number;
  bitsPerSample: number;
  /** Samples a channel; 0 where the encoder did not know. */
  samples: number;
  /** Samples of every block but the last one; 0 where blocks differ. */
  blockSize: number;
  /** MD5 of the samples, all zero where the encoder did not write it. */
  md5: Uint8Array;
}

// "fLaC", the block header (type, length) and the 34 bytes of STREAMINFO, which is always the first block.
export const STREAMINFO_END = 42;

/**
 * Reads a FLAC file's length and format from its first 42 bytes, without decoding.
 * @throws UserError naming the file where it is missing, empty or no FLAC file.
 */
export async function readFlacInfo(path: string): Promise<FlacInfo> {
  const file = await FileSource.open(path, STREAMINFO_END, "a FLAC file");
  try {
    return parseStreamInfo(file.read(0, STREAMINFO_END), path);
  } finally {
    file.close();
  }
}

export function parseStreamInfo(bytes: Uint8Array, name: string): FlacInfo {
  if (bytes.length === 0)
    throw new UserError(`${name} must be a FLAC file, but is empty (0 bytes). ${AGAIN}`, {
      code: "ERR_AUDIO_EMPTY",
    });
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic !== "fLaC")
    throw new UserError(
      `${name} must be a FLAC file, but begins with ${JSON.stringify(magic)}, not "fLaC".`,
      { code: "ERR_AUDIO_FORMAT" },
    );
  if (bytes.length < STREAMINFO_END)
    throw new UserError(
      `${name} must hold a FLAC header of ${STREAMINFO_END} bytes, but ends after ${bytes.length}. ${AGAIN}`,
      { code: "ERR_AUDIO_TRUNCATED" },
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, STREAMINFO_END);
  const [smallest, largest] = [view.getUint16(8), view.getUint16(10)];
  const info: FlacInfo = {
    sampleRate: view.getUint32(18) >>> 12,
    channels: ((bytes[20]! >>> 1) & 7) + 1,
    bitsPerSample: ((view.getUint16(20) >>> 4) & 31) + 1,
    samples: (bytes[21]! & 15) * 2 ** 32 + view.getUint32(22),
    blockSize: smallest === largest ? largest : 0,
    md5: bytes.slice(26, STREAMINFO_END),
  };
  const isStreamInfo = (view.getUint32(4) & 0x7fffffff) === 34;
  if (!isStreamInfo || info.sampleRate === 0 || info.bitsPerSample < 4)
    throw new UserError(
      `${name} must begin with a valid STREAMINFO block, but its header is corrupt. ${AGAIN}`,
    );
  if (info.bitsPerSample > 24)
    throw new UserError(
      `${name} must have at most 24 bits a sample, but has ${info.bitsPerSample}. ` +
        `Convert it with: ffmpeg -i ${inputName(name)} -sample_fmt s16 OUTPUT.flac`,
      { code: "ERR_AUDIO_FORMAT" },
    );
  return info;
}

/** @throws UserError as `decodeFlac`; a file whose header does not tell its length is split into frames to know it. */
export function readFlacHeader(source: ByteSource, name: string, onNote?: OnNote): AudioHeader {
  const info = parseStreamInfo(source.read(0, STREAMINFO_END), name);
  const { sampleRate, channels, bitsPerSample, samples } = info;
  const header = { format: "flac", sampleRate, channels, bitsPerSample } as const;
  if (samples > 0) {
    const first = parseFrameHeader(source.read(framesBegin(source), MAX_FRAME_HEADER), 0);
    const begin = first ? placeIn(info, first) : 0;
    if (begin > 0) onNote?.(cutNote(name, begin));
    return { ...header, samples: samples - begin };
  }
  const bytes = source.read(0, source.size);
  const { frames, isWhole, rest } = atOnce(wholeFrames(bytes, header, source.begin ?? 0, name));
  if (!isWhole) throw incomplete(name, samples, sampleCount(frames), isDamaged(rest, header));
  return { ...header, samples: sampleCount(frames) };
}

/**
 * Decodes a whole FLAC file. Samples are exactly integers / 2^(bits-1), as libsndfile reads them.
 * @param bytes the file's contents
 * @param name the file's name, for messages
 * @param begin where the contents begin in the file, for messages
 * @throws UserError naming the file where it is empty, no FLAC file, truncated or corrupt: the number of
 * samples and their MD5 must be those of the header.
 */
export async function decodeFlac(bytes: Uint8Array, name: string, begin = 0): Promise<DecodedAudio> {
  const info = parseStreamInfo(bytes, name);
  const { frames, isWhole, rest } = await inTurns(wholeFrames(bytes, info, begin, name));
  const { channelData, md5 } = await decode(frames, info, name);
  const samples = channelData[0]?.length ?? 0;
  const place = frames[0] ? placeIn(info, frames[0].header) : 0;
  const expected = info.samples - place;
  if (samples === 0 || (info.samples === 0 ? !isWhole : samples !== expected))
    throw incomplete(name, expected, samples, isDamaged(rest, info));
  if (place === 0) requireMd5(info, md5, name);
  return { channelData, sampleRate: info.sampleRate };
}

/**
 * Decodes the frames that hold a range of a FLAC file's samples, and reads little more of the file than them. Their
 * checksums and their numbers are verified; the header's MD5 covers the whole file and cannot be.
 * @throws UserError as `decodeFlac`
 */
export async function decodeFlacRange(
  source: ByteSource,
  range: SampleRange,
  name: string,
): Promise<DecodedAudio> {
  const info = parseStreamInfo(source.read(0, STREAMINFO_END), name);
  const found = findFrames(source, info, range);
  if (!found) {
    const { channelData, sampleRate } = await decodeFlac(source.read(0, source.size), name, source.begin);
    return { channelData: channelData.map((channel) => channel.slice(range.from, range.to)), sampleRate };
  }
  const { channelData } = await decode(found.frames, info, name);
  const [from, to] = [range.from - found.position, range.to - found.position];
  return { channelData: channelData.map((channel) => channel.slice(from, to)), sampleRate: info.sampleRate };
}

/**
 * All frames of a file, the last one too where tags follow it.
 * @returns isWhole: whether nothing else is there that may be a damaged frame; rest: what stands behind the last frame
 * @throws UserError where another file follows
 */
function* wholeFrames(
  bytes: Uint8Array,
  format: FlacFormat,
  begin: number,
  name: string,
): Steps<{ frames: FlacFrame[]; isWhole: boolean; rest: Uint8Array }> {
  const { frames, length } = yield* splitInSteps(bytes, metadataEnd(bytes), format);
  const rest = bytes.subarray(bytes.length - length);
  if (length === 0) {
    const last = frames.pop();
    if (last) frames.push(withoutZeros(last, format));
    return { frames, isWhole: true, rest };
  }
  const last = lastFrame(rest, format);
  if (!last) return { frames, isWhole: false, rest };
  const behind = new BehindFrames(name, false);
  const start = bytes.length - length + last.bytes.length;
  for (let at = start; at < bytes.length; ) at += behind.look(bytes.subarray(at, at + LOOK), begin + at);
  return { frames: [...frames, last], isWhole: behind.isHarmless, rest: bytes.subarray(start) };
}

/**
 * The place of a frame's first sample in the recording that the header is of; 0 of what begins where no frame of it can, or
 * tells no place. The first frame of a file is elsewhere where the file was cut without being decoded.
 */
export function placeIn(info: FlacInfo, { countsSamples, number }: FlacFrameHeader): number {
  const place = countsSamples ? number : number * info.blockSize;
  return place < info.samples ? place : 0;
}

/** @param begin the place of the first sample */
export function cutNote(name: string, begin: number): string {
  return (
    `${name} begins at sample ${begin} of the recording that its FLAC header is of, as files do that were cut without being ` +
    "decoded: what is there is read, and compared with its checksums, but not with the MD5 of the whole."
  );
}

/** Bytes of frames that are found in one step. */
const STEP = 2 ** 19;

/**
 * The frames of a file from `begin` on, and how many bytes stand behind them: where none ends in what no frame is longer than,
 * none is looked for further on.
 */
function* splitInSteps(
  bytes: Uint8Array,
  begin: number,
  format: FlacFormat,
): Steps<{ frames: FlacFrame[]; length: number }> {
  const step = Math.max(STEP, 2 * largestFrame(format));
  const all: FlacFrame[] = [];
  for (let at = begin; ; ) {
    const end = Math.min(bytes.length, at + step);
    const { frames, rest } = splitFrames(bytes, at, end, end === bytes.length);
    for (const frame of frames) all.push(frame);
    at = end - rest;
    if (end === bytes.length || frames.length === 0) return { frames: all, length: bytes.length - at };
    yield;
  }
}

/** @param md5 of all samples */
export function requireMd5(info: FlacInfo, md5: Uint8Array, name: string): void {
  if (info.md5.some((byte) => byte !== 0) && !info.md5.every((byte, i) => byte === md5[i]))
    throw new UserError(`${name} must match the MD5 in its header, but does not: it is corrupt. ${AGAIN}`);
}

/**
 * Of a file that has not the samples that it should have.
 * @param expected by its header; 0 where it does not say
 * @param damaged whether what follows those that could be decoded is there
 */
export function incomplete(name: string, expected: number, samples: number, damaged: boolean): UserError {
  if (expected > 0 && samples > expected)
    return new UserError(
      `${name} must hold the ${expected} samples of its header, but holds more: it was joined without being decoded, or is corrupt. ` +
        `Convert it with: ffmpeg -i ${inputName(name)} OUTPUT.flac`,
      { code: "ERR_AUDIO_CORRUPT" },
    );
  const held = samples === 0 ? "hold audio" : `be whole (${expected || "unknown"} samples by its header)`;
  const decoded = samples === 0 ? "no sample" : `only ${samples} samples`;
  const fault = damaged ? "what follows is damaged" : "the file is truncated or corrupt";
  return new UserError(`${name} must ${held}, but ${decoded} could be decoded: ${fault}. ${AGAIN}`, {
    code: damaged ? "ERR_AUDIO_CORRUPT" : "ERR_AUDIO_TRUNCATED",
  });
}

function sampleCount(frames: FlacFrame[]): number {
  return frames.reduce((sum, { header }) => sum + header.blockSize, 0);
}

async function decode(frames: FlacFrame[], info: FlacInfo, name: string): ReturnType<typeof decodeFrames> {
  try {
    return await decodeFrames(frames, info);
  } catch (error) {
    throw corrupt(name, error);
  }
}

/** @param error the decoder's */
export function corrupt(name: string, error: unknown): UserError {
  return new UserError(
    `${name} must be a valid FLAC file, but is corrupt: ${(error as Error).message}. ${AGAIN}`,
    { code: "ERR_AUDIO_CORRUPT" },
  );
}
