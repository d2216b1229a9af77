import type { OpusDecoder } from "opus-decoder";
import { UserError } from "../../errors.js";
import {
  AGAIN,
  type AudioHeader,
  collect,
  type DecodedAudio,
  type OnNote,
  type StreamOptions,
} from "../decoded-audio.js";
import type { ByteSource } from "../sources/byte-source.js";
import { ByteStream, sourceChunks } from "../sources/byte-stream.js";
import { openEndNote, PacketJoiner, streamPages } from "./ogg.js";
import { decodeLinks, type OggLink, oggLinks, requireAlike } from "./ogg-links.js";
import type { OggPage } from "./ogg-page.js";
import { OggPlaces } from "./ogg-places.js";
import { decodePackets, OPUS_RATE, type OpusHead, openDecoder, parseHead, samplesOf } from "./opus.js";

// The first packet and the comments.
const HEADER_PACKETS = 2;

/**
 * The length is the last page's place less the first one's and the encoder's delay, of each stream in the file:
 * https://www.rfc-editor.org/rfc/rfc7845#section-4.
 * @throws UserError naming the file where its first or last pages are damaged
 */
export function readOpusHeader(source: ByteSource, name: string, onNote?: OnNote): AudioHeader {
  const links = oggLinks(source, name, onNote).map((link) => readLink(link, name));
  for (const { head } of links) requireAlike(kindOf(links[0]!.head), kindOf(head), name);
  if (links.some(({ isOpen }) => isOpen)) onNote?.(openEndNote(name));
  const samples = links.reduce((sum, link) => sum + link.samples, 0);
  return { format: "ogg-opus", ...kindOf(links[0]!.head), samples };
}

function kindOf({ channels }: OpusHead): { sampleRate: number; channels: number } {
  return { sampleRate: OPUS_RATE, channels };
}

function readLink(
  { pages, last, isWhole }: OggLink,
  name: string,
): { head: OpusHead; samples: number; isOpen: boolean } {
  const isOpen = !last.ends;
  const link = new OpusPages(name, false);
  for (const page of pages) {
    link.push(page);
    if (!isWhole && link.begin !== undefined) break;
  }
  const { head } = link;
  const samples = isWhole ? link.samples : last.granule - (link.begin ?? 0) - head.preSkip;
  if (samples < 0) throw onlyDelay(head, last.granule, name);
  return { head, samples, isOpen };
}

/** @throws UserError naming the file where it is truncated or corrupt: its length must be the one of its last page */
export async function decodeOpus(source: ByteSource, name: string): Promise<DecodedAudio> {
  readOpusHeader(source, name); // a file that is cut off is not decoded
  return collect(streamOpus(new ByteStream(sourceChunks(source), source.begin), name, { piped: false }));
}

/**
 * Decodes an Opus file page by page as its bytes come.
 * @throws UserError as `decodeOpus`
 */
export async function* streamOpus(
  stream: ByteStream,
  name: string,
  { piped, onNote }: StreamOptions,
): AsyncGenerator<DecodedAudio> {
  let isOpen = false;
  yield* decodeLinks(streamPages(stream, name, { piped, onNote }), name, piped, async function* (pages) {
    const link = new OpusPages(name, piped);
    let decoder: OpusDecoder | undefined;
    let given = 0;
    try {
      for await (const page of pages) {
        const sound = link.push(page);
        decoder ??= link.hasHead ? await openDecoder(link.head) : undefined;
        if (!decoder) continue;
        const channelData = decodePackets(decoder, sound, link.head.gain, name);
        const length = Math.min(channelData[0]!.length, Math.max(0, link.samples - link.silence - given));
        given += length;
        yield {
          channelData: channelData.map((channel) => channel.subarray(0, length)),
          sampleRate: OPUS_RATE,
        };
      }
      isOpen ||= !link.ends;
      link.requireWhole(given + link.silence);
      yield { channelData: silenceOf(link.head, link.silence), sampleRate: OPUS_RATE };
    } finally {
      decoder?.free();
    }
  });
  if (isOpen) onNote?.(openEndNote(name));
}

function silenceOf({ channels }: OpusHead, length: number): Float32Array[] {
  return Array.from({ length: channels }, () => new Float32Array(length));
}

/** What one stream's pages hold, one after the other. */
class OpusPages {
  /** Whether the last page was passed. */
  ends = false;
  readonly #joiner = new PacketJoiner();
  #head: OpusHead | undefined;
  #places: OggPlaces | undefined;
  #packets = 0;

  constructor(
    readonly name: string,
    readonly piped: boolean,
  ) {}

  get hasHead(): boolean {
    return this.#head !== undefined;
  }

  /** @throws UserError where the stream ended before it */
  get head(): OpusHead {
    return this.#head ?? parseHead(new Uint8Array(0), this.name);
  }

  /** The place of the first sample, once it is known. */
  get begin(): number | undefined {
    return this.#places?.begin;
  }

  /** To be played, of all pages so far. */
  get samples(): number {
    return this.#places?.samples ?? 0;
  }

  /** Of them, at the end. */
  get silence(): number {
    return this.#places?.silence ?? 0;
  }

  /** @returns the packets of sound that end on a page */
  push(page: OggPage): Uint8Array[] {
    const packets = this.#joiner.endingOn(page);
    if (!this.#head && packets.length > 0) {
      this.#head = parseHead(packets[0]!, this.name);
      this.#places = new OggPlaces(this.name, this.piped, { delay: this.#head.preSkip });
    }
    const sound = packets.slice(Math.max(0, HEADER_PACKETS - this.#packets));
    this.#packets += packets.length;
    this.#places?.push(page, samplesOf(sound));
    this.ends = page.ends;
    const last = page.granule - Math.min(0, this.begin ?? 0);
    if (page.ends && page.granule >= 0 && last < this.head.preSkip)
      throw onlyDelay(this.head, page.granule, this.name);
    return sound;
  }

  /** @throws UserError where fewer samples were decoded than the stream's pages count */
  requireWhole(samples: number): void {
    if (samples === this.samples) return;
    throw new UserError(
      `${this.name} must hold the ${this.samples} samples that its Ogg pages count, but ${samples} were decoded: it is corrupt. ${AGAIN}`,
      { code: "ERR_AUDIO_CORRUPT" },
    );
  }
}

/** Of a stream that ends before its sound begins. */
function onlyDelay({ preSkip }: OpusHead, last: number, name: string): UserError {
  return new UserError(
    `${name} must hold at least its delay of ${preSkip} samples, but ends at ${last}. ${AGAIN}`,
    { code: "ERR_AUDIO_TRUNCATED" },
  );
}
