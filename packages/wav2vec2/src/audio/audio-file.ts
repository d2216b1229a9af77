import { FileSource } from "#platform/audio-files";
import { turn } from "#platform/turn";
import { TEXT } from "../argument-kinds.js";
import { describeType } from "../describe-type.js";
import { UserError, withCode, wrongType } from "../errors.js";
import type { KnownOptions } from "../known-options.js";
import { requireOptions } from "../known-options.js";
import { behindTags, detectFormat } from "./audio-format.js";
import type { AudioSource } from "./audio-source.js";
import { ChannelCancellation } from "./channel-cancellation.js";
import type { AudioHeader, DecodedAudio, OnNote, SampleRange } from "./decoded-audio.js";
import { joinInTurns, lengthOf } from "./join-in-turns.js";
import { mixDown, requireFinite, requireRate } from "./mono.js";
import { Resampler, resampledLength } from "./resampling/resample.js";
import { SAMPLE_RATE } from "./sample-rate.js";
import { type ByteSource, memorySource } from "./sources/byte-source.js";
import { openSource } from "./sources/open-source.js";

export { SAMPLE_RATE } from "./sample-rate.js";

// Of a file of which only a part is wanted: the headers, mostly, and all of a short clip.
const AHEAD = 2 ** 16;
// Samples of a file that are mixed and resampled before the event loop has its turn.
const SLICE = 2 ** 15;
// Of a file whose headers alone are wanted.
const HEADERS = 2 ** 12;

/** A part of a file, in seconds. */
export interface AudioRange {
  /** Default: the file's beginning. */
  start?: number | undefined;
  /** Default: the file's end. */
  end?: number | undefined;
}

export interface ReadOptions extends AudioRange {
  /** For messages. Default: the path or the file's name where the source has one */
  name?: string | undefined;
  /** Ends the reading, which then throws its reason. */
  signal?: AbortSignal | undefined;
  /** Gets what is odd about the file, though it is read. */
  onNote?: OnNote | undefined;
}

const OPTIONS = {
  start: true,
  end: true,
  name: TEXT,
  signal: true,
  onNote: true,
} satisfies KnownOptions<ReadOptions>;

/**
 * Reads all of some audio as mono at 16 kHz: channels are averaged, other rates resampled. FLAC and WAV are exact; the
 * other formats are as libsndfile reads them to 5e-5. The event loop has its turns meanwhile.
 * @param source a path, a file's bytes such as an upload's, a stream, samples: see {@link AudioSource}
 * @param options its `start` and `end` are rounded to samples of the file, which is cut before other rates are resampled. Of FLAC and WAV no more is
 * read and decoded than it needs, so that damage elsewhere in the file is not seen.
 * @returns [samples], full scale [-1, 1)
 * @throws UserError naming the file where it is missing, truncated, corrupt or not finite, and where the range does
 * not lie within it
 * @throws TypeError where the source is none
 */
export async function readAudio(source: AudioSource, options: ReadOptions = {}): Promise<Float32Array> {
  requireOptions("readAudio", options, OPTIONS);
  return await withCode("ERR_AUDIO_CORRUPT", () => readSource(source, options));
}

async function readSource(source: AudioSource, options: ReadOptions): Promise<Float32Array> {
  const opened = await openSource(source, options);
  const { name } = opened;
  if (opened.kind === "bytes") return await decodeAudio(memorySource(opened.bytes), name, options);
  if (opened.kind === "stream") {
    const chunks = await all(opened.chunks);
    const [only] = chunks;
    const bytes =
      only && chunks.length === 1 ? only : await joinInTurns(chunks, new Uint8Array(lengthOf(chunks)));
    return await decodeAudio(memorySource(bytes), name, options);
  }
  if (opened.kind === "samples") {
    const { sampleRate } = opened;
    const blocks = await all(opened.blocks);
    const header = { sampleRate, samples: lengthOf(blocks) };
    const { from, to } = isPartial(options)
      ? toSamples(options, header, name)
      : { from: 0, to: header.samples };
    const samples = await joinInTurns(within(blocks, from, to), new Float32Array(to - from));
    return await toMono({ channelData: [samples], sampleRate }, name, options.signal);
  }
  const ahead = isPartial(options) ? AHEAD : Number.POSITIVE_INFINITY;
  const file = await FileSource.open(opened.path, ahead, "an audio file");
  try {
    return await decodeAudio(file, name, options);
  } finally {
    file.close();
  }
}

/** Of blocks one behind the other, what lies in [from, to) of them. */
function* within(blocks: readonly Float32Array[], from: number, to: number): Generator<Float32Array> {
  let at = 0;
  for (const block of blocks) {
    yield block.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += block.length;
  }
}

async function all<Part>(parts: AsyncIterable<Part>): Promise<Part[]> {
  const gathered: Part[] = [];
  for await (const part of parts) gathered.push(part);
  return gathered;
}

async function decodeAudio(source: ByteSource, name: string, options: ReadOptions): Promise<Float32Array> {
  const file = behindTags(source, name);
  const reader = detectFormat(file, name);
  const { onNote } = options;
  const header = isPartial(options) || onNote ? reader.readHeader(file, name, onNote) : undefined;
  const part = header && isPartial(options) ? toSamples(options, header, name) : undefined;
  return await toMono(await reader.decode(file, name, part), name, options.signal);
}

/** Mixes and resamples in slices, between which the event loop has its turn. */
async function toMono(
  { channelData, sampleRate }: DecodedAudio,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const length = channelData[0]?.length ?? 0;
  if (length === 0)
    throw new UserError(`${name} must hold audio, but holds 0 samples.`, { code: "ERR_AUDIO_EMPTY" });
  requireRate(sampleRate, name);
  const isReady = channelData.length === 1 && sampleRate === SAMPLE_RATE;
  const result = isReady
    ? channelData[0]!
    : new Float32Array(resampledLength(length, sampleRate, SAMPLE_RATE));
  const cancellation = new ChannelCancellation(name, false);
  const resampler = new Resampler(sampleRate, SAMPLE_RATE);
  let end = 0;
  const append = (samples: Float32Array) => {
    result.set(samples, end);
    end += samples.length;
  };
  for (let at = 0; at < length; at += SLICE) {
    const channels = channelData.map((channel) => channel.subarray(at, at + SLICE));
    const samples = mixDown(channels);
    requireFinite(samples, name, at);
    cancellation.push(channels, samples, sampleRate);
    if (!isReady) append(resampler.push(samples));
    if (at + SLICE >= length) continue;
    await turn();
    signal?.throwIfAborted();
  }
  cancellation.end();
  if (!isReady) append(resampler.end());
  return result;
}

function isPartial({ start, end }: AudioRange): boolean {
  return start !== undefined || end !== undefined;
}

/** What a file's headers say, and the file system. */
export interface AudioInfo extends AudioHeader {
  /** Samples that `readAudio` returns. */
  samplesAt16k: number;
  /** Of the file, in bytes. */
  size: number;
  /** When the file was last changed, in milliseconds since 1970. */
  modified: number;
  /** What is odd about the file, though it is read. */
  notes: string[];
}

/**
 * Reads a file's format and length from its headers, without decoding.
 * @throws UserError naming the file where `readAudio` would refuse it for its headers. Damage behind them is left to
 * `readAudio`, which never returns another number of samples: it refuses the file.
 */
export async function readAudioInfo(path: string): Promise<AudioInfo> {
  if (typeof path !== "string")
    throw wrongType(`path must be that of an audio file, but is ${describeType(path)}.`);
  return await withCode("ERR_AUDIO_CORRUPT", () => readInfo(path));
}

async function readInfo(path: string): Promise<AudioInfo> {
  const file = await FileSource.open(path, HEADERS, "an audio file");
  try {
    const notes: string[] = [];
    const audio = behindTags(file, path);
    const header = detectFormat(audio, path).readHeader(audio, path, (note) => void notes.push(note));
    if (header.samples === 0)
      throw new UserError(`${path} must hold audio, but holds 0 samples.`, { code: "ERR_AUDIO_EMPTY" });
    requireRate(header.sampleRate, path);
    const samplesAt16k = resampledLength(header.samples, header.sampleRate, SAMPLE_RATE);
    return { ...header, samplesAt16k, size: file.size, modified: file.modified, notes };
  } finally {
    file.close();
  }
}

function toSamples(
  { start = 0, end }: AudioRange,
  header: Pick<AudioHeader, "sampleRate" | "samples">,
  path: string,
): SampleRange {
  const { sampleRate, samples } = header;
  const from = samplesUntil(start, sampleRate);
  const to = end === undefined ? samples : samplesUntil(end, sampleRate);
  if (!(from >= 0 && from < to && to <= samples))
    throw new UserError(
      `the part of ${path} must lie within its ${samples / sampleRate} s, but is from ${start} s to ` +
        `${end === undefined ? "the end" : `${end} s`}. Correct its start and end.`,
      { code: "ERR_AUDIO_RANGE" },
    );
  return { from, to };
}

/**
 * Samples of a file before a time in it, in seconds. Halfway between two samples it is the later one, whatever the
 * noise of floating point in the seconds.
 */
export function samplesUntil(seconds: number, sampleRate: number): number {
  return Math.round(Number((seconds * sampleRate).toFixed(6)));
}
