import { type Command, Option } from "commander";
import { AUDIO_FORMATS } from "../../audio/decoded-audio.js";
import { RAW_ENCODINGS } from "../../audio/wav/raw-format.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { exitCodes } from "../../exit-codes.js";
import type { WantedPrecision } from "../../precision/precision-names.js";
import type { Engine } from "../../recognition/engine-choice.js";
import type { SpeechRecognizer } from "../../recognition/speech-recognizer.js";
import { FORMATS } from "../../text/formats/formats.js";
import {
  addDeviceOption,
  addPrecisionOption,
  addThreadsOption,
  type Define,
  outputDirectory,
  positive,
  positiveWhole,
  showProgress,
} from "../command.js";
import { downloadProgress } from "../data/download-progress.js";
import { interruptible } from "../interruption.js";
import { addDecodingOptions, type DecodingArguments, decodingChoice } from "./decoding-options.js";
import { addEngineOption, chooseEngine, type EngineArguments, setEngineThreads } from "./engine-option.js";
import type { Recording } from "./recording-names.js";
import type { TranscribeOptions } from "./transcribe-files.js";

interface Options extends DecodingArguments, EngineArguments, Omit<TranscribeOptions, "signal" | "onNote"> {
  revision?: string;
  device?: string;
  precision?: WantedPrecision;
  language?: string;
  threads?: number;
  json: boolean;
}

export const defineTranscribe: Define = (command, { exit }) => {
  describe(command);
  addThreadsOption(command);
  addPrecisionOption(addDeviceOption(command));
  command.action(async (model: string, files: string[], options: Options) => {
    const piped = files.includes("-");
    requireConsistent(command, files, options);
    const engine = chooseEngine(command, model, TORCH_ONLY);
    await setEngineThreads(engine, options.threads);
    const format = options.json ? "json" : options.format;
    const { transcribeTo } = await import("./transcribe-files.js");
    const recordings = piped ? [{ path: "-" }] : await recordingsOf(files);
    const onNote = (text: string) => {
      showProgress("");
      process.stderr.write(`${text}\n`);
    };
    const farewell = piped ? "Interrupted: what came until now is still transcribed." : "Interrupted.";
    let interrupted = false;
    const done = await interruptible(farewell, async (signal) => {
      const recognizer = await load(model, engine, options, signal, onNote);
      const result = await transcribeTo(recognizer, recordings, { ...options, format, signal, onNote });
      interrupted = signal.aborted;
      return result;
    }).finally(() => showProgress(""));
    if (done === undefined || interrupted) exit(exitCodes.interrupted);
    else if (done.failed > 0) exit(exitCodes.failed);
  });
};

/** What onnxruntime does not have. */
const TORCH_ONLY = ["device", "precision", "revision", "batchSeconds", "workers"];

/** The model with what runs it. */
async function load(
  model: string,
  engine: Engine,
  options: Options,
  signal: AbortSignal,
  onNote: (text: string) => void,
): Promise<SpeechRecognizer> {
  const { revision, language, device, precision, dtype, threads } = options;
  const choice = await decodingChoice(options);
  if (engine === "onnx") {
    const { loadOnnxRecognizer } = await import("../../recognition/load-onnx-recognizer.js");
    return await loadOnnxRecognizer(model, { language, dtype, threads, ...choice, onNote });
  }
  const { loadRecognizer } = await import("../../recognition/recognizer.js");
  const onDownload = downloadProgress();
  return await loadRecognizer(model, {
    revision,
    language,
    device,
    precision,
    ...choice,
    signal,
    onDownload,
    onNote,
  });
}

/** @throws ConfigurationError where an option would change nothing beside the others */
function requireConsistent(command: Command, files: readonly string[], options: Options): void {
  const piped = files.includes("-");
  if (piped && files.length > 1)
    throw new ConfigurationError("- (standard input) must be the only file, but is one of several.");
  const isGiven = (name: keyof Options) => command.getOptionValueSource(name) === "cli";
  const refuse = (name: string, kind: string) => {
    throw new ConfigurationError(`--${name} must stand ${kind}.`);
  };
  for (const name of ["events", "raw"] as const)
    if (isGiven(name) && !piped) refuse(name, "with - (standard input), but stands with files");
  for (const name of ["rate", "channels"] as const)
    if (isGiven(name) && !isGiven("raw")) refuse(name, "with --raw, but stands without");
  for (const name of ["output", "format", "json"] as const)
    if (isGiven(name) && options.events) refuse(name, "without --events, but stands with it");
  const { characters, events, json, format } = options;
  if (characters && !events && !json && format !== "json")
    refuse("characters", `with JSON or events, but stands with ${format}`);
  if (options.json && isGiven("format") && options.format !== "json")
    refuse("json", `without --format ${options.format}, but stands with it`);
}

/** Directories stand for the audio files in them. @throws UserError where there are none */
async function recordingsOf(paths: readonly string[]): Promise<Recording[]> {
  const { stat } = await import("node:fs/promises");
  const { listAudio } = await import("../../data/corpus/layouts/audio-folder.js");
  const recordings: Recording[] = [];
  for (const path of paths) {
    const status = await stat(path).catch(() => undefined); // what is wrong with a file is said when it is read
    if (!status?.isDirectory()) {
      recordings.push({ path });
      continue;
    }
    const found = await listAudio(path);
    if (found.length === 0)
      throw new UserError(`${path} must be an audio file or a directory of them, but holds none.`);
    for (const file of found) recordings.push({ path: file, within: path });
  }
  return recordings;
}

function describe(command: Command): void {
  command
    .argument("<model>", "model directory or Hugging Face Hub id")
    .argument(
      "<file...>",
      `${AUDIO_FORMATS} files of any length, at any sample rate, or directories of them; - is standard input`,
    )
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--language <code>", "language of a multilingual model, such as eng")
    .addOption(new Option("--format <name>", "what to write").choices(Object.keys(FORMATS)).default("text"))
    .option(
      "--json",
      "--format json: [{file, words: [{text, start, end, confidence}], text, duration}], with error where a file failed",
      false,
    )
    .option("--characters", "with JSON and events: the times of each word's characters too", false)
    .option(
      "--output <dir>",
      "write a file for each recording into this directory instead, with the directories below those that are named",
      outputDirectory,
    )
    .option(
      "--batch-seconds <number>",
      "seconds of short files that are recognised together (default: 60)",
      positive,
    )
    .option("--workers <number>", "threads that read short files ahead", positiveWhole, 1)
    .addOption(
      new Option("--raw <format>", "standard input is samples without a header").choices(RAW_ENCODINGS),
    )
    .option("--rate <number>", "sample rate of --raw in Hz", positiveWhole, 16000)
    .option("--channels <number>", "channels of --raw, interleaved", positiveWhole, 1)
    .option(
      "--events",
      "of standard input: a JSON object a line as it is recognised, {partial} and {text, start, end, words}",
      false,
    );
  addEngineOption(command);
  addDecodingOptions(command);
  command.addHelpText(
    "after",
    `
A file of up to 30 s is recognised whole; a longer one is divided in pauses, a line each. Words from standard input come
about two seconds after they were said; the unfinished piece is shown on a terminal.`,
  );
}
