import {
  type AudioHeader,
  collect,
  type DecodedAudio,
  type OnNote,
  type StreamOptions,
} from "../decoded-audio.js";
import { type FlacInfo, incomplete, parseStreamInfo } from "../flac/flac.js";
import { parseFrameHeader } from "../flac/flac-frames.js";
import { streamFlac } from "../flac/flac-stream.js";
import { joinedBytes } from "../joined.js";
import type { ByteSource } from "../sources/byte-source.js";
import { ByteStream, sourceChunks } from "../sources/byte-stream.js";
import { openEndNote, PacketJoiner, streamPages } from "./ogg.js";
import { decodeLinks, type OggLink, oggLinks, requireAlike } from "./ogg-links.js";
import type { OggPage } from "./ogg-page.js";
import { OggPlaces } from "./ogg-places.js";

// The first packet is 9 bytes of its own and then a FLAC file's beginning; each further one is a metadata block or a
// frame: https://www.rfc-editor.org/rfc/rfc9639#name-ogg-mapping.
const MAPPING_HEADER = 9;

/**
 * The length is what the pages of each stream count, where they mark its end; else what its header tells.
 * @throws UserError naming the file where its first or last page is damaged
 */
export function readOggFlacHeader(source: ByteSource, name: string, onNote?: OnNote): AudioHeader {
  const links = oggLinks(source, name, onNote).map((link) => readLink(link, name, onNote));
  const { sampleRate, channels, bitsPerSample } = links[0]!.info;
  for (const { info } of links) requireAlike(links[0]!.info, info, name);
  const samples = links.reduce((sum, link) => sum + link.samples, 0);
  return { format: "ogg-flac", sampleRate, channels, bitsPerSample, samples };
}

function readLink(
  { pages, last, isWhole }: OggLink,
  name: string,
  onNote?: OnNote,
): { info: FlacInfo; samples: number } {
  const link = new OggFlacPages(name, false);
  for (const page of pages) {
    link.push(page);
    if (!isWhole && link.begin !== undefined) break;
  }
  const counted = isWhole ? link.samples : last.granule - (link.begin ?? 0);
  const { info } = link;
  link.note(counted, last.ends, onNote);
  return { info, samples: last.ends || info.samples === 0 ? counted : info.samples };
}

/** @throws UserError naming the file where it is truncated or corrupt */
export function decodeOggFlac(source: ByteSource, name: string): Promise<DecodedAudio> {
  const stream = new ByteStream(sourceChunks(source), source.begin);
  return collect(streamOggFlac(stream, name, { piped: false }));
}

/** @throws UserError as `decodeOggFlac` */
export function streamOggFlac(
  stream: ByteStream,
  name: string,
  { piped, onNote }: StreamOptions,
): AsyncGenerator<DecodedAudio> {
  return decodeLinks(streamPages(stream, name, { piped, onNote }), name, piped, async function* (pages) {
    const link = new OggFlacPages(name, piped);
    let samples = 0;
    for await (const part of streamFlac(new ByteStream(flacBytes(pages, link)), name, { piped }, true)) {
      samples += part.channelData[0]!.length;
      yield part;
    }
    const told = link.info.samples;
    // Where the pages mark the end, they show that none is missing.
    const expected = link.ends || told === 0 ? link.samples : told;
    if (samples !== expected) throw incomplete(name, expected, samples, link.ends);
    link.note(samples, link.ends, onNote);
  });
}

async function* flacBytes(pages: AsyncIterable<OggPage>, link: OggFlacPages): AsyncGenerator<Uint8Array> {
  for await (const page of pages) yield joinedBytes(link.push(page));
}

/** What one stream's pages hold, one after the other. */
class OggFlacPages {
  /** Whether the last page was passed. */
  ends = false;
  readonly #joiner = new PacketJoiner();
  readonly #places: OggPlaces;
  #info: FlacInfo | undefined;

  constructor(
    readonly name: string,
    piped: boolean,
  ) {
    this.#places = new OggPlaces(name, piped, { isCut: false });
  }

  /** @throws UserError where the stream ended before it */
  get info(): FlacInfo {
    return this.#info ?? parseStreamInfo(new Uint8Array(0), this.name);
  }

  /** The place of the first sample, once it is known. */
  get begin(): number | undefined {
    return this.#places.begin;
  }

  get samples(): number {
    return this.#places.samples;
  }

  /** @returns the parts of a FLAC file that end on a page */
  push(page: OggPage): Uint8Array[] {
    const packets = this.#joiner.endingOn(page);
    if (!this.#info && packets.length > 0) {
      packets[0] = packets[0]!.subarray(MAPPING_HEADER);
      this.#info = parseStreamInfo(packets[0], this.name);
    }
    const samples = packets.reduce((sum, packet) => sum + (parseFrameHeader(packet, 0)?.blockSize ?? 0), 0);
    this.#places.push(page, samples);
    this.ends = page.ends;
    return packets;
  }

  /** @param isMarked whether the last page is marked */
  note(samples: number, isMarked: boolean, onNote?: OnNote): void {
    const told = this.info.samples;
    // Where the header tells the number of samples, it shows that none is missing.
    if (!isMarked && told === 0) onNote?.(openEndNote(this.name));
    if (isMarked && told > 0 && told !== samples)
      onNote?.(
        `${this.name} holds ${samples} samples where its FLAC header tells ${told}, as files do that were cut or joined ` +
          "without being decoded: all that its Ogg pages count are read.",
      );
  }
}
