import { streamAudio } from "../../audio/audio-stream.js";
import type { RawEncoding } from "../../audio/wav/raw-format.js";
import { LIVE_WINDOWS } from "../../recognition/emissions/emissions.js";
import { type FileNews, faultOf, transcribeFiles } from "../../recognition/files.js";
import type { SpeechRecognizer } from "../../recognition/speech-recognizer.js";
import type { Format } from "../../text/formats/formats.js";
import { transcriptLine } from "../../text/formats/json.js";
import { tailToWidth } from "../../unicode/display-width.js";
import { endWithReader } from "../closed-pipe.js";
import { print, showProgress } from "../command.js";
import { type Recording, recordingNames } from "./recording-names.js";
import { TranscriptDirectory, TranscriptPrinter, type TranscriptSink } from "./transcript-output.js";

export interface TranscribeOptions {
  format: Format;
  characters: boolean;
  output?: string;
  batchSeconds?: number;
  workers: number;
  raw?: RawEncoding;
  rate: number;
  channels: number;
  events: boolean;
  /** Ends the reading: files that are not finished have no transcript, of standard input that of what came before is written. */
  signal: AbortSignal;
  /** Gets what is odd about a recording that is read nevertheless. */
  onNote: (text: string) => void;
}

/**
 * Transcribes files, or standard input where the only one is "-", to where the options say.
 *
 * @returns how many failed; what was wrong with them has been said
 */
export async function transcribeTo(
  recognizer: SpeechRecognizer,
  recordings: readonly Recording[],
  options: TranscribeOptions,
): Promise<{ failed: number }> {
  const { output, format, batchSeconds, workers, signal, onNote } = options;
  const files = recordings.map(({ path }) => path);
  const piped = files[0] === "-";
  if (piped && options.events) return await printEvents(recognizer, options);
  if (output === undefined) endWithReader();
  const named = piped
    ? [{ file: "standard input", name: "standard input" }]
    : recordingNames(recordings).map((name, index) => ({ file: files[index]!, name }));
  const sink: TranscriptSink =
    output === undefined
      ? new TranscriptPrinter(named, options)
      : await TranscriptDirectory.open(named, output, options);
  const words = format !== "text";
  const news = piped
    ? newsOfInput(recognizer, words, options)
    : transcribeFiles(recognizer, files, { words, batchSeconds, workers, signal, onNote });
  let done = 0;
  for await (const item of news) {
    await sink.take(item);
    if (!("transcript" in item)) done++;
    if (files.length > 1) showProgress(`${done} of ${files.length} files`);
  }
  return sink;
}

async function* newsOfInput(
  recognizer: SpeechRecognizer,
  words: boolean,
  options: TranscribeOptions,
): AsyncGenerator<FileNews> {
  const index = 0;
  try {
    for await (const transcript of streamInput(recognizer, words, options, showTail)) {
      showProgress("");
      yield { index, transcript };
    }
    yield { index, done: true };
  } catch (error) {
    yield { index, ...faultOf(error) };
  } finally {
    showProgress("");
  }
}

async function printEvents(
  recognizer: SpeechRecognizer,
  options: TranscribeOptions,
): Promise<{ failed: number }> {
  endWithReader();
  const partial = (text: string) => print(JSON.stringify({ partial: text }));
  try {
    for await (const transcript of streamInput(recognizer, true, options, partial))
      if (transcript.text) print(transcriptLine(transcript, options.characters));
    return { failed: 0 };
  } catch (error) {
    process.stderr.write(`${faultOf(error).error}\n`);
    return { failed: 1 };
  }
}

/** What standard input holds up to its end, or until the signal is aborted: what came until then is still transcribed. */
function streamInput(
  recognizer: SpeechRecognizer,
  words: boolean,
  { raw, rate, channels, signal, onNote }: TranscribeOptions,
  onPartial: (text: string) => void,
) {
  const name = "standard input";
  const format = raw && { encoding: raw, sampleRate: rate, channels };
  const blocks = streamAudio(process.stdin, { raw: format, name, signal, onNote });
  return recognizer.streamBlocks(untilAborted(blocks, signal), {
    words,
    windows: LIVE_WINDOWS,
    name,
    onPartial,
  });
}

/** @param blocks throw the signal's reason where it is aborted */
async function* untilAborted<T>(blocks: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  try {
    yield* blocks;
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}

/** As much of the end as a line of the terminal holds. */
function showTail(text: string): void {
  const width = (process.stderr.columns ?? 80) - 1;
  showProgress(tailToWidth(text, width));
}
