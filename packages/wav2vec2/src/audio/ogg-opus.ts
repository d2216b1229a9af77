import type { OpusDecoder } from "opus-decoder";
import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import { ByteStream, sourceChunks } from "./byte-stream.js";
import {
  AGAIN,
  type AudioHeader,
  collect,
  type DecodedAudio,
  type OnNote,
  type StreamOptions,
} from "./decoded-audio.js";
import {
  lastOggPage,
  misplaced,
  type OggPage,
  oggPackets,
  oggPages,
  openEndNote,
  PacketJoiner,
  requireOpenEnd,
  streamPages,
} from "./ogg.js";
import { decodePackets, OPUS_RATE, type OpusHead, openDecoder, parseHead, samplesOf } from "./opus.js";

// The first packet and the comments.
const HEADER_PACKETS = 2;

/**
 * The length is the last page's place less the first one's and the encoder's delay:
 * https://www.rfc-editor.org/rfc/rfc7845#section-4.
 * @throws UserError naming the file where its first or last pages are damaged
 */
export function readOpusHeader(source: ByteSource, name: string, onNote?: OnNote): AudioHeader {
  // Two header packets, then packets up to the first page that says where it ends.
  let first: OggPage | undefined;
  let pages = 0;
  let serial = 0;
  const packets = oggPackets(oggPages(source, name, onNote), (page) => {
    serial = page.serial;
    first = page;
    return ++pages > HEADER_PACKETS && page.granule > 0;
  });
  const head = parseHead(packets[0]!, name);
  const { granule: last, ends } = lastOggPage(source, serial, name);
  const begin = beginOf(first!, samplesOf(packets.slice(HEADER_PACKETS)), name, false);
  if (!ends) {
    const sound = oggPackets(oggPages(source, name)).slice(HEADER_PACKETS);
    requireOpenEnd(last, begin + samplesOf(sound), name, false);
    onNote?.(openEndNote(name));
  }
  const samples = playedSamples(head, begin, last, name);
  return { format: "ogg-opus", sampleRate: OPUS_RATE, channels: head.channels, samples };
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
  const joiner = new PacketJoiner();
  let [pageCount, packetCount] = [0, 0];
  let head: OpusHead | undefined;
  let decoder: OpusDecoder | undefined;
  let begin: number | undefined;
  let passed = 0; // until the first page's place is known
  let given = 0;
  let last: OggPage | undefined;
  try {
    for await (const page of streamPages(stream, name, { piped, onNote })) {
      last = page;
      const packets = joiner.endingOn(page);
      if (packetCount === 0 && packets.length > 0) {
        head = parseHead(packets[0]!, name);
        decoder = await openDecoder(head);
      }
      const sound = packets.slice(Math.max(0, HEADER_PACKETS - packetCount));
      packetCount += packets.length;
      passed += samplesOf(sound);
      if (++pageCount > HEADER_PACKETS && page.granule > 0) begin ??= beginOf(page, passed, name, piped);
      if (!head || !decoder) continue;
      const channelData = decodePackets(decoder, sound, head.gain, name);
      if (!page.ends) {
        given += channelData[0]!.length;
        yield { channelData, sampleRate: OPUS_RATE };
        continue;
      }
      const samples = playedSamples(head, begin ?? 0, page.granule, name);
      const decoded = given + channelData[0]!.length;
      if (decoded < samples || samples < given) throw misplaced(name, samples, decoded, piped);
      yield {
        channelData: channelData.map((channel) => channel.subarray(0, samples - given)),
        sampleRate: OPUS_RATE,
      };
    }
    if (!last?.ends) {
      requireOpenEnd(last?.granule ?? 0, (begin ?? 0) + passed, name, piped);
      const samples = playedSamples(head!, begin ?? 0, last!.granule, name);
      if (given !== samples) throw misplaced(name, samples, given, piped);
      onNote?.(openEndNote(name));
    }
  } finally {
    decoder?.free();
  }
}

/**
 * The place of the first sample: one that was cut out of a longer stream begins later than 0.
 * @param page the first with a place
 * @param passed samples up to its end
 * @throws UserError where it holds more than its place, which the last page alone may
 */
function beginOf({ granule, ends }: OggPage, passed: number, name: string, piped: boolean): number {
  if (granule < passed && !ends) throw misplaced(name, granule, passed, piped);
  return Math.max(0, granule - passed);
}

/** @throws UserError where the last page lies before the sound */
function playedSamples({ preSkip }: OpusHead, begin: number, last: number, name: string): number {
  const samples = last - begin - preSkip;
  if (samples >= 0) return samples;
  throw new UserError(
    `${name} must hold at least its delay of ${preSkip} samples, but ends at ${last}. ${AGAIN}`,
    { code: "ERR_AUDIO_TRUNCATED" },
  );
}
