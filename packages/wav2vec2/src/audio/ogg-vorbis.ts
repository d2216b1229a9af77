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
  oggPages,
  openEndNote,
  requireOpenEnd,
  streamPages,
} from "./ogg.js";

/**
 * The length is the last page's place: https://xiph.org/vorbis/doc/Vorbis_I_spec.html#x1-132000A.2.
 * @throws UserError naming the file where its first or last page is damaged
 */
export function readVorbisHeader(source: ByteSource, name: string, onNote?: OnNote): AudioHeader {
  const [page] = oggPages(source, name);
  const { granule: samples, ends } = lastOggPage(source, page!.serial, name);
  if (!ends) onNote?.(openEndNote(name));
  return { format: "ogg-vorbis", ...parseFormat(page!, samples, name), samples };
}

function parseFormat(
  { body }: OggPage,
  samples: number,
  name: string,
): { sampleRate: number; channels: number } {
  if (body.length < 30)
    throw new UserError(`${name} must begin with a Vorbis header, but it is cut off. ${AGAIN}`, {
      code: "ERR_AUDIO_TRUNCATED",
    });
  const channels = body[11]!;
  const sampleRate = new DataView(body.buffer, body.byteOffset).getUint32(12, true);
  if (channels === 0 || sampleRate === 0 || samples < 0)
    throw new UserError(
      `${name} must have channels, a sample rate and a length, but has ${channels}, ${sampleRate} and ${samples}. ${AGAIN}`,
    );
  return { sampleRate, channels };
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
  const { OggVorbisDecoder } = await import("@wasm-audio-decoders/ogg-vorbis");
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  let given = 0;
  let sampleRate = 0;
  const finish = async (decoding: Promise<{ channelData: Float32Array[]; samplesDecoded: number }>) => {
    try {
      const { channelData, samplesDecoded } = await decoding;
      given += samplesDecoded;
      return { channelData, sampleRate };
    } catch (error) {
      throw corrupt(name, (error as Error).message);
    }
  };
  // The decoder gives a page when it has seen the next one, and must not be asked before it has seen sound.
  let [opening, soundPages] = [new Uint8Array(0), 0];
  let last: OggPage | undefined;
  try {
    for await (const page of streamPages(stream, name, { piped, onNote })) {
      last = page;
      if (page.begins) ({ sampleRate } = parseFormat(page, 0, name));
      if (soundPages < 2) {
        opening = Buffer.concat([opening, page.bytes]);
        if (page.granule > 0) soundPages++;
        if (page.ends) yield await finish(decoder.decodeFile(opening));
        else if (soundPages === 2) yield await finish(decoder.decode(opening));
      } else {
        yield await finish(decoder.decode(page.bytes));
        // It cuts the last page where that says.
        if (page.ends) yield await finish(decoder.flush());
      }
      if (page.ends && given !== page.granule) throw misplaced(name, page.granule, given, piped);
    }
    if (!last?.ends) {
      yield await finish(soundPages < 2 ? decoder.decodeFile(opening) : decoder.flush());
      requireOpenEnd(last?.granule ?? 0, given, name, piped);
      onNote?.(openEndNote(name));
    }
  } finally {
    decoder.free();
  }
}

function corrupt(name: string, reason: string): UserError {
  return new UserError(`${name} must be a valid Vorbis file, but is corrupt: ${reason}. ${AGAIN}`);
}
