import type { OggVorbisDecoder } from "@wasm-audio-decoders/ogg-vorbis";
import { UserError } from "../../errors.js";
import { latin1Bytes } from "../../latin1.js";
import {
  AGAIN,
  type AudioHeader,
  collect,
  type DecodedAudio,
  type OnNote,
  type StreamOptions,
} from "../decoded-audio.js";
import { joined, joinedBytes } from "../joined.js";
import type { ByteSource } from "../sources/byte-source.js";
import { ByteStream, sourceChunks } from "../sources/byte-stream.js";
import { openEndNote, PacketJoiner, streamPages } from "./ogg.js";
import { decodeLinks, type LinkKind, type OggLink, oggLinks, requireAlike } from "./ogg-links.js";
import { HEADER, type OggPage } from "./ogg-page.js";
import { OggPlaces } from "./ogg-places.js";
import { VorbisBlocks } from "./vorbis-blocks.js";

// The first packet, the comments and the setup.
const HEADER_PACKETS = 3;

/**
 * The length is the last page's place less the first one's, of each stream in the file:
 * https://xiph.org/vorbis/doc/Vorbis_I_spec.html#x1-132000A.2.
 * @throws UserError naming the file where its first or last page is damaged
 */
export function readVorbisHeader(source: ByteSource, name: string, onNote?: OnNote): AudioHeader {
  const links = oggLinks(source, name, onNote).map((link) => readLink(link, name));
  for (const { kind } of links) requireAlike(links[0]!.kind, kind, name);
  if (links.some(({ isOpen }) => isOpen)) onNote?.(openEndNote(name));
  const samples = links.reduce((sum, link) => sum + link.samples, 0);
  return { format: "ogg-vorbis", ...links[0]!.kind, samples };
}

function readLink(
  { pages, last, isWhole }: OggLink,
  name: string,
): { kind: LinkKind; samples: number; isOpen: boolean } {
  const link = new VorbisPages(name, false);
  for (const page of pages) {
    link.push(page);
    if (!isWhole && link.begin !== undefined) break;
  }
  const samples = isWhole ? link.samples : last.granule - (link.begin ?? 0);
  if (samples < 0) throw corrupt(name, `it begins at sample ${link.begin} and ends at ${last.granule}`);
  return { kind: link.kind, samples, isOpen: !last.ends };
}

/** @throws UserError naming the file where it is truncated or corrupt: its length must be the one of its last page */
export async function decodeVorbis(source: ByteSource, name: string): Promise<DecodedAudio> {
  readVorbisHeader(source, name); // a file that is cut off is not decoded
  return collect(streamVorbis(new ByteStream(sourceChunks(source), source.begin), name, { piped: false }));
}

/**
 * Decodes a Vorbis file page by page as its bytes come.
 * @throws UserError as `decodeVorbis`
 */
export async function* streamVorbis(
  stream: ByteStream,
  name: string,
  { piped, onNote }: StreamOptions,
): AsyncGenerator<DecodedAudio> {
  let isOpen = false;
  yield* decodeLinks(streamPages(stream, name, { piped, onNote }), name, piped, async function* (pages) {
    const link = new VorbisPages(name, piped);
    const decoder = await VorbisDecoder.open(name);
    try {
      for await (const page of pages) {
        const { packets, samples, kept } = link.push(page);
        const channelData = await decoder.decode(packets, samples, kept);
        if (channelData.length > 0) yield { channelData, sampleRate: link.kind.sampleRate };
      }
      isOpen ||= !link.ends;
      const { channels, sampleRate } = link.kind;
      const rest = await decoder.end(channels);
      const silence = new Float32Array(link.silence);
      yield { channelData: rest.map((samples) => joined([samples, silence])), sampleRate };
    } finally {
      decoder.free();
    }
  });
  if (isOpen) onNote?.(openEndNote(name));
}

/** What one stream's pages hold, one after the other. */
class VorbisPages {
  /** Whether the last page was passed. */
  ends = false;
  readonly #joiner = new PacketJoiner();
  readonly #head: Uint8Array[] = [];
  readonly #places: OggPlaces;
  #blocks: VorbisBlocks | undefined;

  constructor(
    readonly name: string,
    piped: boolean,
  ) {
    this.#places = new OggPlaces(name, piped);
  }

  /** @throws UserError where the stream ended before it */
  get kind(): LinkKind {
    return parseFormat(this.#head[0] ?? new Uint8Array(0), this.name);
  }

  /** The place of the first sample, once it is known. */
  get begin(): number | undefined {
    return this.#places.begin;
  }

  get samples(): number {
    return this.#places.samples;
  }

  /** Of them, at the end. */
  get silence(): number {
    return this.#places.silence;
  }

  /** @returns the packets that end on a page, the samples they hold, and how many of those count */
  push(page: OggPage): { packets: Uint8Array[]; samples: number; kept: number } {
    const packets = this.#joiner.endingOn(page);
    let samples = 0;
    for (const packet of packets) {
      if (this.#head.length < HEADER_PACKETS) this.#takeHead(packet);
      else samples += this.#blocks!.samplesOf(packet);
    }
    this.ends = page.ends;
    const kept = this.#places.push(page, samples);
    return { packets, samples, kept };
  }

  #takeHead(packet: Uint8Array): void {
    this.#head.push(packet);
    const [identification, , setup] = this.#head;
    if (this.#head.length === 1) parseFormat(packet, this.name);
    if (!setup) return;
    try {
      this.#blocks = new VorbisBlocks(identification!, setup);
    } catch (error) {
      throw corrupt(this.name, (error as Error).message);
    }
  }
}

function parseFormat(packet: Uint8Array, name: string): LinkKind {
  if (packet.length < 30)
    throw new UserError(`${name} must begin with a Vorbis header, but it is cut off. ${AGAIN}`, {
      code: "ERR_AUDIO_TRUNCATED",
    });
  const channels = packet[11]!;
  const sampleRate = new DataView(packet.buffer, packet.byteOffset).getUint32(12, true);
  if (channels === 0 || sampleRate === 0)
    throw new UserError(
      `${name} must have channels and a sample rate, but has ${channels} and ${sampleRate}. ${AGAIN}`,
      { code: "ERR_AUDIO_CORRUPT" },
    );
  return { sampleRate, channels };
}

/** Decodes one stream. What is to be cut away is known from its pages, not left to the library. */
class VorbisDecoder {
  readonly #writer = new PageWriter();
  /** Of pages that the library did not give yet: it gives one when it has seen the next. */
  readonly #pending: { samples: number; kept: number }[] = [];
  #opening: Uint8Array[] = [];
  #soundPages = 0;

  private constructor(
    readonly decoder: OggVorbisDecoder,
    readonly name: string,
  ) {}

  static async open(name: string): Promise<VorbisDecoder> {
    const { OggVorbisDecoder: Decoder } = await import("@wasm-audio-decoders/ogg-vorbis");
    const decoder = new Decoder();
    await decoder.ready;
    return new VorbisDecoder(decoder, name);
  }

  /**
   * @param samples that the packets hold
   * @param kept how many of them count
   * @returns [channels][samples] of what can be given by now, without channels where nothing can
   */
  async decode(packets: Uint8Array[], samples: number, kept: number): Promise<Float32Array[]> {
    const page = this.#writer.write(packets);
    if (samples > 0) this.#pending.push({ samples, kept });
    // The library must not be asked before it has seen sound.
    if (this.#soundPages < 2) {
      this.#opening.push(page);
      if (samples > 0) this.#soundPages++;
      if (this.#soundPages < 2) return [];
      return this.#take(this.decoder.decode(joinedBytes(this.#opening)));
    }
    return this.#take(this.decoder.decode(page));
  }

  /** @returns the rest */
  async end(channels: number): Promise<Float32Array[]> {
    const isShort = this.#soundPages < 2;
    if (isShort && this.#soundPages === 0) return Array.from({ length: channels }, () => new Float32Array(0));
    const rest = await this.#take(
      isShort ? this.decoder.decodeFile(joinedBytes(this.#opening)) : this.decoder.flush(),
    );
    const missing = this.#pending.reduce((sum, page) => sum + page.samples, 0);
    if (missing > 0) throw corrupt(this.name, `${missing} samples at its end could not be decoded`);
    return rest;
  }

  free(): void {
    this.decoder.free();
  }

  async #take(
    decoding: Promise<{ channelData: Float32Array[]; samplesDecoded: number }>,
  ): Promise<Float32Array[]> {
    const decoded = await decoding.catch((error: Error) => {
      throw corrupt(this.name, error.message);
    });
    const ranges: [from: number, to: number][] = [];
    let at = 0;
    while (at < decoded.samplesDecoded) {
      const page = this.#pending[0];
      if (!page)
        throw corrupt(this.name, `it holds ${decoded.samplesDecoded - at} samples more than its packets say`);
      const length = Math.min(page.samples, decoded.samplesDecoded - at);
      const kept = Math.min(page.kept, length);
      ranges.push([at, at + kept]);
      page.samples -= length;
      page.kept -= kept;
      at += length;
      if (page.samples === 0) this.#pending.shift();
    }
    return decoded.channelData.map((channel) =>
      joined(ranges.map(([from, to]) => channel.subarray(from, to))),
    );
  }
}

// A page has 255 segments of 255 bytes at most.
const MOST_SEGMENTS = 255;
const SEGMENT = 255;

/**
 * Writes pages of whole packets for the library, which takes parts of packets in front of a cut for packets and places for
 * ends. It reads no checksums.
 */
class PageWriter {
  #count = 0;

  write(packets: readonly Uint8Array[]): Uint8Array {
    const pages: Uint8Array[] = [];
    let [segments, bodies]: [number[], Uint8Array[]] = [[], []];
    const close = () => {
      if (segments.length > 0) pages.push(this.#page(segments, bodies));
      [segments, bodies] = [[], []];
    };
    for (const packet of packets) {
      // The comments may be long, and tell nothing of the sound.
      const body = packet[0] === 3 ? NO_COMMENTS : packet;
      const count = Math.floor(body.length / SEGMENT) + 1;
      if (segments.length + count > MOST_SEGMENTS) close();
      for (let i = 1; i < count; i++) segments.push(SEGMENT);
      segments.push(body.length % SEGMENT);
      bodies.push(body);
    }
    close();
    return joinedBytes(pages);
  }

  #page(segments: number[], bodies: Uint8Array[]): Uint8Array {
    const head = new Uint8Array(HEADER);
    const view = new DataView(head.buffer);
    head.set(latin1Bytes("OggS"));
    head[5] = this.#count === 0 ? 2 : 0;
    view.setUint32(14, 1, true);
    view.setUint32(18, this.#count++, true);
    head[26] = segments.length;
    return joinedBytes([head, Uint8Array.from(segments), ...bodies]);
  }
}

const NO_COMMENTS = latin1Bytes("\x03vorbis\0\0\0\0\0\0\0\0\x01");

function corrupt(name: string, reason: string): UserError {
  return new UserError(`${name} must be a valid Vorbis file, but is corrupt: ${reason}. ${AGAIN}`, {
    code: "ERR_AUDIO_CORRUPT",
  });
}
