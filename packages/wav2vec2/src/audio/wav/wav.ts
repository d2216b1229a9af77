import { turn } from "#platform/turn";
import { type ErrorCode, UserError } from "../../errors.js";
import {
  AGAIN,
  type AudioHeader,
  type DecodedAudio,
  type OnNote,
  type SampleRange,
  type StreamOptions,
} from "../decoded-audio.js";
import { TAG_HEADER } from "../mp3/tags.js";
import type { ByteSource } from "../sources/byte-source.js";
import type { ByteStream } from "../sources/byte-stream.js";
import { toInt16 } from "./int16.js";
import { decodePcmInto, type PcmFormat, streamSamples } from "./pcm.js";
import { FORMAT_CHUNK, PCM, parseFormat } from "./wav-format.js";
import {
  BehindSamples,
  isChunk,
  isOpenSize,
  isPlaceholder,
  LOOK,
  openSizeNote,
  UNKNOWN,
} from "./wav-sizes.js";

/** Where a WAV file's samples are and how they are coded. */
interface WavLayout {
  format: PcmFormat;
  /** Samples a channel. */
  samples: number;
  /** Of the first sample's first byte in the file. */
  position: number;
  /** Whether the header does not tell the samples' size. */
  isOpen: boolean;
}

/** @throws UserError as `decodeWav` */
export function readWavHeader(source: ByteSource, name: string, onNote?: OnNote): AudioHeader {
  const { format, samples, isOpen } = parseLayout(source, name);
  if (isOpen) onNote?.(openSizeNote(name));
  const { sampleRate, channels, sampleBytes } = format;
  return { format: "wav", sampleRate, channels, bitsPerSample: sampleBytes * 8, samples };
}

/**
 * Reads PCM of 8 to 32 bits and float of 32 or 64 bits, plain or WAVE_FORMAT_EXTENSIBLE.
 * PCM samples become integers / 2^(bits-1). The event loop has its turns meanwhile.
 * @param source the file's contents, of which the samples in `range` alone are read
 * @param name the file's name, for messages
 * @param range all samples where absent
 * @throws UserError naming the file where it is no WAV file, truncated, in another encoding, or holds another recording
 * behind the first
 */
export async function decodeWav(
  source: ByteSource,
  name: string,
  range?: SampleRange,
): Promise<DecodedAudio> {
  const { format, samples, position } = parseLayout(source, name);
  const { from, to } = range ?? { from: 0, to: samples };
  const frameBytes = frameSize(format);
  const channelData = Array.from({ length: format.channels }, () => new Float32Array(to - from));
  const step = Math.max(1, Math.floor(SLICE / frameBytes));
  for (let at = from; at < to; at += step) {
    if (at > from) await turn();
    const end = Math.min(to, at + step);
    const bytes = source.read(position + at * frameBytes, (end - at) * frameBytes);
    decodePcmInto(channelData, bytes, format, { from: at - from, to: end - from });
  }
  return { channelData, sampleRate: format.sampleRate };
}

/** Bytes of samples that are decoded before the event loop has its turn. */
const SLICE = 2 ** 18;

function parseLayout(source: ByteSource, name: string): WavLayout {
  const chunks = new WavChunks(source.read(0, START), name);
  for (let at = START; at + CHUNK_HEADER <= source.size; ) {
    const { id, size, length } = chunks.read(source.read(at, CHUNK_HEADER));
    const position = at + CHUNK_HEADER;
    if (id === "data") return layoutOf(source, chunks, size, position, name);
    chunks.take(id, source.read(position, Math.min(size, FORMAT_CHUNK)), size);
    at = position + length;
  }
  throw chunks.withoutData(source.size);
}

/** @param size of the samples by the header */
function layoutOf(
  source: ByteSource,
  chunks: WavChunks,
  size: number,
  position: number,
  name: string,
): WavLayout {
  const format = chunks.requireFormat();
  const available = source.size - position;
  const isOpen = size === 0 ? available > 0 && !isChunk(source.read(position, TAG_HEADER)) : size > available;
  if (isOpen && size > 0 && !isOpenSize(size, available)) throw chunks.tooShort(size, available, source.size);
  const length = isOpen ? available : size;
  const behind = new BehindSamples(name, bytesASecond(format), length, false);
  for (let at = position + length; at < source.size; ) at += behind.look(source.read(at, LOOK), at);
  return { format, samples: Math.floor(length / frameSize(format)), position, isOpen };
}

function frameSize({ channels, sampleBytes }: PcmFormat): number {
  return channels * sampleBytes;
}

function bytesASecond(format: PcmFormat): number {
  return frameSize(format) * format.sampleRate;
}

/**
 * Decodes a WAV file as its bytes come. What follows the samples is looked at before the stream ends.
 * @param piped whether the program that writes it cannot go back to put the size into the header, and leaves there 0
 * (GStreamer), nearly 2^31 (SoX, arecord) or 2^32 - 1 (FFmpeg): then the samples go on to the stream's end
 * @throws UserError as `decodeWav`
 */
export async function* streamWav(
  stream: ByteStream,
  name: string,
  { piped, onNote }: StreamOptions,
): AsyncGenerator<DecodedAudio> {
  const fileBegin = stream.position; // behind tags
  await stream.fill(START);
  const chunks = new WavChunks(stream.bytes, name);
  stream.take(START);
  while (await stream.fill(CHUNK_HEADER)) {
    const { id, size, length } = chunks.read(stream.take(CHUNK_HEADER));
    if (id === "data") {
      const isOpen = size === UNKNOWN || (await isOpenAhead(stream, size, piped));
      if (isOpen && !piped) onNote?.(openSizeNote(name));
      if (isOpen) yield* streamSamples(stream, chunks.requireFormat());
      else yield* streamData(stream, chunks, { size, fileBegin }, name, { piped, onNote });
      return;
    }
    await stream.fill(Math.min(size, FORMAT_CHUNK));
    chunks.take(id, stream.bytes.subarray(0, Math.min(size, FORMAT_CHUNK)), size);
    await stream.skip(length);
  }
  throw chunks.withoutData(stream.position + stream.bytes.length - fileBegin);
}

/** Whether the header alone shows that it does not tell the samples' size. */
async function isOpenAhead(stream: ByteStream, size: number, piped: boolean): Promise<boolean> {
  if (piped) return size === 0 || isPlaceholder(size);
  if (size > 0) return false;
  await stream.fill(TAG_HEADER);
  return stream.bytes.length > 0 && !isChunk(stream.bytes.subarray(0, TAG_HEADER));
}

async function* streamData(
  stream: ByteStream,
  chunks: WavChunks,
  { size, fileBegin }: { size: number; fileBegin: number },
  name: string,
  { piped, onNote }: StreamOptions,
): AsyncGenerator<DecodedAudio> {
  const format = chunks.requireFormat();
  const begin = stream.position;
  yield* streamSamples(stream, format, size);
  const left = size - (stream.position - begin);
  if (!(await stream.fill(left))) {
    const available = size - left + stream.bytes.length;
    if (!isOpenSize(size, available)) throw chunks.tooShort(size, available, begin + available - fileBegin);
    if (!piped) onNote?.(openSizeNote(name));
    return;
  }
  stream.take(left);
  const behind = new BehindSamples(name, bytesASecond(format), size, piped);
  while (await stream.fill(1)) {
    await stream.fill(LOOK);
    await stream.skip(behind.look(stream.bytes.subarray(0, LOOK), stream.position));
  }
}

/** Of "RIFF", a size and "WAVE". */
const START = 12;
/** Of a chunk's name and its size. */
const CHUNK_HEADER = 8;

/** What a WAV file's chunks say, one after the other. */
class WavChunks {
  #format: PcmFormat | undefined;
  readonly #isLong: boolean;
  #longSize = UNKNOWN;
  /** Of the whole file by its first size, which programs that write to a pipe leave open. */
  readonly #fileSize: number;

  constructor(
    start: Uint8Array,
    readonly name: string,
  ) {
    const magic = tag(start, 0);
    // RF64 and its successor BW64 hold more than 4 GiB: https://tech.ebu.ch/docs/tech/tech3306.pdf
    this.#isLong = magic === "RF64" || magic === "BW64";
    if (start.length < START)
      throw new UserError(
        `${name} must begin with a RIFF/WAVE header, but ends within it: the file is truncated. ${AGAIN}`,
        { code: "ERR_AUDIO_TRUNCATED" },
      );
    if ((magic !== "RIFF" && !this.#isLong) || tag(start, 8) !== "WAVE")
      throw new UserError(`${name} must be a WAV file, but does not begin with a RIFF/WAVE header.`, {
        code: "ERR_AUDIO_FORMAT",
      });
    this.#fileSize = CHUNK_HEADER + viewOf(start).getUint32(4, true);
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
    throw new UserError(`${this.name} must have a "fmt " chunk before its "data" chunk, but has none.`, {
      code: "ERR_AUDIO_CORRUPT",
    });
  }

  /**
   * Of a file in which fewer samples are than its header says.
   * @param size of the samples by the header, in bytes
   * @param fileSize in bytes
   */
  tooShort(size: number, available: number, fileSize: number): UserError {
    return new UserError(
      `${this.name} must hold ${size} bytes of samples by its header, but only ${available} are there: ` +
        `the ${this.#fault(fileSize)}. ${AGAIN}`,
      { code: this.#code(fileSize) },
    );
  }

  /** Of a file without samples. @param fileSize in bytes */
  withoutData(fileSize: number): UserError {
    return new UserError(
      `${this.name} must have a "data" chunk, but has none: the ${this.#fault(fileSize)}. ${AGAIN}`,
      { code: this.#code(fileSize) },
    );
  }

  #fault(fileSize: number): string {
    return this.#isWhole(fileSize)
      ? "file is as long as it says and its header corrupt"
      : "file is truncated";
  }

  #code(fileSize: number): ErrorCode {
    return this.#isWhole(fileSize) ? "ERR_AUDIO_CORRUPT" : "ERR_AUDIO_TRUNCATED";
  }

  /** Whether nothing of the file is missing by its first size. */
  #isWhole(fileSize: number): boolean {
    return fileSize >= this.#fileSize && this.#fileSize > START;
  }
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
