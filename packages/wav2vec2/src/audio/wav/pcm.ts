import type { DecodedAudio, SampleRange } from "../decoded-audio.js";
import type { ByteStream } from "../sources/byte-stream.js";
import { A_LAW, MU_LAW } from "./g711.js";

/** How samples that are not compressed are coded, channels interleaved. */
export interface PcmFormat {
  /** The two laws are those of telephones: https://www.itu.int/rec/T-REC-G.711 */
  encoding: "integer" | "float" | "mu-law" | "a-law";
  /** Whether a sample's first byte is its highest; default: little-endian. Of integers of 2 bytes or more alone. */
  bigEndian?: boolean;
  channels: number;
  /** Hz. */
  sampleRate: number;
  /** 1 (unsigned), 2, 3 or 4 of integers, 4 or 8 of floats, 1 of the laws. */
  sampleBytes: number;
}

/**
 * Integers become integers / 2^(bits-1).
 * @param length samples a channel, which are there
 * @returns [channels][length]
 */
export function decodePcm(bytes: Uint8Array, format: PcmFormat, length: number): Float32Array[] {
  const channelData = Array.from({ length: format.channels }, () => new Float32Array(length));
  decodePcmInto(channelData, bytes, format, { from: 0, to: length });
  return channelData;
}

/**
 * {@link decodePcm} of a part.
 * @param channelData [channels][samples], of which those in `range` are written
 * @param bytes of the samples in `range`
 */
export function decodePcmInto(
  channelData: readonly Float32Array[],
  bytes: Uint8Array,
  format: PcmFormat,
  { from, to }: SampleRange,
): void {
  const { channels, sampleBytes } = format;
  const read = sampleReader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), format);
  const step = channels * sampleBytes;
  for (const [channel, samples] of channelData.entries()) {
    let at = channel * sampleBytes;
    for (let i = from; i < to; i++, at += step) samples[i] = read(at);
  }
}

function sampleReader(
  view: DataView,
  { encoding, sampleBytes, bigEndian }: PcmFormat,
): (at: number) => number {
  if (encoding === "mu-law") return (at) => MU_LAW[view.getUint8(at)]!;
  if (encoding === "a-law") return (at) => A_LAW[view.getUint8(at)]!;
  if (bigEndian) return bigEndianReader(view, sampleBytes);
  if (encoding === "float")
    return sampleBytes === 4 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  if (sampleBytes === 1) return (at) => (view.getUint8(at) - 128) / 128; // 8 bits alone are unsigned
  if (sampleBytes === 2) return (at) => view.getInt16(at, true) / 2 ** 15;
  if (sampleBytes === 3) return (at) => (view.getInt8(at + 2) * 65536 + view.getUint16(at, true)) / 2 ** 23;
  return (at) => view.getInt32(at, true) / 2 ** 31;
}

function bigEndianReader(view: DataView, sampleBytes: number): (at: number) => number {
  if (sampleBytes === 2) return (at) => view.getInt16(at) / 2 ** 15;
  if (sampleBytes === 3) return (at) => (view.getInt16(at) * 256 + view.getUint8(at + 2)) / 2 ** 23;
  return (at) => view.getInt32(at) / 2 ** 31;
}

/**
 * Decodes what a stream holds as it comes: whole samples of all channels, a cut-off last one is left.
 * @param size in bytes; the stream may end before
 */
export async function* streamSamples(
  stream: ByteStream,
  format: PcmFormat,
  size = Number.POSITIVE_INFINITY,
): AsyncGenerator<DecodedAudio> {
  const { channels, sampleBytes, sampleRate } = format;
  const frameBytes = channels * sampleBytes;
  for (let left = size; left >= frameBytes && (await stream.fill(frameBytes)); ) {
    const length = Math.floor(Math.min(left, stream.bytes.length) / frameBytes);
    left -= length * frameBytes;
    yield { channelData: decodePcm(stream.take(length * frameBytes), format, length), sampleRate };
  }
}
