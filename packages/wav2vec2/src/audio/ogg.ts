import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import { crc32 } from "./crc.js";
import { AGAIN } from "./decoded-audio.js";

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
  /** Of the page, in bytes. */
  length: number;
}

const HEADER = 27;
const MAX_PAGE = HEADER + 255 + 255 * 255;

/** @throws UserError where no page begins at `at`, or it is cut off or damaged */
function readPage(source: ByteSource, at: number, name: string): OggPage {
  const bytes = source.read(at, Math.min(MAX_PAGE, source.size - at));
  const page = parsePage(bytes);
  if (page) return page;
  const reason = bytes.length < MAX_PAGE ? "cut off or damaged: the file is truncated or corrupt" : "damaged";
  throw new UserError(`${name} must be whole Ogg pages, but the one at byte ${at} is ${reason}. ${AGAIN}`);
}

function parsePage(bytes: Uint8Array): OggPage | undefined {
  if (bytes.length < HEADER || String.fromCharCode(...bytes.subarray(0, 5)) !== "OggS\0") return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments = bytes.slice(HEADER, HEADER + bytes[26]!);
  const start = HEADER + segments.length;
  const length = segments.reduce((sum, segment) => sum + segment, start);
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
    length,
  };
}

/**
 * The pages of a file that holds one stream.
 * @throws UserError naming the file where a page is missing, cut off or damaged, or belongs to another stream
 */
export function* oggPages(source: ByteSource, name: string): Generator<OggPage> {
  let first: OggPage | undefined;
  for (let at = 0, sequence = 0; ; sequence++) {
    const page = readPage(source, at, name);
    first ??= page;
    if (page.begins !== (at === 0) || page.serial !== first.serial)
      throw new UserError(
        `${name} must hold one Ogg stream, but holds several. Split it with: ffmpeg -i ${name} OUTPUT.flac`,
      );
    if (page.sequence - first.sequence !== sequence)
      throw new UserError(
        `${name} must hold every Ogg page, but page ${first.sequence + sequence} is missing. ${AGAIN}`,
      );
    at += page.length;
    yield page;
    if (page.ends && at === source.size) return;
    if (page.ends || at >= source.size)
      throw new UserError(
        `${name} must end with the last page of its stream, but ${page.ends ? "goes on behind it" : "does not: it is truncated"}. ${AGAIN}`,
      );
  }
}

/** The packets that end on pages up to one where `until` is true, or of the whole file. */
export function oggPackets(
  pages: Iterable<OggPage>,
  until: (page: OggPage) => boolean = () => false,
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  for (const page of pages) {
    let at = 0;
    let start = 0;
    for (const segment of page.segments) {
      at += segment;
      if (segment === 255) continue;
      parts.push(page.body.subarray(start, at));
      packets.push(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
      parts = [];
      start = at;
    }
    if (start < at) parts.push(page.body.subarray(start, at));
    if (until(page)) break;
  }
  return packets;
}

/**
 * The last page, found from the file's end.
 * @throws UserError where the file does not end with the last page of the stream `serial`
 */
export function lastOggPage(source: ByteSource, serial: number, name: string): OggPage {
  const start = Math.max(0, source.size - MAX_PAGE);
  const bytes = source.read(start, source.size - start);
  for (let at = bytes.length - HEADER; at >= 0; at--) {
    if (bytes[at] !== 0x4f || bytes[at + 1] !== 0x67) continue; // "Og"
    const page = parsePage(bytes.subarray(at));
    if (page && page.serial === serial && page.ends && at + page.length === bytes.length) return page;
  }
  throw new UserError(
    `${name} must end with the last page of its Ogg stream, but does not: it is truncated or corrupt. ${AGAIN}`,
  );
}
