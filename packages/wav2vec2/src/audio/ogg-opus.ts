import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import { AGAIN, type AudioHeader, type DecodedAudio } from "./decoded-audio.js";
import { lastOggPage, oggPackets, oggPages } from "./ogg.js";

/** Hz; what Opus counts in and is decoded at, whatever was recorded. */
const OPUS_RATE = 48000;

/**
 * The length is the last page's place less the first one's and the encoder's delay:
 * https://www.rfc-editor.org/rfc/rfc7845#section-4.
 * @throws UserError naming the file where its first or last pages are damaged
 */
export function readOpusHeader(source: ByteSource, name: string): AudioHeader & { gain: number } {
  // Two header packets, then packets up to the first page that says where it ends.
  let first = -1;
  let pages = 0;
  let serial = 0;
  const packets = oggPackets(oggPages(source, name), (page) => {
    serial = page.serial;
    first = page.granule;
    return ++pages > 2 && page.granule > 0;
  });
  const head = packets[0]!;
  if (head.length < 19 || head[8]! >> 4 !== 0)
    throw new UserError(`${name} must begin with an Opus header of version 1, but does not. ${AGAIN}`);
  const channels = head[9]!;
  // In 256ths of a decibel: https://www.rfc-editor.org/rfc/rfc7845#section-5.1
  const gain = 10 ** ((((head[16]! | (head[17]! << 8)) << 16) >> 16) / 256 / 20);
  const preSkip = head[10]! | (head[11]! << 8);
  const last = lastOggPage(source, serial, name).granule;
  // A stream that was cut out of a longer one begins later than 0.
  const begin = Math.max(0, first - packets.slice(2).reduce((sum, packet) => sum + packetSamples(packet), 0));
  const samples = last - begin - preSkip;
  if (channels === 0 || samples < 0)
    throw new UserError(
      `${name} must hold at least its delay of ${preSkip} samples, but ends at ${last}. ${AGAIN}`,
    );
  return { format: "ogg-opus", sampleRate: OPUS_RATE, channels, samples, gain };
}

/** @throws UserError naming the file where it is truncated or corrupt: its length must be the one of its last page */
export async function decodeOpus(source: ByteSource, name: string): Promise<DecodedAudio> {
  const { samples, gain } = readOpusHeader(source, name);
  for (const _ of oggPages(source, name)); // every checksum
  const { OggOpusDecoder } = await import("ogg-opus-decoder");
  const decoder = new OggOpusDecoder();
  try {
    await decoder.ready;
    const { channelData, errors } = await decoder.decodeFile(source.read(0, source.size));
    if (errors.length > 0) throw new Error(errors[0]!.message);
    const decoded = channelData[0]?.length ?? 0;
    if (decoded < samples) throw new Error(`it should hold ${samples} samples, but ${decoded} were decoded`);
    // The decoder leaves out the delay in front, but behind it cuts as if it had not.
    const cut = channelData.map((channel) => channel.slice(0, samples));
    if (gain !== 1) for (const channel of cut) for (let i = 0; i < samples; i++) channel[i]! *= gain;
    return { channelData: cut, sampleRate: OPUS_RATE };
  } catch (error) {
    throw new UserError(
      `${name} must be a valid Opus file, but is corrupt: ${(error as Error).message}. ${AGAIN}`,
    );
  } finally {
    decoder.free();
  }
}

/** Of a packet, at 48 kHz: https://www.rfc-editor.org/rfc/rfc6716#section-3.1. */
function packetSamples(packet: Uint8Array): number {
  const config = packet[0]! >> 3;
  const frame =
    config < 12
      ? [480, 960, 1920, 2880][config & 3]! // SILK
      : config < 16
        ? [480, 960][config & 1]! // hybrid
        : 120 << (config & 3); // CELT
  const code = packet[0]! & 3;
  return frame * (code === 0 ? 1 : code === 3 ? (packet[1] ?? 0) & 63 : 2);
}
