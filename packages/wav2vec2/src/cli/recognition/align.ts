import { basename, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type Command, Option } from "commander";
import { AUDIO_FORMATS } from "../../audio/decoded-audio.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { exitCodes } from "../../exit-codes.js";
import { lineName } from "../../files/line-name.js";
import { makeDirectory } from "../../files/make-directory.js";
import type { WantedPrecision } from "../../precision/precision-names.js";
import type { Alignment } from "../../recognition/alignment/align.js";
import { FORMATS, type Format, transcriptWriter } from "../../text/formats/formats.js";
import { WordTableWriter } from "../../text/formats/word-table.js";
import {
  addDeviceOption,
  addPrecisionOption,
  addThreadsOption,
  type Define,
  outputFile,
  showProgress,
} from "../command.js";
import { downloadProgress } from "../data/download-progress.js";
import { interruptible } from "../interruption.js";

interface Options {
  textFile?: string;
  data?: string;
  split?: string;
  normalize: boolean;
  format: Format;
  characters: boolean;
  output?: string;
  emissions?: string;
  picture?: string;
  revision?: string;
  device?: string;
  precision?: WantedPrecision;
  language?: string;
}

/** Below it, hardly a character was recognised where it was looked for. */
const DOUBTFUL = 0.1;

export const defineAlign: Define = (command, { exit }) => {
  describe(command);
  addThreadsOption(command);
  addPrecisionOption(addDeviceOption(command));
  command.action(
    async (model: string, audio: string | undefined, text: string | undefined, options: Options) => {
      requireSource(audio, text, options);
      const done = await interruptible("Interrupted.", (signal) =>
        options.data === undefined
          ? alignFile(model, audio!, text, options, signal)
          : alignCorpus(model, options.data, options, signal),
      ).finally(() => showProgress(""));
      if (done === undefined) exit(exitCodes.interrupted);
      else if (done.failed > 0) exit(exitCodes.failed);
    },
  );
};

function describe(command: Command): void {
  command
    .argument("<model>", "model directory or Hugging Face Hub id")
    .argument("[audio]", `${AUDIO_FORMATS} file of any length, at any sample rate; - is standard input`)
    .argument("[text]", "what is said in it; * stands for any speech; - is standard input")
    .option("--text-file <file>", "a file with the text instead; - is standard input")
    .option(
      "--data <path>",
      "instead of a file: a corpus, in LibriSpeech layout, manifest or folder (docs/data.md)",
    )
    .option("--split <name>", "split of the corpus (default: all of a manifest or folder)")
    .option(
      "--normalize",
      "look characters that the vocabulary lacks up in its case, and leave them out where they are punctuation; words stay as they are written",
      false,
    )
    .addOption(new Option("--format <name>", "what to write").choices(Object.keys(FORMATS)).default("text"))
    .option("--characters", "with text and JSON: the times of each word's characters too", false)
    .option(
      "--output <path>",
      "write to this file instead; of a corpus, a file for each clip into this directory",
      outputFile,
    )
    .option("--emissions <file>", "write the network's scores too: safetensors, logits [frames, vocabulary]")
    .option(
      "--picture <file>",
      "write a drawing too: SVG, the words over the waveform and what was recognised",
      outputFile,
    )
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--language <code>", "language of a multilingual model, such as eng")
    .addHelpText(
      "after",
      `
As text, a word is a line: its start and end in seconds, its confidence from 0 to 1, and the word. Of a corpus, a line is
how well a clip's text fits it, its confidence, and its id: sorted, those come first whose text is not what was said.
A text that begins with - stands behind --. More in docs/alignment.md.`,
    );
}

/** @throws ConfigurationError where it is not clear what to align */
function requireSource(
  audio: string | undefined,
  text: string | undefined,
  { data, split, textFile, output, emissions, picture }: Options,
): void {
  const wrong = (message: string) => new ConfigurationError(message);
  if (data !== undefined) {
    if (audio !== undefined)
      throw wrong(`--data must stand without an audio file, but ${audio} is given too.`);
    if (output === undefined) throw wrong("--output must name a directory with --data, but is missing.");
    for (const [name, value] of Object.entries({ "text-file": textFile, emissions, picture }))
      if (value !== undefined) throw wrong(`--${name} must stand without --data, but stands with it.`);
    return;
  }
  if (split !== undefined) throw wrong("--split must stand with --data, but stands without.");
  if (audio === undefined) throw wrong("an audio file or --data must be given, but is missing.");
  if (text === undefined && textFile === undefined)
    throw wrong("the text must be given behind the audio file or by --text-file, but is missing.");
  if (text !== undefined && textFile !== undefined)
    throw wrong("the text must be given once, but stands behind the audio file and in --text-file.");
  if (audio !== "-") return;
  if (text === "-" || textFile === "-")
    throw wrong("standard input must be the audio or the text, but is given as both.");
  if (picture !== undefined) throw wrong("--picture must stand with an audio file, but stands with -.");
}

async function alignFile(
  model: string,
  audio: string,
  text: string | undefined,
  options: Options,
  signal: AbortSignal,
): Promise<{ failed: number }> {
  const { output, emissions, picture, normalize } = options;
  const { requireWritable } = await import("../writable.js");
  const name = audio === "-" ? "standard input" : audio;
  const written = text === undefined || text === "-" ? await readText(options.textFile ?? "-") : text;
  for (const file of [output, emissions, picture])
    for (const input of [audio, options.textFile ?? audio])
      if (file !== undefined) await requireWritable(file, input);
  const aligner = await load(model, options, signal);
  const alignment = await aligner.align(await blocksOf(audio, signal), written, { name, respell: normalize });
  if (emissions !== undefined) await writeEmissions(emissions, alignment);
  if (picture !== undefined) {
    const { alignmentPicture } = await import("../../recognition/alignment/alignment-picture.js");
    const { readAudio } = await import("../../audio/audio-file.js");
    const { writeFileAtomic } = await import("../../files/atomic/atomic-file.js");
    const { secondsPerFrame, ctc } = aligner;
    const { vocabulary } = ctc.tokenizer;
    const drawing = { name: basename(audio), vocabulary, secondsPerFrame };
    await writeFileAtomic(picture, alignmentPicture(await readAudio(audio), alignment, drawing));
  }
  await write(output, fileOf(name, alignment, options));
  for (const remark of remarksOn(name, alignment)) process.stderr.write(`${remark}\n`);
  return { failed: 0 };
}

/** Stretches that are named. */
const NAMED = 3;

/** What looks as if other words were said than the text has. */
function* remarksOn(name: string, { confidence, otherSpeech }: Alignment): Generator<string> {
  if (confidence < DOUBTFUL) {
    yield `The text fits ${name} badly: its characters' mean probability is ${confidence.toFixed(3)}. Is it what was said?`;
    return;
  }
  if (otherSpeech.length === 0) return;
  const shown = otherSpeech
    .slice(0, NAMED)
    .map(({ text, start, end }) => `${start.toFixed(2)} to ${end.toFixed(2)} s ("${text}")`);
  const more = otherSpeech.length > NAMED ? ` and at ${otherSpeech.length - NAMED} more places` : "";
  yield `${name} seems to have speech that the text has not, or has other words for: ${shown.join(", ")}${more}. ` +
    "Times of words near it are not to be relied on. Complete the text, or put * where any speech may be.";
}

async function blocksOf(audio: string, signal: AbortSignal): Promise<AsyncIterable<Float32Array>> {
  const onNote = (text: string) => void process.stderr.write(`${text}\n`);
  const { streamAudio } = await import("../../audio/audio-stream.js");
  if (audio !== "-") return streamAudio(audio, { signal, onNote });
  return streamAudio(process.stdin, { name: "standard input", signal, onNote });
}

async function alignCorpus(
  model: string,
  data: string,
  options: Options,
  signal: AbortSignal,
): Promise<{ failed: number }> {
  const { readCorpus } = await import("../../data/corpus/corpus.js");
  const { readAudio } = await import("../../audio/audio-file.js");
  const { dirname, relative, isAbsolute } = await import("node:path");
  const { writeFileAtomic } = await import("../../files/atomic/atomic-file.js");
  const { utterances, problems } = await readCorpus(data, options.split, { onProblem: "skip", signal });
  let failed = problems.length;
  for (const { message } of problems) process.stderr.write(`${message}\n`);
  if (utterances.length === 0)
    throw new UserError(`${data} must hold utterances, but holds none that can be used.`);
  const aligner = await load(model, options, signal);
  for (const [index, { id, path, start, end, text }] of utterances.entries()) {
    signal.throwIfAborted();
    showProgress(`${index} of ${utterances.length} utterances`);
    try {
      const file = join(options.output!, `${id}.${FORMATS[options.format]}`);
      const inside = relative(options.output!, file);
      if (inside.startsWith("..") || isAbsolute(inside))
        throw new UserError(`${id} must name a file within ${options.output}, but does not. Change the id.`);
      const onNote = (note: string) => void process.stderr.write(`${note}\n`);
      const samples = await readAudio(path, { start, end, onNote });
      const { normalize } = options;
      const alignment = await aligner.align(samples, text, { name: `utterance ${id}`, respell: normalize });
      await makeDirectory(dirname(file));
      await writeFileAtomic(file, fileOf(id, alignment, options));
      process.stdout.write(
        `${alignment.fit.toFixed(3)}\t${alignment.confidence.toFixed(3)}\t${lineName(id)}\n`,
      );
    } catch (error) {
      // One bad clip must not cost the others.
      if (!(error instanceof UserError)) throw error;
      process.stderr.write(`${error.message}\n`);
      failed++;
    }
  }
  return { failed };
}

async function load(model: string, { revision, language, device, precision }: Options, signal: AbortSignal) {
  const { loadAligner } = await import("../../recognition/alignment/align.js");
  return await loadAligner(model, {
    revision,
    language,
    device,
    precision,
    signal,
    onDownload: downloadProgress(),
  });
}

async function readText(path: string): Promise<string> {
  const { readTextFile } = await import("../../data/corpus/corpus-text.js");
  if (path !== "-") return readTextFile(path, "a text file");
  const bytes = await buffer(process.stdin);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const { notUtf8 } = await import("../../files/text-encoding.js");
    throw new UserError(`standard input ${notUtf8("-", bytes)}`);
  }
}

function fileOf(name: string, { transcript }: Alignment, { format, characters }: Options): string {
  const writer =
    format === "text" ? new WordTableWriter({ characters }) : transcriptWriter(format, name, { characters });
  const text = writer.begin() + writer.add(transcript) + writer.end();
  return text.endsWith("\n") ? text : `${text}\n`;
}

async function write(output: string | undefined, text: string): Promise<void> {
  if (output === undefined) {
    process.stdout.write(text);
    return;
  }
  const { writeFileAtomic } = await import("../../files/atomic/atomic-file.js");
  await writeFileAtomic(output, text);
}

async function writeEmissions(path: string, { emissions }: Alignment): Promise<void> {
  const { writeSafetensors } = await import("@wav2vec2/libtorch");
  const { logits, frames } = emissions;
  const shape = [frames, logits.length / frames];
  const bytes = () => new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength);
  await writeSafetensors(path, [{ name: "logits", dtype: "F32", shape, bytes }]);
}
