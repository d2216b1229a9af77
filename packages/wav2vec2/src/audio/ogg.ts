import { UserError } from "../errors.js";
import { shellName } from "../files/shell-name.js";
import type { ByteSource } from "./byte-source.js";
import type { ByteStream } from "./byte-stream.js";
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
  /** The whole page. */
  bytes: Uint8Array;
}

const HEADER = 27;
const MAX_PAGE = HEADER + 255 + 255 * 255;

/**
 * @param bytes from a page's beginning to the end of the longest one, or the file's end
 * @param at where they are in the file
 * @throws UserError where no page begins there, or it is cut off or damaged
 */
function requirePage(bytes: Uint8Array, at: number, name: string): OggPage {
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
function pageLength(bytes: Uint8Array): number {
  const segments = bytes.subarray(HEADER, HEADER + (bytes[26] ?? 0));
  return segments.reduce((sum, segment) => sum + segment, HEADER + segments.length);
}

/**
 * The pages of a file that holds one stream.
 * @throws UserError naming the file where a page is missing, cut off or damaged, or belongs to another stream
 */
export function* oggPages(source: ByteSource, name: string): Generator<OggPage> {
  const order = new PageOrder(name);
  for (let at = 0; ; ) {
    const page = requirePage(source.read(at, Math.min(MAX_PAGE, source.size - at)), at, name);
    order.check(page);
    at += page.bytes.length;
    yield page;
    if (order.isLast(page, at >= source.size)) return;
  }
}

/**
 * `oggPages` of a file as its bytes come.
 * @throws UserError as `oggPages`
 */
export async function* streamPages(stream: ByteStream, name: string): AsyncGenerator<OggPage> {
  const order = new PageOrder(name);
  for (;;) {
    // No more is waited for than the page.
    if (await stream.fill(HEADER)) await stream.fill(HEADER + stream.bytes[26]!);
    await stream.fill(pageLength(stream.bytes));
    if (!parsePage(stream.bytes)) await stream.fill(MAX_PAGE);
    const page = requirePage(stream.bytes.subarray(0, MAX_PAGE), stream.position, name);
    order.check(page);
    stream.take(page.bytes.length);
    yield page;
    if (order.isLast(page, !(await stream.fill(1)))) return;
  }
}

/** Whether pages are those of one stream, each of them. */
class PageOrder {
  #first: OggPage | undefined;
  #count = 0;

  constructor(readonly name: string) {}

  /** @throws UserError */
  check(page: OggPage): void {
    this.#first ??= page;
    const { serial, sequence } = this.#first;
    if (page.begins !== (this.#count === 0) || page.serial !== serial)
      throw new UserError(
        `${this.name} must hold one Ogg stream, but holds several. Split it with: ffmpeg -i ${shellName(this.name)} OUTPUT.flac`,
      );
    if (page.sequence - sequence !== this.#count)
      throw new UserError(
        `${this.name} must hold every Ogg page, but page ${sequence + this.#count} is missing. ${AGAIN}`,
      );
    this.#count++;
  }

  /** @throws UserError where the stream ends before the file, or the file before the stream */
  isLast(page: OggPage, atEnd: boolean): boolean {
    if (page.ends !== atEnd)
      throw new UserError(
        `${this.name} must end with the last page of its stream, but ${page.ends ? "goes on behind it" : "does not: it is truncated"}. ${AGAIN}`,
      );
    return atEnd;
  }
}

/** The packets that end on pages up to one where `until` is true, or of the whole file. */
export function oggPackets(
  pages: Iterable<OggPage>,
  until: (page: OggPage) => boolean = () => false,
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  const joiner = new PacketJoiner();
  for (const page of pages) {
    for (const packet of joiner.endingOn(page)) packets.push(packet);
    if (until(page)) break;
  }
  return packets;
}

/** Joins packets that were divided among pages. */
export class PacketJoiner {
  #parts: Uint8Array[] = [];

  /** The packets that end on a page, the one behind those that were given before. */
  endingOn({ segments, body }: OggPage): Uint8Array[] {
    const packets: Uint8Array[] = [];
    let at = 0;
    let start = 0;
    for (const segment of segments) {
      at += segment;
      if (segment === 255) continue;
      this.#parts.push(body.subarray(start, at));
      packets.push(this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts));
      this.#parts = [];
      start = at;
    }
    if (start < at) this.#parts.push(body.subarray(start, at));
    return packets;
  }
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
    if (page && page.serial === serial && page.ends && at + page.bytes.length === bytes.length) return page;
  }
  throw new UserError(
    `${name} must end with the last page of its Ogg stream, but does not: it is truncated or corrupt. ${AGAIN}`,
  );
}
