import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import { AGAIN, type AudioHeader, type DecodedAudio, type SampleRange } from "./decoded-audio.js";
import { toInt16 } from "./int16.js";

// Format tags of the "fmt " chunk: https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatex
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** Where a WAV file's samples are and how they are coded. */
interface WavLayout {
  encoding: "integer" | "float";
  channels: number;
  /** Hz. */
  sampleRate: number;
  sampleBytes: number;
  /** Samples a channel. */
  samples: number;
  /** Of the first sample's first byte in the file. */
  position: number;
}

/** @throws UserError as `decodeWav` */
export function readWavHeader(source: ByteSource, name: string): AudioHeader {
  const { sampleRate, channels, sampleBytes, samples } = parseLayout(source, name);
  return { format: "wav", sampleRate, channels, bitsPerSample: sampleBytes * 8, samples };
}

/**
 * Reads PCM of 8, 16, 24 or 32 bits and float of 32 or 64 bits, plain or WAVE_FORMAT_EXTENSIBLE.
 * PCM samples become integers / 2^(bits-1).
 * @param source the file's contents, of which the samples in `range` alone are read
 * @param name the file's name, for messages
 * @param range all samples where absent
 * @throws UserError naming the file where it is no WAV file, truncated or in another encoding
 */
export function decodeWav(source: ByteSource, name: string, range?: SampleRange): DecodedAudio {
  const layout = parseLayout(source, name);
  const { from, to } = range ?? { from: 0, to: layout.samples };
  const frameBytes = layout.channels * layout.sampleBytes;
  const bytes = source.read(layout.position + from * frameBytes, (to - from) * frameBytes);
  return { channelData: readSamples(bytes, layout, to - from), sampleRate: layout.sampleRate };
}

function parseLayout(source: ByteSource, name: string): WavLayout {
  const start = source.read(0, 12);
  if (start.length < 12 || tag(start, 0) !== "RIFF" || tag(start, 8) !== "WAVE")
    throw new UserError(`${name} must be a WAV file, but does not begin with a RIFF/WAVE header.`);
  let format: Omit<WavLayout, "samples" | "position"> | undefined;
  for (let at = 12; at + 8 <= source.size; ) {
    const chunk = source.read(at, 8);
    const size = viewOf(chunk).getUint32(4, true);
    const position = at + 8;
    if (tag(chunk, 0) === "fmt ") format = parseFormat(source.read(position, Math.min(size, 40)), size, name);
    if (tag(chunk, 0) === "data") {
      if (!format)
        throw new UserError(`${name} must have a "fmt " chunk before its "data" chunk, but has none.`);
      const available = source.size - position;
      // Programs that write to a pipe do not know the size and put the largest one there.
      const streamed = size === 0xffffffff;
      if (size > available && !streamed)
        throw new UserError(
          `${name} must hold ${size} bytes of samples by its header, but only ${available} are there: ` +
            `the file is truncated. ${AGAIN}`,
        );
      const samples = Math.floor((streamed ? available : size) / (format.channels * format.sampleBytes));
      return { ...format, samples, position };
    }
    at = position + size + (size & 1); // chunks are padded to even sizes
  }
  throw new UserError(`${name} must have a "data" chunk, but has none: the file is truncated or corrupt.`);
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @param body the chunk's first 40 bytes, or all of them where they are fewer */
function parseFormat(body: Uint8Array, size: number, name: string): Omit<WavLayout, "samples" | "position"> {
  if (size < 16 || body.length < Math.min(size, 40))
    throw new UserError(`${name} must have a "fmt " chunk of 16 bytes or more, but the chunk is cut off.`);
  const view = viewOf(body);
  let code = view.getUint16(0, true);
  const channels = view.getUint16(2, true);
  const sampleRate = view.getUint32(4, true);
  const sampleBits = view.getUint16(14, true);
  // The extensible format's sub-format GUID begins with the plain format tag.
  if (code === EXTENSIBLE && size >= 26) code = view.getUint16(24, true);
  const isPcm = code === PCM && [8, 16, 24, 32].includes(sampleBits);
  const isFloat = code === FLOAT && [32, 64].includes(sampleBits);
  if (!isPcm && !isFloat)
    throw new UserError(
      `${name} must hold PCM of 8, 16, 24 or 32 bits or float of 32 or 64 bits, but holds format ${code} ` +
        `with ${sampleBits} bits. Convert it with: ffmpeg -i ${name} -c:a pcm_s16le OUTPUT.wav`,
    );
  if (channels === 0 || sampleRate === 0)
    throw new UserError(
      `${name} must have at least one channel and a sample rate, but has ${channels} and ${sampleRate} Hz.`,
    );
  return { encoding: isPcm ? "integer" : "float", channels, sampleRate, sampleBytes: sampleBits / 8 };
}

function readSamples(bytes: Uint8Array, layout: WavLayout, length: number): Float32Array[] {
  const { channels, sampleBytes } = layout;
  const view = viewOf(bytes);
  const read = sampleReader(view, layout);
  const step = channels * sampleBytes;
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(length);
    let at = channel * sampleBytes;
    for (let i = 0; i < length; i++, at += step) samples[i] = read(at);
    return samples;
  });
}

function sampleReader(view: DataView, { encoding, sampleBytes }: WavLayout): (at: number) => number {
  if (encoding === "float")
    return sampleBytes === 4 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  if (sampleBytes === 1) return (at) => (view.getUint8(at) - 128) / 128; // 8 bits alone are unsigned
  if (sampleBytes === 2) return (at) => view.getInt16(at, true) / 2 ** 15;
  if (sampleBytes === 3) return (at) => (view.getInt8(at + 2) * 65536 + view.getUint16(at, true)) / 2 ** 23;
  return (at) => view.getInt32(at, true) / 2 ** 31;
}

/**
 * Encodes 16-bit mono PCM WAV.
 * @param samples full scale [-1, 1], rounded to integers / 32768 and clipped
 * @param sampleRate Hz
 */
export function encodeWav(samples: Float32Array, sampleRate: number): Uint8Array {
  const bytes = new Uint8Array(44 + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string) => bytes.set(new TextEncoder().encode(value), at);
  text(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a frame
  view.setUint16(34, 16, true); // bits a sample
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  for (const [i, sample] of toInt16(samples).entries()) view.setInt16(44 + i * 2, sample, true);
  return bytes;
}
