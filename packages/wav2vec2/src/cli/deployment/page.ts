import { exitCodes } from "../../exit-codes.js";
import { showBytes } from "../../files/show-bytes.js";
import { addThreadsOption, type Define, print, printJson, showProgress } from "../command.js";
import { downloadProgress } from "../data/download-progress.js";
import { interruptible } from "../interruption.js";

interface Options {
  to: string;
  language?: string;
  dtype?: string;
  revision?: string;
  lm?: string;
  lmWeight?: number;
  wordScore?: number;
  webgpu?: boolean;
  json: boolean;
}

const number = (value: string): number => Number(value);

export const definePage: Define = (command, { exit }) => {
  command
    .argument("<model...>", "directories of fine-tuned or exported models, or Hugging Face Hub ids")
    .requiredOption("--to <directory>", "where to write: a new directory, or that of a page")
    .option("--lm <file>", "n-gram language model that the page decodes with")
    .option("--lm-weight <number>", "weight of the language model (default: 0.5)", number)
    .option("--word-score <number>", "added for each word, with a language model (default: 1.5)", number)
    .option("--webgpu", "with the engine for GPUs, 27 MB (default: if a model is of 100 MB or more)")
    .option("--no-webgpu", "without it")
    .option(
      "--dtype <name>",
      "numbers of the networks: float32, float16 (GPUs), int8, q8 or q4 (default: float32, or what was exported)",
    )
    .option("--language <code>", "of a multilingual model: whose adapter and vocabulary to take")
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--json", "print what was written as JSON", false);
  addThreadsOption(command).action(async (models: string[], options: Options) => {
    const { to, json, lm: languageModel, ...rest } = options;
    const { writePage } = await import("../../page/write-page.js");
    const written = await interruptible(`Interrupted; ${to} is left as it was.`, (signal) =>
      writePage(models, to, {
        ...rest,
        languageModel,
        signal,
        onDownload: downloadProgress(),
        onStep: showProgress,
      }),
    ).finally(() => showProgress(""));
    if (written === undefined) return exit(exitCodes.interrupted);
    if (json) return printJson({ directory: to, ...written });
    const { page, engine, models: networks } = written.bytes;
    print(
      `${to} is written: the page (${showBytes(page)}), the engine (${showBytes(engine)}), ${written.models.join(", ")} ` +
        `(${showBytes(networks)}). Any web server can serve it.`,
    );
  });
};
