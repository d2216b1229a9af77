import { addAbortSignal, type Readable } from "node:stream";
import { UserError } from "../errors.js";
import { unreadable } from "../files/unreadable.js";
import { streamFormat } from "./audio-stream.js";
import { ByteStream } from "./byte-stream.js";
import type { OnNote } from "./decoded-audio.js";
import { monoBlocks } from "./mono-stream.js";
import { type PcmFormat, streamSamples } from "./pcm.js";
import { HIGHEST_RATE, LOWEST_RATE } from "./resample.js";

const ENCODINGS = {
  u8: { encoding: "integer", sampleBytes: 1 },
  s16le: { encoding: "integer", sampleBytes: 2 },
  s24le: { encoding: "integer", sampleBytes: 3 },
  s32le: { encoding: "integer", sampleBytes: 4 },
  f32le: { encoding: "float", sampleBytes: 4 },
} as const;

/** How samples without a header are coded, under FFmpeg's names (`ffmpeg -f s16le`): channels interleaved. */
export type RawEncoding = keyof typeof ENCODINGS;

export const RAW_ENCODINGS = Object.keys(ENCODINGS) as RawEncoding[];

export interface RawFormat {
  encoding: RawEncoding;
  /** Hz. */
  sampleRate: number;
  channels: number;
}

export interface PcmStreamOptions {
  /** Of samples without a header; default: an audio file of any kind, told by its content. */
  raw?: RawFormat | undefined;
  /** For messages; default "standard input". */
  name?: string | undefined;
  /** Ends the reading, even of a pipe that is silent; the generator then throws its reason. */
  signal?: AbortSignal | undefined;
  /** Hears what is odd about what was read, at its end. */
  onNote?: OnNote | undefined;
}

// As many as a WAV file can tell.
const MOST_CHANNELS = 65535;
// 20 ms, a frame of the model: shorter blocks would bring it nothing.
const LEAST = 320;

/**
 * Reads audio from a pipe, as mono blocks at 16 kHz, handed over as it comes: of 20 ms to 1 s, the last one maybe
 * shorter. A WAV file whose writer could not know its size goes on to the stream's end; a cut-off last sample is left.
 * @param readable is destroyed when the generator ends
 * @throws UserError that names the stream where it is empty, no audio, cut off or damaged, when that is reached
 */
export async function* streamPcm(
  readable: Readable,
  { raw, name = "standard input", signal, onNote }: PcmStreamOptions = {},
): AsyncGenerator<Float32Array> {
  const stream = new ByteStream(pipeChunks(readable, name, signal));
  try {
    const format = raw && pcmFormat(raw);
    const parts = format
      ? streamSamples(stream, format)
      : streamFormat(stream, name, { piped: true, onNote });
    yield* monoBlocks(parts, name, { least: LEAST, signal, piped: true });
  } finally {
    await stream.close();
    readable.destroy();
  }
}

function pcmFormat({ encoding, sampleRate, channels }: RawFormat): PcmFormat {
  if (!Object.hasOwn(ENCODINGS, encoding))
    throw new UserError(
      `encoding of raw audio must be one of ${RAW_ENCODINGS.join(", ")}, but is ${JSON.stringify(encoding)}.`,
    );
  if (!(Number.isInteger(sampleRate) && sampleRate >= LOWEST_RATE && sampleRate <= HIGHEST_RATE))
    throw new UserError(
      `sample rate of raw audio must be a whole number from ${LOWEST_RATE} to ${HIGHEST_RATE} Hz, but is ${sampleRate}.`,
    );
  if (!(Number.isInteger(channels) && channels >= 1 && channels <= MOST_CHANNELS))
    throw new UserError(
      `channels of raw audio must be a whole number from 1 to ${MOST_CHANNELS}, but are ${channels}.`,
    );
  return { ...ENCODINGS[encoding], sampleRate, channels };
}

async function* pipeChunks(
  readable: Readable,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (signal) addAbortSignal(signal, readable);
  try {
    yield* readable;
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(name, "readable", error);
  }
}
