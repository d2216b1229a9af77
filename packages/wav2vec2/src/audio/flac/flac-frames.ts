import { crc8, crc16 } from "./crc.js";
import type { FlacFormat } from "./flac-decoder.js";

/** A frame and its place in the stream: https://www.rfc-editor.org/rfc/rfc9639#name-frame-structure. */
export interface FlacFrame {
  /** Header to CRC-16. */
  bytes: Uint8Array;
  header: FlacFrameHeader;
}

export interface FlacFrameHeader {
  /** Whether `number` counts samples (block sizes differ) or frames (all blocks but the last have one size). */
  countsSamples: boolean;
  number: number;
  /** Samples a channel. */
  blockSize: number;
  /** Of the header, in bytes. */
  length: number;
}

/** The longest header: 4 bytes, 7 of the number, 2 of the block size, 2 of the sample rate, CRC-8. */
export const MAX_FRAME_HEADER = 16;

/**
 * Splits a stretch of a FLAC file that begins with a frame. A frame ends where the checksum over it, its own CRC-16
 * included, is 0 and the stretch ends or a valid frame header follows. The decoder's own parser is not used: it loses
 * the last frame of many files.
 * @param bytes may go on behind `end`, for the header that follows there
 * @param isWhole whether the stretch ends with a frame; else what follows the last header in it is left
 * @returns the frames and the number of bytes behind the last one, which are a damaged frame or junk
 */
export function splitFrames(
  bytes: Uint8Array,
  begin: number,
  end = bytes.length,
  isWhole = true,
): { frames: FlacFrame[]; rest: number } {
  const frames: FlacFrame[] = [];
  let start = begin;
  let header = parseFrameHeader(bytes, start);
  let checked = start;
  let checksum = 0;
  for (let at = start; header && at < end; ) {
    at = findSync(bytes, at + 2, end);
    if (!isWhole && at + MAX_FRAME_HEADER >= end) break;
    const next = at < bytes.length ? parseFrameHeader(bytes, at) : undefined;
    if (at < end && !next) continue;
    checksum = crc16(bytes, checked, at, checksum);
    checked = at;
    if (checksum !== 0) continue;
    frames.push({ bytes: bytes.subarray(start, at), header });
    start = at;
    header = next;
  }
  return { frames, rest: end - start };
}

/** Where the next two bytes that may begin a frame are in bytes[from, end); `end` where there are none. */
export function findSync(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; ; at++) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at >= end) return end;
    if ((bytes[at + 1]! & 0xfe) === 0xf8) return at;
  }
}

/** Where the metadata blocks end; the file's length where they are cut off. */
export function metadataEnd(bytes: Uint8Array): number {
  let at = 4; // behind "fLaC"
  let last = false;
  while (!last && at + 4 <= bytes.length) {
    last = (bytes[at]! & 0x80) !== 0;
    at += 4 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
  return last ? Math.min(at, bytes.length) : bytes.length;
}

/** The header of the frame at `at`; undefined where there is none or its CRC-8 is wrong. */
export function parseFrameHeader(bytes: Uint8Array, at: number): FlacFrameHeader | undefined {
  if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xfe) !== 0xf8) return undefined;
  const sizeCode = bytes[at + 2]! >> 4;
  const rateCode = bytes[at + 2]! & 15;
  // The number is coded as in UTF-8: as many leading ones as bytes, none for one byte.
  const ones = Math.clz32(~(bytes[at + 4]! << 24));
  const behindNumber = at + 4 + Math.max(1, ones);
  const sizeBytes = sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0;
  const rateBytes = rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0;
  const end = behindNumber + sizeBytes + rateBytes;
  if (sizeCode === 0 || ones === 1 || ones === 8 || end >= bytes.length) return undefined;
  if (crc8(bytes, at, end) !== bytes[end]) return undefined;

  let number = ones === 0 ? bytes[at + 4]! : bytes[at + 4]! & (0x7f >> ones);
  for (let i = at + 5; i < behindNumber; i++) number = number * 64 + (bytes[i]! & 0x3f);
  let blockSize = sizeCode === 1 ? 192 : sizeCode < 6 ? 144 << sizeCode : 1 << sizeCode;
  if (sizeBytes === 1) blockSize = bytes[behindNumber]! + 1;
  if (sizeBytes === 2) blockSize = ((bytes[behindNumber]! << 8) | bytes[behindNumber + 1]!) + 1;
  return { countsSamples: (bytes[at + 1]! & 1) === 1, number, blockSize, length: end + 1 - at };
}

/** In bytes: twice what samples take that are not compressed at all. What is still no frame by then will be none. */
export function largestFrame({ channels, bitsPerSample }: FlacFormat): number {
  return 0x10000 + (2 * 0x10000 * channels * (bitsPerSample + 1)) / 8;
}
