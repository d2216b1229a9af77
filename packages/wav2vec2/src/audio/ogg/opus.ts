import type { OpusDecoder } from "opus-decoder";
import { UserError } from "../../errors.js";
import { AGAIN } from "../decoded-audio.js";

// Opus streams, whatever file they lie in.

/** Hz; what Opus counts in and is decoded at, whatever was recorded. */
export const OPUS_RATE = 48000;

/** A stream's first packet: https://www.rfc-editor.org/rfc/rfc7845#section-5.1. */
export interface OpusHead {
  channels: number;
  /** Samples that the encoder put in front. */
  preSkip: number;
  /** What samples are to be multiplied with. */
  gain: number;
  streamCount: number;
  coupledStreamCount: number;
  channelMappingTable: number[];
}

/** @throws UserError where it is none, or has channels that the mapping forbids */
export function parseHead(packet: Uint8Array, name: string): OpusHead {
  const [channels, family] = [packet[9] ?? 0, packet[18] ?? 0];
  const isSimple = family === 0;
  const most = isSimple ? 2 : family === 1 ? 8 : 255;
  const length = isSimple ? 19 : 21 + channels;
  if (packet.length < length || packet[8]! >> 4 !== 0 || channels === 0 || channels > most)
    throw new UserError(`${name} must begin with an Opus header of version 1, but does not. ${AGAIN}`);
  return {
    channels,
    preSkip: packet[10]! | (packet[11]! << 8),
    // In 256ths of a decibel.
    gain: 10 ** ((((packet[16]! | (packet[17]! << 8)) << 16) >> 16) / 256 / 20),
    streamCount: isSimple ? 1 : packet[19]!,
    coupledStreamCount: isSimple ? channels - 1 : packet[20]!,
    channelMappingTable: isSimple ? [0, 1].slice(0, channels) : [...packet.subarray(21, length)],
  };
}

/** Without the samples that the head says to leave out at the beginning. */
export async function openDecoder(head: OpusHead): Promise<OpusDecoder> {
  const decoder = new (await import("opus-decoder")).OpusDecoder(head);
  await decoder.ready;
  return decoder;
}

/** @returns [channels][samples] */
export function decodePackets(
  decoder: OpusDecoder,
  packets: Uint8Array[],
  gain: number,
  name: string,
): Float32Array[] {
  try {
    const { channelData, errors } = decoder.decodeFrames(packets);
    if (errors.length > 0) throw new Error(errors[0]!.message);
    if (gain !== 1)
      for (const channel of channelData) for (let i = 0; i < channel.length; i++) channel[i]! *= gain;
    return channelData;
  } catch (error) {
    throw corrupt(name, (error as Error).message);
  }
}

function corrupt(name: string, reason: string): UserError {
  return new UserError(`${name} must be a valid Opus file, but is corrupt: ${reason}. ${AGAIN}`);
}

export function samplesOf(packets: readonly Uint8Array[]): number {
  return packets.reduce((sum, packet) => sum + packetSamples(packet), 0);
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
