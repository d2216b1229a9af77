import { UserError } from "../errors.js";
import type { DecodedAudio } from "./decoded-audio.js";
import { toInt16 } from "./int16.js";

// Format tags of the "fmt " chunk: https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatex
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/**
 * Reads PCM of 8, 16, 24 or 32 bits and float of 32 or 64 bits, plain or WAVE_FORMAT_EXTENSIBLE.
 * PCM samples become integers / 2^(bits-1).
 * @param bytes the file's contents
 * @param name the file's name, for messages
 * @throws UserError naming the file where it is no WAV file, truncated or in another encoding
 */
export function decodeWav(bytes: Uint8Array, name: string): DecodedAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || tag(view, 0) !== "RIFF" || tag(view, 8) !== "WAVE")
    throw new UserError(`${name} must be a WAV file, but does not begin with a RIFF/WAVE header.`);
  let format: WavFormat | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const chunk = tag(view, at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (chunk === "fmt ") format = parseFormat(view, body, size, name);
    if (chunk === "data") {
      if (!format)
        throw new UserError(`${name} must have a "fmt " chunk before its "data" chunk, but has none.`);
      return { channelData: readSamples(view, body, size, format, name), sampleRate: format.sampleRate };
    }
    at = body + size + (size & 1); // chunks are padded to even sizes
  }
  throw new UserError(`${name} must have a "data" chunk, but has none: the file is truncated or corrupt.`);
}

interface WavFormat {
  encoding: "integer" | "float";
  channels: number;
  sampleRate: number;
  sampleBytes: number;
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint8(at),
    view.getUint8(at + 1),
    view.getUint8(at + 2),
    view.getUint8(at + 3),
  );
}

function parseFormat(view: DataView, at: number, size: number, name: string): WavFormat {
  if (size < 16 || at + size > view.byteLength)
    throw new UserError(`${name} must have a "fmt " chunk of 16 bytes or more, but the chunk is cut off.`);
  let code = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const sampleBits = view.getUint16(at + 14, true);
  // The extensible format's sub-format GUID begins with the plain format tag.
  if (code === EXTENSIBLE && size >= 26) code = view.getUint16(at + 24, true);
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

function readSamples(
  view: DataView,
  at: number,
  size: number,
  format: WavFormat,
  name: string,
): Float32Array[] {
  const available = view.byteLength - at;
  // Programs that write to a pipe do not know the size and put the largest one there.
  const streamed = size === 0xffffffff;
  if (size > available && !streamed)
    throw new UserError(
      `${name} must hold ${size} bytes of samples by its header, but only ${available} are there: ` +
        "the file is truncated. Copy or download it again.",
    );
  const { channels, sampleBytes } = format;
  const length = Math.floor((streamed ? available : size) / (channels * sampleBytes));
  const read = sampleReader(view, format);
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(length);
    for (let i = 0; i < length; i++) samples[i] = read(at + (i * channels + channel) * sampleBytes);
    return samples;
  });
}

function sampleReader(view: DataView, { encoding, sampleBytes }: WavFormat): (at: number) => number {
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
