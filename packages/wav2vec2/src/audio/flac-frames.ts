import { crc8, crc16Next } from "./crc.js";

/**
 * Splits a FLAC file into its frames (https://www.rfc-editor.org/rfc/rfc9639#name-frame-structure). A frame
 * ends where the checksum over it, its own CRC-16 included, is 0 and the file ends or a valid frame header
 * follows. The decoder's own parser is not used: it loses the last frame of many files.
 * @returns the frames and the number of bytes behind the last one, which are a damaged frame or junk
 */
export function splitFrames(bytes: Uint8Array): { frames: Uint8Array[]; rest: number } {
  const frames: Uint8Array[] = [];
  let start = metadataEnd(bytes);
  let checksum = 0;
  for (let at = start; at < bytes.length; at++) {
    checksum = crc16Next(checksum, bytes[at]!);
    const end = at + 1;
    if (
      checksum === 0 &&
      (end === bytes.length || isFrameHeader(bytes, end)) &&
      isFrameHeader(bytes, start)
    ) {
      frames.push(bytes.subarray(start, end));
      start = end;
    }
  }
  return { frames, rest: bytes.length - start };
}

/** Where the metadata blocks end; the file's length where they are cut off. */
function metadataEnd(bytes: Uint8Array): number {
  let at = 4; // behind "fLaC"
  let last = false;
  while (!last && at + 4 <= bytes.length) {
    last = (bytes[at]! & 0x80) !== 0;
    at += 4 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
  return last ? Math.min(at, bytes.length) : bytes.length;
}

function isFrameHeader(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xfe) !== 0xf8) return false;
  const blockSize = bytes[at + 2]! >> 4;
  const sampleRate = bytes[at + 2]! & 15;
  const leadingOnes = Math.clz32(~(bytes[at + 4]! << 24)); // of the frame number, coded as in UTF-8
  const length =
    4 +
    Math.max(1, leadingOnes) +
    (blockSize === 6 ? 1 : blockSize === 7 ? 2 : 0) +
    (sampleRate === 12 ? 1 : sampleRate === 13 || sampleRate === 14 ? 2 : 0);
  return at + length < bytes.length && crc8(bytes.subarray(at, at + length)) === bytes[at + length];
}
