import { UserError } from "../errors.js";
import { behindTags, detectFormat } from "./audio-format.js";
import { type ByteSource, FileSource, memorySource } from "./byte-source.js";
import { ChannelCancellation } from "./channel-cancellation.js";
import type { AudioHeader, OnNote, SampleRange } from "./decoded-audio.js";
import { mixDown, requireFinite, requireRate } from "./mono.js";
import { resample, resampledLength } from "./resample.js";

/** Hz; what wav2vec 2.0 was trained on: a frame stands for 20 ms only at this rate. */
export const SAMPLE_RATE = 16000;

// Of a file of which only a part is wanted: the headers, mostly, and all of a short clip.
const AHEAD = 2 ** 16;
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
  /** Hears what is odd about the file, though it is read. */
  onNote?: OnNote | undefined;
}

/**
 * Reads FLAC, WAV, MP3, Ogg Opus, Ogg Vorbis or Ogg FLAC, told apart by content, as mono at 16 kHz: channels are
 * averaged, other rates resampled. FLAC and WAV are exact; the others are as libsndfile reads them to 5e-5.
 * @param source a path, or a file's bytes, such as an upload's
 * @param options.start, options.end rounded to samples of the file; it is cut before other rates are resampled. Of FLAC and WAV no more is
 * read and decoded than it needs, so that damage elsewhere in the file is not seen.
 * @returns [samples], full scale [-1, 1)
 * @throws UserError naming the file where it is missing, truncated, corrupt or not finite, and where the range does
 * not lie within it
 */
export async function readAudio(
  source: string | Uint8Array,
  options: ReadOptions = {},
): Promise<Float32Array> {
  if (typeof source !== "string" && !(source instanceof Uint8Array))
    throw new TypeError(
      "source must be the path of a file or its bytes. Of a stream, streamPcm reads audio.",
    );
  if (typeof source !== "string") return await decodeAudio(memorySource(source), "the audio file", options);
  const ahead = isPartial(options) ? AHEAD : Number.POSITIVE_INFINITY;
  const file = await FileSource.open(source, ahead, "an audio file");
  try {
    return await decodeAudio(file, source, options);
  } finally {
    file.close();
  }
}

async function decodeAudio(source: ByteSource, name: string, options: ReadOptions): Promise<Float32Array> {
  const file = behindTags(source, name);
  const reader = detectFormat(file, name);
  const { onNote } = options;
  const header = isPartial(options) || onNote ? reader.readHeader(file, name, onNote) : undefined;
  const part = header && isPartial(options) ? toSamples(options, header, name) : undefined;
  const { channelData, sampleRate } = await reader.decode(file, name, part);
  const samples = mixDown(channelData);
  if (samples.length === 0) throw new UserError(`${name} must hold audio, but holds 0 samples.`);
  if (reader.format !== "flac") requireFinite(samples, name);
  requireRate(sampleRate, name);
  const cancellation = new ChannelCancellation(name, false);
  cancellation.push(channelData, samples, sampleRate);
  cancellation.end();
  return resample(samples, sampleRate, SAMPLE_RATE);
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
  const file = await FileSource.open(path, HEADERS, "an audio file");
  try {
    const notes: string[] = [];
    const audio = behindTags(file, path);
    const header = detectFormat(audio, path).readHeader(audio, path, (note) => void notes.push(note));
    if (header.samples === 0) throw new UserError(`${path} must hold audio, but holds 0 samples.`);
    requireRate(header.sampleRate, path);
    const samplesAt16k = resampledLength(header.samples, header.sampleRate, SAMPLE_RATE);
    return { ...header, samplesAt16k, size: file.size, modified: file.modified, notes };
  } finally {
    file.close();
  }
}

function toSamples({ start = 0, end }: AudioRange, header: AudioHeader, path: string): SampleRange {
  const { sampleRate, samples } = header;
  const from = samplesUntil(start, sampleRate);
  const to = end === undefined ? samples : samplesUntil(end, sampleRate);
  if (!(from >= 0 && from < to && to <= samples))
    throw new UserError(
      `the part of ${path} must lie within its ${samples / sampleRate} s, but is from ${start} s to ` +
        `${end === undefined ? "the end" : `${end} s`}. Correct its start and end.`,
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
