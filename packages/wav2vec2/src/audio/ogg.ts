import { counted } from "../counted.js";
import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import type { ByteStream } from "./byte-stream.js";
import { crc32 } from "./crc.js";
import { AGAIN, type OnNote, type StreamOptions } from "./decoded-audio.js";
import { inputName } from "./source-names.js";
import { startsWith, TAG_HEADER, tagSize } from "./tags.js";

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
/** Of "OggS". */
const PAGE_MARK = 4;
const MAX_PAGE = HEADER + 255 + 255 * 255;

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
export function* oggPages(source: ByteSource, name: string, onNote?: OnNote): Generator<OggPage> {
  const walk = new OggWalk(name, { piped: false, onNote });
  const begin = source.begin ?? 0;
  for (let at = 0; ; ) {
    const bytes = source.read(at, MAX_PAGE);
    const step = walk.step(bytes, begin + at, at + bytes.length >= source.size);
    if (step.kind === "end") return;
    if (step.kind === "page") yield step.page;
    at += step.kind === "page" ? step.page.bytes.length : step.kind === "skip" ? step.length : 0;
  }
}

/**
 * `oggPages` of a file as its bytes come; no more is waited for than the page.
 * @throws UserError as `oggPages`
 */
export async function* streamPages(
  stream: ByteStream,
  name: string,
  options: StreamOptions,
): AsyncGenerator<OggPage> {
  const walk = new OggWalk(name, options);
  for (let isAll = false; ; ) {
    const step = walk.step(stream.bytes, stream.position, isAll);
    if (step.kind === "end") return;
    if (step.kind === "more") isAll = !(await stream.more());
    else if (step.kind === "skip") await stream.skip(step.length);
    else {
      stream.take(step.page.bytes.length);
      yield step.page;
    }
  }
}

type OggStep =
  | { kind: "page"; page: OggPage }
  | { kind: "skip"; length: number }
  | { kind: "more" }
  | { kind: "end" };

/**
 * Goes from page to page of one stream. Their numbers and checksums show whether one is missing, so that anything may
 * stand between them: programs that cut and align files leave it there.
 */
class OggWalk {
  #first: OggPage | undefined;
  #count = 0;
  /** Whether only headers were passed. */
  #isHead = true;
  #ended = false;
  /** Where what is no page begins, since the last one. */
  #unknownAt: number | undefined;
  /** What of it may be a page: one that the file's end cuts off, or one that is all there and damaged. */
  #fault: "cut" | "damaged" | undefined;

  constructor(
    readonly name: string,
    readonly options: StreamOptions,
  ) {}

  /**
   * @param bytes what comes next
   * @param at where it is in the file
   * @param isAll whether nothing comes behind it; a page is always in it where more is not wanted
   * @throws UserError
   */
  step(bytes: Uint8Array, at: number, isAll: boolean): OggStep {
    if (bytes.length === 0 && isAll) return this.#end();
    const isPage = startsWith(bytes, "OggS");
    const isWhole = bytes.length >= HEADER + (bytes[26] ?? 0) && bytes.length >= pageLength(bytes);
    if (isPage && !isWhole && !isAll && bytes.length < MAX_PAGE) return { kind: "more" };
    const page = isPage ? parsePage(bytes) : undefined;
    if (page) {
      this.#check(page);
      this.#unknownAt = undefined;
      return { kind: "page", page };
    }
    if (bytes.length < PAGE_MARK && !isAll) return { kind: "more" };
    const isCut = isAll && !isWhole && startsWith(bytes, "OggS".slice(0, bytes.length));
    return { kind: "skip", length: this.#skipUnknown(bytes, at, isAll, isCut ? "cut" : "damaged") };
  }

  /** @returns the bytes to where a page may begin */
  #skipUnknown(bytes: Uint8Array, at: number, isAll: boolean, fault: "cut" | "damaged"): number {
    this.#unknownAt ??= at;
    const tag = tagSize(bytes.subarray(0, TAG_HEADER));
    const zeros = bytes.findIndex((byte) => byte !== 0);
    if (tag === 0 && zeros === 0) this.#fault ??= fault;
    if (tag > 0 && tag < Number.POSITIVE_INFINITY) return tag;
    let next = bytes.indexOf(0x4f, 1); // "O"
    while (next >= 0 && !startsWith(bytes, "OggS".slice(0, bytes.length - next), next))
      next = bytes.indexOf(0x4f, next + 1);
    if (next > 0) return next;
    return isAll ? bytes.length : bytes.length - PAGE_MARK + 1;
  }

  /** @throws UserError where it is not the next page of the stream */
  #check(page: OggPage): void {
    this.#first ??= page;
    const { serial, sequence } = this.#first;
    const jump = page.sequence - sequence - this.#count;
    // Who listens to a station gets the headers first and then what is being sent.
    if (
      this.#isHead &&
      this.#count >= 2 &&
      jump > 0 &&
      this.#unknownAt === undefined &&
      page.serial === serial
    ) {
      this.#count += jump;
      this.options.onNote?.(
        `${this.name} begins in the midst of an Ogg stream, as recordings of stations do: ${counted(jump, "page")} before are not in it.`,
      );
    }
    if (page.granule > 0) this.#isHead = false;
    if (this.#count === 0 && !page.begins) throw this.#damaged(this.#unknownAt ?? 0);
    if (this.#ended || page.begins !== (this.#count === 0) || page.serial !== serial) {
      const input = this.options.piped ? "INPUT" : inputName(this.name);
      throw new UserError(
        `${this.name} must hold one Ogg stream, but holds several. Make one of them with: ffmpeg -i ${input} OUTPUT.flac`,
        { code: "ERR_AUDIO_FORMAT" },
      );
    }
    if (page.sequence - sequence !== this.#count) {
      const number = sequence + this.#count;
      throw new UserError(
        this.#unknownAt === undefined
          ? `${this.name} must hold every Ogg page, but page ${number} is missing. ${AGAIN}`
          : `${this.name} must hold every Ogg page, but page ${number}, at byte ${this.#unknownAt}, is damaged. ${AGAIN}`,
        { code: "ERR_AUDIO_CORRUPT" },
      );
    }
    this.#count++;
    this.#ended = page.ends;
    this.#fault = undefined;
  }

  /** @throws UserError where a page may have been cut off */
  #end(): OggStep {
    if (this.#count > 0 && (this.#ended || !this.#fault)) return { kind: "end" };
    const at = this.#unknownAt ?? 0;
    if (this.#fault === "damaged") throw this.#damaged(at);
    throw new UserError(
      `${this.name} must be whole Ogg pages, but the one at byte ${at} is cut off: the file is truncated. ${AGAIN}`,
      { code: "ERR_AUDIO_TRUNCATED" },
    );
  }

  #damaged(at: number): UserError {
    return new UserError(
      `${this.name} must be whole Ogg pages, but the one at byte ${at} is damaged: the file is corrupt. ${AGAIN}`,
      { code: "ERR_AUDIO_CORRUPT" },
    );
  }
}

/**
 * Of a stream without the mark of a last page, as some recorders leave it: page numbers and checksums show that nothing
 * is missing before the end, its place that the last page was not shortened.
 */
export function openEndNote(name: string): string {
  return (
    `${name} does not mark its last Ogg page, as some recorders do not: it is read to its end, and that nothing is ` +
    "missing there cannot be known."
  );
}

/** Of a stream that was cut without being decoded: its places are not those of its samples. */
export function misplaced(name: string, samples: number, decoded: number, piped: boolean): UserError {
  const input = piped ? "INPUT" : inputName(name);
  return new UserError(
    `${name} must hold the ${samples} samples that its Ogg pages count, but holds ${decoded}: it was cut out of a longer ` +
      `one, or is corrupt. Convert it with: ffmpeg -i ${input} OUTPUT.flac`,
    { code: "ERR_AUDIO_CORRUPT" },
  );
}

/** @param place the last page's; `expected` by the samples that were decoded */
export function requireOpenEnd(place: number, expected: number, name: string, piped: boolean): void {
  if (place === expected) return;
  const input = piped ? "INPUT" : inputName(name);
  throw new UserError(
    `${name} must end with the mark of its last Ogg page or at the place of its samples, ${expected}, but ends at ${place} ` +
      `without one: it may be truncated. Where it is whole, mark it with: ffmpeg -i ${input} -c copy OUTPUT.ogg`,
    { code: "ERR_AUDIO_TRUNCATED" },
  );
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
  endingOn({ segments, body, continued }: OggPage): Uint8Array[] {
    const packets: Uint8Array[] = [];
    let isRest = continued && this.#parts.length === 0; // of a packet whose beginning is not there
    let at = 0;
    let start = 0;
    for (const segment of segments) {
      at += segment;
      if (segment === 255) continue;
      this.#parts.push(body.subarray(start, at));
      start = at;
      if (isRest) {
        isRest = false;
        this.#parts = [];
        continue;
      }
      packets.push(this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts));
      this.#parts = [];
    }
    if (start < at) this.#parts.push(body.subarray(start, at));
    return packets;
  }
}

/**
 * The last page, found from the file's end; behind it tags may stand.
 * @throws UserError where no page of the stream `serial` is found
 */
export function lastOggPage(source: ByteSource, serial: number, name: string): OggPage {
  for (let end = source.size; end > 0; end -= MAX_PAGE) {
    const start = Math.max(0, end - MAX_PAGE);
    const bytes = source.read(start, end - start + MAX_PAGE);
    for (let at = Math.min(bytes.length - HEADER, end - start - 1); at >= 0; at--) {
      if (bytes[at] !== 0x4f || bytes[at + 1] !== 0x67) continue; // "Og"
      const page = parsePage(bytes.subarray(at));
      if (!page || page.serial !== serial) continue;
      // Without the mark, all of them must be seen to know that nothing is cut off.
      if (!page.ends) for (const _ of oggPages(source, name));
      return page;
    }
  }
  throw new UserError(
    `${name} must end with the last page of its Ogg stream, but does not: it is truncated or corrupt. ${AGAIN}`,
    { code: "ERR_AUDIO_TRUNCATED" },
  );
}
