import { UserError } from "../../errors.js";
import type { DecodedAudio, OnNote } from "../decoded-audio.js";
import type { ByteSource } from "../sources/byte-source.js";
import { inputName } from "../sources/source-names.js";
import { lastOggPage, oggPages } from "./ogg.js";
import type { OggPage } from "./ogg-page.js";

// An Ogg file may hold several streams behind one another, each with its own headers: what a station sends, or files that
// were joined. https://www.rfc-editor.org/rfc/rfc3533#section-4

/** One of the streams of a file, as far as its length must be known. */
export interface OggLink {
  /** Can be gone through once; where `isWhole`, to the end and before those of the next stream, else not to the end. */
  pages: Iterable<OggPage>;
  last: OggPage;
  /** Whether all pages were seen. */
  isWhole: boolean;
}

/**
 * The streams of a file. Where there is one that marks its last page and tells its place, no more than the last page is read ahead.
 * @throws UserError as `oggPages`
 */
export function oggLinks(source: ByteSource, name: string, onNote?: OnNote): OggLink[] {
  const [first] = oggPages(source, name);
  const last = lastOggPage(source, name);
  if (first!.serial === last.serial && last.ends && last.granule >= 0)
    return [{ pages: oggPages(source, name, onNote), last, isWhole: false }];
  // Twice through the file, so that a page at a time is held.
  const ends: OggPage[] = [];
  for (const page of oggPages(source, name)) ends[page.begins ? ends.length : ends.length - 1] = page;
  const pages = oggPages(source, name, onNote);
  return ends.map((last) => ({ pages: upTo(last, pages), last, isWhole: true }));
}

/** What comes of pages up to one of them. */
function* upTo(last: OggPage, pages: Generator<OggPage>): Generator<OggPage> {
  for (let next = pages.next(); !next.done; next = pages.next()) {
    yield next.value;
    if (next.value.serial === last.serial && next.value.sequence === last.sequence) return;
  }
}

/**
 * Decodes the streams of a file as their pages come, one behind the other.
 * @param decode one of them
 * @throws UserError where they are of several kinds
 */
export async function* decodeLinks(
  pages: AsyncIterable<OggPage>,
  name: string,
  piped: boolean,
  decode: (pages: AsyncIterable<OggPage>) => AsyncGenerator<DecodedAudio>,
): AsyncGenerator<DecodedAudio> {
  let kind: LinkKind | undefined;
  for await (const link of divide(pages))
    for await (const part of decode(link)) {
      kind ??= { sampleRate: part.sampleRate, channels: part.channelData.length };
      requireAlike(kind, { sampleRate: part.sampleRate, channels: part.channelData.length }, name, piped);
      yield part;
    }
}

export interface LinkKind {
  sampleRate: number;
  channels: number;
}

/** @throws UserError */
export function requireAlike(first: LinkKind, other: LinkKind, name: string, piped = false): void {
  if (first.sampleRate === other.sampleRate && first.channels === other.channels) return;
  const say = ({ sampleRate, channels }: LinkKind) => `${channels} of ${sampleRate} Hz`;
  throw new UserError(
    `${name} must hold Ogg streams of one kind behind one another, but they change from channels ${say(first)} to ` +
      `${say(other)}. Convert it with: ffmpeg -i ${piped ? "INPUT" : inputName(name)} -ac 1 -ar 16000 OUTPUT.flac`,
    { code: "ERR_AUDIO_FORMAT" },
  );
}

/** Each stream's pages; one is to be gone through before the next is asked for. */
async function* divide(pages: AsyncIterable<OggPage>): AsyncGenerator<AsyncGenerator<OggPage>> {
  const iterator = pages[Symbol.asyncIterator]();
  let next = await iterator.next();
  async function* link() {
    do {
      yield next.value as OggPage;
      next = await iterator.next();
    } while (!next.done && !next.value.begins);
  }
  try {
    while (!next.done) yield link();
  } finally {
    await iterator.return?.();
  }
}
