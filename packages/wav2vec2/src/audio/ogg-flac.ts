import type { ByteSource } from "./byte-source.js";
import { ByteStream, sourceChunks } from "./byte-stream.js";
import {
  type AudioHeader,
  collect,
  type DecodedAudio,
  type OnNote,
  type StreamOptions,
} from "./decoded-audio.js";
import { parseStreamInfo } from "./flac.js";
import { streamFlac } from "./flac-stream.js";
import { lastOggPage, oggPages, openEndNote, PacketJoiner, streamPages } from "./ogg.js";

// The first packet is 9 bytes of its own and then a FLAC file's beginning; each further one is a metadata block or a
// frame: https://www.rfc-editor.org/rfc/rfc9639#name-ogg-mapping.
const MAPPING_HEADER = 9;

/** @throws UserError naming the file where its first or last page is damaged */
export function readOggFlacHeader(source: ByteSource, name: string, onNote?: OnNote): AudioHeader {
  const [page] = oggPages(source, name);
  const { sampleRate, channels, bitsPerSample, samples } = parseStreamInfo(
    page!.body.subarray(MAPPING_HEADER),
    name,
  );
  const last = lastOggPage(source, page!.serial, name);
  // Where the header tells the number of samples, it shows that none is missing.
  if (!last.ends && samples === 0) onNote?.(openEndNote(name));
  const length = samples || last.granule;
  return { format: "ogg-flac", sampleRate, channels, bitsPerSample, samples: length };
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
  options: StreamOptions,
): AsyncGenerator<DecodedAudio> {
  return streamFlac(new ByteStream(flacBytes(stream, name, options)), name, options);
}

async function* flacBytes(
  stream: ByteStream,
  name: string,
  { piped, onNote }: StreamOptions,
): AsyncGenerator<Uint8Array> {
  const joiner = new PacketJoiner();
  let isFirst = true;
  let [isOpen, samples] = [true, 0];
  for await (const page of streamPages(stream, name, { piped, onNote })) {
    const packets = joiner.endingOn(page);
    isOpen = !page.ends;
    if (isFirst && packets.length > 0) {
      packets[0] = packets[0]!.subarray(MAPPING_HEADER);
      ({ samples } = parseStreamInfo(packets[0], name));
      isFirst = false;
    }
    yield Buffer.concat(packets);
  }
  if (isOpen && samples === 0) onNote?.(openEndNote(name));
}
