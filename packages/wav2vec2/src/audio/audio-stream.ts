import { fileChunks } from "#platform/audio-files";
import { TEXT } from "../argument-kinds.js";
import { ConfigurationError, coded } from "../errors.js";
import type { KnownOptions } from "../known-options.js";
import { requireOptions } from "../known-options.js";
import { detectFormat, FAR, isKnown, MAGIC, skipTags } from "./audio-format.js";
import type { AudioSource } from "./audio-source.js";
import type { DecodedAudio, OnNote, StreamOptions } from "./decoded-audio.js";
import { monoBlocks } from "./mono-stream.js";
import { SAMPLE_RATE } from "./sample-rate.js";
import { memorySource } from "./sources/byte-source.js";
import { ByteStream, sourceChunks } from "./sources/byte-stream.js";
import { type OpenedSource, openSource } from "./sources/open-source.js";
import { streamSamples } from "./wav/pcm.js";
import { pcmFormat, RAW_FORMAT, type RawFormat } from "./wav/raw-format.js";

export interface AudioStreamOptions {
  /** Of bytes that are samples without a header; default: an audio file of any kind, told by its content. */
  raw?: RawFormat | undefined;
  /** For messages. Default: the path or the file's name where the source has one */
  name?: string | undefined;
  /** Ends the reading, even of a stream that is silent; the generator then throws its reason. */
  signal?: AbortSignal | undefined;
  /** Gets what is odd about what was read, at its end. */
  onNote?: OnNote | undefined;
}

export const STREAM_OPTIONS = {
  raw: RAW_FORMAT,
  name: TEXT,
  signal: true,
  onNote: true,
} satisfies KnownOptions<AudioStreamOptions>;

// 20 ms, a frame of the model: shorter blocks would bring it nothing.
const LEAST = 320;

/**
 * Reads audio of any length as `readAudio` does, in memory that does not grow with it.
 *
 * What comes as a stream is handed over as it comes. A WAV file in it whose writer could not know its size goes on to the
 * stream's end; a cut-off last sample is left.
 * @param source a stream or iterable is closed when the generator ends
 * @returns mono blocks at 16 kHz, of one second from files and of 20 ms to one second from streams, the last one maybe
 * shorter: behind one another they are to the bit what `readAudio` returns
 * @throws UserError as `readAudio`, when the fault is reached and what lies before it was given; it names the second
 * @throws TypeError where the source is none
 */
export async function* streamAudio(
  source: AudioSource,
  options: AudioStreamOptions = {},
): AsyncGenerator<Float32Array> {
  requireOptions("streamAudio", options, STREAM_OPTIONS);
  yield* streamOpened(await openSource(source, options), options);
}

/** {@link streamAudio} of a source that is open; it is closed when the generator ends. */
export async function* streamOpened(
  opened: OpenedSource,
  { raw, signal, onNote }: Omit<AudioStreamOptions, "name">,
): AsyncGenerator<Float32Array> {
  const least = opened.kind === "file" || opened.kind === "bytes" ? SAMPLE_RATE : LEAST;
  const piped = opened.kind === "samples" || (opened.kind === "stream" && !opened.isWhole);
  const parts = decodedParts(opened, raw, { piped, onNote });
  try {
    yield* monoBlocks(parts, opened.name, { least, signal, piped });
  } catch (error) {
    throw coded("ERR_AUDIO_CORRUPT", error);
  } finally {
    await close(opened);
  }
}

async function close(opened: OpenedSource): Promise<void> {
  if (opened.kind === "stream") await opened.chunks.return();
  if (opened.kind === "samples") await opened.blocks.return();
}

async function* decodedParts(
  opened: OpenedSource,
  raw: RawFormat | undefined,
  options: StreamOptions,
): AsyncGenerator<DecodedAudio> {
  const format = raw && pcmFormat(raw);
  if (opened.kind === "samples") {
    if (format)
      throw new ConfigurationError(
        "raw must be given with bytes alone, but the audio is samples. Leave it out; give { samples, sampleRate } at another rate than 16 kHz.",
      );
    for await (const block of opened.blocks) yield { channelData: [block], sampleRate: opened.sampleRate };
    return;
  }
  const stream = new ByteStream(chunksOf(opened));
  try {
    yield* format ? streamSamples(stream, format) : streamFormat(stream, opened.name, options);
  } finally {
    await stream.close();
  }
}

function chunksOf(opened: Exclude<OpenedSource, { kind: "samples" }>): AsyncIterable<Uint8Array> {
  if (opened.kind === "file") return fileChunks(opened.path);
  return opened.kind === "bytes" ? sourceChunks(memorySource(opened.bytes)) : opened.chunks;
}

/** Decodes what a stream holds, told by its content. */
async function* streamFormat(
  stream: ByteStream,
  name: string,
  options: StreamOptions,
): AsyncGenerator<DecodedAudio> {
  await skipTags(stream, name);
  await stream.fill(MAGIC);
  if (!isKnown(stream.bytes)) await stream.fill(FAR);
  yield* detectFormat(memorySource(stream.bytes), name, options.piped).stream(stream, name, options);
}
