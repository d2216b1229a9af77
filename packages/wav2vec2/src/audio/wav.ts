import { UserError } from "../errors.js";
import { shellName } from "../files/shell-name.js";
import type { ByteSource } from "./byte-source.js";
import type { ByteStream } from "./byte-stream.js";
import { AGAIN, type AudioHeader, type DecodedAudio, type SampleRange } from "./decoded-audio.js";
import { toInt16 } from "./int16.js";
import { decodePcm, type PcmFormat, streamSamples } from "./pcm.js";

// Format tags of the "fmt " chunk: https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatex
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** Where a WAV file's samples are and how they are coded. */
interface WavLayout {
  format: PcmFormat;
  /** Samples a channel. */
  samples: number;
  /** Of the first sample's first byte in the file. */
  position: number;
}

/** @throws UserError as `decodeWav` */
export function readWavHeader(source: ByteSource, name: string): AudioHeader {
  const { format, samples } = parseLayout(source, name);
  const { sampleRate, channels, sampleBytes } = format;
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
  const { format, samples, position } = parseLayout(source, name);
  const { from, to } = range ?? { from: 0, to: samples };
  const frameBytes = format.channels * format.sampleBytes;
  const bytes = source.read(position + from * frameBytes, (to - from) * frameBytes);
  return { channelData: decodePcm(bytes, format, to - from), sampleRate: format.sampleRate };
}

function parseLayout(source: ByteSource, name: string): WavLayout {
  const chunks = new WavChunks(source.read(0, START), name);
  for (let at = START; at + CHUNK_HEADER <= source.size; ) {
    const { id, size, length } = chunks.read(source.read(at, CHUNK_HEADER));
    const position = at + CHUNK_HEADER;
    if (id !== "data") chunks.take(id, source.read(position, Math.min(size, MAX_BODY)), size);
    else {
      const format = chunks.requireFormat();
      const available = source.size - position;
      if (size > available && size !== UNKNOWN) throw truncated(name, size, available);
      const frameBytes = format.channels * format.sampleBytes;
      return { format, samples: Math.floor(Math.min(size, available) / frameBytes), position };
    }
    at = position + length;
  }
  throw withoutData(name);
}

/**
 * Decodes a WAV file as its bytes come.
 * @param piped whether the program that writes it cannot go back to put the size into the header, and leaves there 0
 * (GStreamer), nearly 2^31 (SoX, arecord) or 2^32 - 1 (FFmpeg): then the samples go on to the stream's end
 * @throws UserError as `decodeWav`
 */
export async function* streamWav(
  stream: ByteStream,
  name: string,
  piped: boolean,
): AsyncGenerator<DecodedAudio> {
  await stream.fill(START);
  const chunks = new WavChunks(stream.bytes, name);
  stream.take(START);
  while (await stream.fill(CHUNK_HEADER)) {
    const { id, size, length } = chunks.read(stream.take(CHUNK_HEADER));
    if (id === "data") {
      const isOpen = piped && (size === 0 || (size >= 0x7fff0000 && size <= 2 ** 31));
      yield* streamData(stream, chunks.requireFormat(), isOpen ? UNKNOWN : size, name);
      return;
    }
    await stream.fill(Math.min(size, MAX_BODY));
    chunks.take(id, stream.bytes.subarray(0, Math.min(size, MAX_BODY)), size);
    await stream.skip(length);
  }
  throw withoutData(name);
}

async function* streamData(
  stream: ByteStream,
  format: PcmFormat,
  size: number,
  name: string,
): AsyncGenerator<DecodedAudio> {
  const begin = stream.position;
  yield* streamSamples(stream, format, size);
  if (size === UNKNOWN) return;
  const left = size - (stream.position - begin);
  if (!(await stream.fill(left))) throw truncated(name, size, size - left + stream.bytes.length);
}

/** Of "RIFF", a size and "WAVE". */
const START = 12;
/** Of a chunk's name and its size. */
const CHUNK_HEADER = 8;
/** What must be seen of the chunks that describe the samples. */
const MAX_BODY = 40;
/** The size of samples that go on to the file's end. */
const UNKNOWN = Number.POSITIVE_INFINITY;

/** What a WAV file's chunks say, one after the other. */
class WavChunks {
  #format: PcmFormat | undefined;
  readonly #isLong: boolean;
  #longSize = UNKNOWN;

  constructor(
    start: Uint8Array,
    readonly name: string,
  ) {
    const magic = tag(start, 0);
    // RF64 and its successor BW64 hold more than 4 GiB: https://tech.ebu.ch/docs/tech/tech3306.pdf
    this.#isLong = magic === "RF64" || magic === "BW64";
    if (start.length < START || (magic !== "RIFF" && !this.#isLong) || tag(start, 8) !== "WAVE")
      throw new UserError(`${name} must be a WAV file, but does not begin with a RIFF/WAVE header.`);
  }

  /** @returns the size of the samples, and the length of what follows the header; chunks are padded to even sizes */
  read(header: Uint8Array): { id: string; size: number; length: number } {
    const id = tag(header, 0);
    const size = viewOf(header).getUint32(4, true);
    // Programs that write to a pipe do not know the size and put the largest one there.
    const isOpen = id === "data" && size === 0xffffffff;
    return { id, size: isOpen ? this.#longSize : size, length: size + (size & 1) };
  }

  /** @param body the chunk's first 40 bytes, or all of them where they are fewer */
  take(id: string, body: Uint8Array, size: number): void {
    if (id === "fmt ") this.#format = parseFormat(body, size, this.name);
    // Behind the size of the file stands the one of the samples, in 64 bits.
    if (id === "ds64" && this.#isLong && body.length >= 16) {
      const longSize = Number(viewOf(body).getBigUint64(8, true));
      if (longSize > 0 && longSize < 2 ** 53) this.#longSize = longSize;
    }
  }

  requireFormat(): PcmFormat {
    if (this.#format) return this.#format;
    throw new UserError(`${this.name} must have a "fmt " chunk before its "data" chunk, but has none.`);
  }
}

function truncated(name: string, size: number, available: number): UserError {
  return new UserError(
    `${name} must hold ${size} bytes of samples by its header, but only ${available} are there: ` +
      `the file is truncated. ${AGAIN}`,
  );
}

function withoutData(name: string): UserError {
  return new UserError(`${name} must have a "data" chunk, but has none: the file is truncated or corrupt.`);
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @param body the chunk's first 40 bytes, or all of them where they are fewer */
function parseFormat(body: Uint8Array, size: number, name: string): PcmFormat {
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
        `with ${sampleBits} bits. Convert it with: ffmpeg -i ${shellName(name)} -c:a pcm_s16le OUTPUT.wav`,
    );
  if (channels === 0 || sampleRate === 0)
    throw new UserError(
      `${name} must have at least one channel and a sample rate, but has ${channels} and ${sampleRate} Hz.`,
    );
  return { encoding: isPcm ? "integer" : "float", channels, sampleRate, sampleBytes: sampleBits / 8 };
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
