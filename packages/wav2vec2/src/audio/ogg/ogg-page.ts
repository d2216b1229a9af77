import { crc32 } from "../flac/crc.js";

/** A page of an Ogg file: https://www.rfc-editor.org/rfc/rfc3533#section-6. */
export interface OggPage {
  /** The place in the stream, in the codec's units, where the last packet that ends on this page ends; -1: none does. */
  granule: number;
  serial: number;
  sequence: number;
  continued: boolean;
  begins: boolean;
  ends: boolean;
  /** Lengths of the segments; a packet ends with one shorter than 255. */
  segments: Uint8Array;
  body: Uint8Array;
  /** The whole page. */
  bytes: Uint8Array;
}

/** Of a page, without the lengths of its segments. */
export const HEADER = 27;
export const MAX_PAGE = HEADER + 255 + 255 * 255;

export function parsePage(bytes: Uint8Array): OggPage | undefined {
  if (bytes.length < HEADER || String.fromCharCode(...bytes.subarray(0, 5)) !== "OggS\0") return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments = bytes.slice(HEADER, HEADER + bytes[26]!);
  const start = HEADER + segments.length;
  const length = pageLength(bytes);
  if (segments.length < bytes[26]! || length > bytes.length) return undefined;
  const checksum = crc32(bytes, 26, length, crc32(new Uint8Array(4), 0, 4, crc32(bytes, 0, 22)));
  if (checksum !== view.getUint32(22, true)) return undefined;
  const flags = bytes[5]!;
  return {
    granule: Number(view.getBigInt64(6, true)),
    serial: view.getUint32(14, true),
    sequence: view.getUint32(18, true),
    continued: (flags & 1) !== 0,
    begins: (flags & 2) !== 0,
    ends: (flags & 4) !== 0,
    segments,
    body: bytes.subarray(start, length),
    bytes: bytes.subarray(0, length),
  };
}

/** Of a page, by as much of its header as is there. */
export function pageLength(bytes: Uint8Array): number {
  const segments = bytes.subarray(HEADER, HEADER + (bytes[26] ?? 0));
  return segments.reduce((sum, segment) => sum + segment, HEADER + segments.length);
}
