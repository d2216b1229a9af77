import { stat } from "node:fs/promises";
import { noGrad, scope } from "@wav2vec2/libtorch";
import { BOOLEAN, PATHS, requireArguments, whole } from "../argument-kinds.js";
import { readAudioInfo, SAMPLE_RATE } from "../audio/audio-file.js";
import { BATCH_LIMITS, lengthBucketedBatches } from "../data/batches/batches.js";
import { batchWorkers, loadBatches } from "../data/batches/load-batches.js";
import type { BadClip } from "../data/batches/prepare-batch.js";
import { mapConcurrent } from "../data/map-concurrent.js";
import { type ErrorCode, UserError } from "../errors.js";
import type { KnownOptions } from "../known-options.js";
import { requireOptions } from "../known-options.js";
import { minimumSamples } from "../model/lengths.js";
import type { Transcript } from "../text/formats/transcript.js";
import { clipEmissions, scoreBatch } from "./emissions/ctc-batches.js";
import { FILE_WINDOWS } from "./emissions/emissions.js";
import { Recognizer } from "./recognizer.js";
import { RECOGNIZER } from "./recognizer-kind.js";
import type { SpeechRecognizer } from "./speech-recognizer.js";

/** What became known of one of many files. */
export type FileNews = {
  /** Into the files. */
  index: number;
} & ({ transcript: Transcript } | { error: string; code: ErrorCode } | { done: true });

export interface FilesOptions {
  /** Whether words come with their times and confidence. Default: false, `words` are then empty */
  words?: boolean | undefined;
  /** Seconds of audio of short files that are recognised together, padding included. Default: 60 */
  batchSeconds?: number | undefined;
  /** Threads that read short files ahead, at most one a batch. Default: 1 */
  workers?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Gets what is odd about a file that is read nevertheless. */
  onNote?: ((text: string) => void) | undefined;
}

const OPTIONS = {
  words: BOOLEAN,
  batchSeconds: BATCH_LIMITS.batchSeconds,
  workers: whole(1),
  signal: true,
  onNote: true,
} satisfies KnownOptions<FilesOptions>;
const BATCH_SECONDS = 60;
const HEADERS_AT_ONCE = 32;
const MOST_THREADS = 256;
/** Files up to this many samples are recognised whole, in batches of similar length. */
const SHORT = (FILE_WINDOWS.first + FILE_WINDOWS.after) * SAMPLE_RATE;

/**
 * Transcribes many files: first short ones together, sorted by length, then each long one bit by bit. A file that cannot
 * be read does not stop the others. A recogniser of onnxruntime takes one after the other.
 *
 * @returns transcripts of a file in order, then that it is done; or its error at any time. Files come in any order.
 * @throws the signal's reason where it is aborted
 */
export async function* transcribeFiles(
  recognizer: SpeechRecognizer,
  files: readonly string[],
  options: FilesOptions = {},
): AsyncGenerator<FileNews> {
  requireArguments("transcribeFiles", { recognizer: [recognizer, RECOGNIZER], files: [files, PATHS] });
  requireOptions("transcribeFiles", options, OPTIONS);
  const lengths = await mapConcurrent(files, HEADERS_AT_ONCE, async (path) => {
    try {
      if (await isPipe(path)) return Number.POSITIVE_INFINITY;
      const { samplesAt16k, notes } = await readAudioInfo(path);
      for (const note of notes) options.onNote?.(note);
      return samplesAt16k;
    } catch (error) {
      return faultOf(error);
    }
  });
  const short: ShortFile[] = [];
  const long: number[] = [];
  for (const [index, samples] of lengths.entries()) {
    if (typeof samples !== "number") yield { index, ...samples };
    else if (samples <= SHORT && recognizer instanceof Recognizer)
      short.push({ index, path: files[index]!, samples });
    else long.push(index);
  }
  if (recognizer instanceof Recognizer) yield* transcribeShort(recognizer, short, options);
  for (const index of long) yield* transcribeLong(recognizer, files[index]!, index, options);
}

interface ShortFile {
  index: number;
  path: string;
  samples: number;
}

async function* transcribeShort(
  recognizer: Recognizer,
  files: readonly ShortFile[],
  { words, batchSeconds = BATCH_SECONDS, workers: threads = 1, signal }: FilesOptions,
): AsyncGenerator<FileNews> {
  if (files.length === 0) return;
  const { model, normalize } = recognizer.ctc;
  const collation = { task: "ctc", minimumSamples: minimumSamples(model.config) } as const;
  const preparation = { seed: 0, normalize, collation };
  const plan = lengthBucketedBatches(files, { batchSeconds, seed: 0, epoch: 0, shuffle: false });
  const jobs = plan.map((batch) => {
    const labels = new Int32Array(0); // what is said is to be found out
    const clips = batch.map((place) => ({ ...files[place]!, id: String(files[place]!.index), labels }));
    return { preparation, epoch: 0, clips };
  });
  const byIndex = new Map(files.map((file) => [file.index, file]));
  const bad: FileNews[] = [];
  // Beside one batch there is nothing to compute, and a thread takes as long to start as its few clips to be read.
  const workers = jobs.length > 1 ? batchWorkers(Math.min(threads, jobs.length, MOST_THREADS)) : undefined;
  try {
    const onBad = ({ id, message, code }: BadClip) =>
      void bad.push({ index: Number(id), error: message, code });
    for await (const { batch } of loadBatches(jobs, { workers, onBadAudio: "skip", onBad })) {
      signal?.throwIfAborted();
      const emissions = noGrad(() => scope(() => clipEmissions(scoreBatch(recognizer.ctc, batch))));
      for (const [row, id] of batch.ids.entries()) {
        const index = Number(id);
        const { samples } = byIndex.get(index)!;
        yield { index, transcript: await recognizer.read(emissions[row]!, samples, { words, signal }) };
        yield { index, done: true };
      }
      yield* bad.splice(0);
    }
    yield* bad;
  } finally {
    await workers?.close();
  }
}

async function* transcribeLong(
  recognizer: SpeechRecognizer,
  path: string,
  index: number,
  { words, signal, onNote }: FilesOptions,
): AsyncGenerator<FileNews> {
  try {
    // Of a file that was looked at before, it has been said.
    const notes = (await isPipe(path)) ? onNote : undefined;
    for await (const transcript of recognizer.stream(path, { words, signal, onNote: notes }))
      yield { index, transcript };
    yield { index, done: true };
  } catch (error) {
    yield { index, ...faultOf(error) };
  }
}

/** Whether it can be read once alone, such as what a shell's `<(command)` stands for. */
async function isPipe(path: string): Promise<boolean> {
  const status = await stat(path).catch(() => undefined); // what is wrong with a file is said when it is read
  return status !== undefined && !status.isFile() && !status.isDirectory();
}

/** @throws what is no fault of the file */
export function faultOf(error: unknown): { error: string; code: ErrorCode } {
  if (error instanceof UserError) return { error: error.message, code: error.code };
  throw error;
}
