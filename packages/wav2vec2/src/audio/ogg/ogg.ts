import { counted } from "../../counted.js";
import { UserError } from "../../errors.js";
import { AGAIN, type OnNote, type StreamOptions } from "../decoded-audio.js";
import { joinedBytes } from "../joined.js";
import { startsWith, TAG_HEADER, tagSize } from "../mp3/tags.js";
import type { ByteSource } from "../sources/byte-source.js";
import type { ByteStream } from "../sources/byte-stream.js";
import { refuseRecordingBehind } from "../sources/recording-behind.js";
import { inputName } from "../sources/source-names.js";
import { isSilentStream } from "./ogg-codec.js";
import { HEADER, MAX_PAGE, type OggPage, pageLength, parsePage } from "./ogg-page.js";

/** Of "OggS". */
const PAGE_MARK = 4;

/**
 * The pages of sound of a file: of one stream, or of several behind one another. Streams of other things beside it, such as a
 * picture's or a skeleton, are left out.
 * @throws UserError naming the file where a page is missing, cut off or damaged, or another stream of sound is beside the first
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
 * Goes from page to page. Their numbers and checksums show whether one is missing, so that anything may
 * stand between them: programs that cut and align files leave it there.
 */
class OggWalk {
  /** Of the stream of sound. */
  #first: OggPage | undefined;
  /** Whether only first pages of streams were passed: all of them stand in front. */
  #isOpening = true;
  /** Serial numbers of streams of sound, and of what is beside the last of them. */
  readonly #sounds = new Set<number>();
  #others = new Set<number>();
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
      const isSound = this.#choose(page);
      if (isSound) this.#check(page);
      this.#unknownAt = undefined;
      return isSound ? { kind: "page", page } : { kind: "skip", length: page.bytes.length };
    }
    if (bytes.length < PAGE_MARK && !isAll) return { kind: "more" };
    const isCut = isAll && !isWhole && startsWith(bytes, "OggS".slice(0, bytes.length));
    return { kind: "skip", length: this.#skipUnknown(bytes, at, isAll, isCut ? "cut" : "damaged") };
  }

  /** @returns the bytes to where a page may begin */
  #skipUnknown(bytes: Uint8Array, at: number, isAll: boolean, fault: "cut" | "damaged"): number {
    this.#unknownAt ??= at;
    if (!startsWith(bytes, "OggS"))
      refuseRecordingBehind(bytes, at, { name: this.name, piped: this.options.piped, ending: "ogg" });
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

  /** Whether a page is of the stream of sound. @throws UserError where two such streams are beside one another */
  #choose(page: OggPage): boolean {
    if (!page.begins) {
      this.#isOpening = false;
      return !this.#others.has(page.serial);
    }
    if (!this.#isOpening) {
      // Another recording, behind the one before.
      this.#first = undefined;
      this.#others = new Set();
      [this.#count, this.#isHead, this.#ended, this.#isOpening] = [0, true, false, true];
    }
    if (isSilentStream(page.body)) {
      this.#others.add(page.serial);
      return false;
    }
    if (this.#first || this.#sounds.has(page.serial)) throw this.#several();
    this.#first = page;
    this.#sounds.add(page.serial);
    return true;
  }

  /** @throws UserError where it is not the next page of the stream */
  #check(page: OggPage): void {
    if (!this.#first) throw this.#damaged(this.#unknownAt ?? 0);
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
    if (this.#ended || page.serial !== serial) throw this.#several();
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

  #several(): UserError {
    const input = this.options.piped ? "INPUT" : inputName(this.name);
    return new UserError(
      `${this.name} must hold one Ogg stream of sound at a time, but holds several beside one another, or one twice. ` +
        `Take one of them: ffmpeg -i ${input} -map 0:a:0 OUTPUT.flac`,
      { code: "ERR_AUDIO_FORMAT" },
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
 * is missing before the end.
 */
export function openEndNote(name: string): string {
  return (
    `${name} does not mark its last Ogg page, as some recorders do not: it is read to its end, and that nothing is ` +
    "missing there cannot be known."
  );
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
      packets.push(this.#parts.length === 1 ? this.#parts[0]! : joinedBytes(this.#parts));
      this.#parts = [];
    }
    if (start < at) this.#parts.push(body.subarray(start, at));
    return packets;
  }
}

/**
 * The last page, found from the file's end; behind it tags may stand.
 * @throws UserError where none is found
 */
export function lastOggPage(source: ByteSource, name: string): OggPage {
  for (let end = source.size; end > 0; end -= MAX_PAGE) {
    const start = Math.max(0, end - MAX_PAGE);
    const bytes = source.read(start, end - start + MAX_PAGE);
    for (let at = Math.min(bytes.length - HEADER, end - start - 1); at >= 0; at--) {
      if (bytes[at] !== 0x4f || bytes[at + 1] !== 0x67) continue; // "Og"
      const page = parsePage(bytes.subarray(at));
      if (page) return page;
    }
  }
  throw new UserError(
    `${name} must end with the last page of its Ogg stream, but does not: it is truncated or corrupt. ${AGAIN}`,
    { code: "ERR_AUDIO_TRUNCATED" },
  );
}
