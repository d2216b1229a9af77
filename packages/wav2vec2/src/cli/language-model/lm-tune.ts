import { availableParallelism } from "node:os";
import { counted } from "../../counted.js";
import { ConfigurationError } from "../../errors.js";
import { writeFileAtomic } from "../../files/atomic/atomic-file.js";
import type { WantedPrecision } from "../../precision/precision-names.js";
import {
  addDeviceOption,
  addPrecisionOption,
  type Define,
  outputFile,
  positiveWhole,
  print,
  printJson,
  showProgress,
  threadCount,
} from "../command.js";
import { downloadProgress } from "../data/download-progress.js";
import {
  addDecodingOptions,
  type DecodingArguments,
  decodingChoice,
} from "../recognition/decoding-options.js";
import { percent } from "../recognition/evaluation-text.js";
import { requireWritable } from "../writable.js";

interface Options extends DecodingArguments {
  data: string;
  split?: string;
  utterances?: number;
  threads: number;
  revision?: string;
  device?: string;
  precision?: WantedPrecision;
  language?: string;
  output?: string;
  picture?: string;
  json: boolean;
}

export const defineLmTune: Define = (command) => {
  command
    .argument("<model>", "model directory or Hugging Face Hub id")
    .requiredOption("--data <path>", "corpus: LibriSpeech layout, manifest or folder (docs/data.md)")
    .option(
      "--split <name>",
      "split to choose on, not the one to report on (default: all of a manifest or folder)",
    )
    .option("--utterances <number>", "choose on so many clips, drawn at random (default: all)", positiveWhole)
    .option("--threads <number>", "threads that decode", threadCount, availableParallelism())
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--language <code>", "language of a multilingual model, such as eng")
    .option("--output <file>", "write the choice for --decoding of evaluate and transcribe", outputFile)
    .option("--picture <file>", "draw the error rates of all weights (SVG)", outputFile)
    .option("--json", "print all weights with their error rates as JSON, best first", false);
  addPrecisionOption(addDeviceOption(command));
  addDecodingOptions(command).action(async (model: string, options: Options) => {
    const { data, split, utterances, threads, revision, language, device, precision, output, picture, json } =
      options;
    const { languageModel, ...choice } = await decodingChoice(options);
    if (languageModel === undefined)
      throw new ConfigurationError(
        "--lm must name the language model whose weight is looked for, but is missing.",
      );
    for (const file of [output, picture]) if (file !== undefined) await requireWritable(file, data);
    const { tuneDecoding } = await import("../../evaluation/tuning/tune-model.js");
    const { tried, clips } = await tuneDecoding(model, {
      data,
      split,
      choice: { ...choice, languageModel },
      utterances,
      threads,
      revision,
      language,
      device,
      precision,
      onDownload: downloadProgress(),
      onRecognized: (done, total) => showProgress(`${done} of ${total} clips are recognised`),
      onMeasured: (done, total, best) =>
        showProgress(`${done} of at most ${total} weights, best so far ${percent(best.wer)}`),
      onNote: (text) => process.stderr.write(`${text}\n`),
    }).finally(() => showProgress(""));
    const { lmWeight, wordScore, wer, cer } = tried[0]!;
    if (json) {
      printJson({ clips, tried });
    } else {
      print(`--lm-weight ${lmWeight} --word-score ${wordScore}`);
      print(`WER  ${percent(wer)}, CER  ${percent(cer)} on ${counted(clips, "utterance")}`);
    }
    if (output !== undefined) {
      const { writeDecodingChoice } = await import("../../recognition/transcript/decoding-choice.js");
      await writeDecodingChoice(output, { ...choice, languageModel, lmWeight, wordScore });
    }
    if (picture !== undefined) {
      const { drawWeights } = await import("../../evaluation/tuning/weights-picture.js");
      await writeFileAtomic(picture, drawWeights(tried));
    }
  });
};
