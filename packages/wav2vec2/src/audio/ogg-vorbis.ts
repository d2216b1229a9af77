import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import { AGAIN, type AudioHeader, type DecodedAudio } from "./decoded-audio.js";
import { lastOggPage, oggPages } from "./ogg.js";

/**
 * The length is the last page's place: https://xiph.org/vorbis/doc/Vorbis_I_spec.html#x1-132000A.2.
 * @throws UserError naming the file where its first or last page is damaged
 */
export function readVorbisHeader(source: ByteSource, name: string): AudioHeader {
  const [page] = oggPages(source, name);
  const { body, serial } = page!;
  if (body.length < 30)
    throw new UserError(`${name} must begin with a Vorbis header, but it is cut off. ${AGAIN}`);
  const channels = body[11]!;
  const sampleRate = new DataView(body.buffer, body.byteOffset).getUint32(12, true);
  const samples = lastOggPage(source, serial, name).granule;
  if (channels === 0 || sampleRate === 0 || samples < 0)
    throw new UserError(
      `${name} must have channels, a sample rate and a length, but has ${channels}, ${sampleRate} and ${samples}. ${AGAIN}`,
    );
  return { format: "ogg-vorbis", sampleRate, channels, samples };
}

/** @throws UserError naming the file where it is truncated or corrupt: its length must be the one of its last page */
export async function decodeVorbis(source: ByteSource, name: string): Promise<DecodedAudio> {
  const { samples, sampleRate } = readVorbisHeader(source, name);
  for (const _ of oggPages(source, name)); // every checksum
  const { OggVorbisDecoder } = await import("@wasm-audio-decoders/ogg-vorbis");
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  try {
    const { channelData } = await decoder.decodeFile(source.read(0, source.size));
    if (channelData[0]?.length !== samples)
      throw new Error(`it should hold ${samples} samples, but ${channelData[0]?.length ?? 0} were decoded`);
    return { channelData, sampleRate };
  } catch (error) {
    throw new UserError(
      `${name} must be a valid Vorbis file, but is corrupt: ${(error as Error).message}. ${AGAIN}`,
    );
  } finally {
    decoder.free();
  }
}
