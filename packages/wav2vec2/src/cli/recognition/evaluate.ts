import { type Command, InvalidArgumentError, Option } from "commander";
import { ConfigurationError } from "../../errors.js";
import type { ClassifierResult } from "../../evaluation/classification/classifier-result.js";
import type { EvaluationResult } from "../../evaluation/evaluation.js";
import type { WantedPrecision } from "../../precision/precision-names.js";
import {
  isNormalization,
  type NamedNormalization,
  TEXT_NORMALIZATIONS,
} from "../../text/scoring/normalize-text.js";
import {
  addDeviceOption,
  addPrecisionOption,
  addThreadsOption,
  type Define,
  outputDirectory,
  positive,
  print,
  printJson,
  showProgress,
  whole,
} from "../command.js";
import { downloadProgress } from "../data/download-progress.js";
import { requireWritable } from "../writable.js";
import { addDecodingOptions, type DecodingArguments, decodingChoice } from "./decoding-options.js";
import { addEngineOption, chooseEngine, type EngineArguments, setEngineThreads } from "./engine-option.js";
import { describeEvaluation, sayReport } from "./evaluation-text.js";

interface Options extends DecodingArguments, EngineArguments {
  data: string;
  split?: string;
  onBadData: "error" | "skip";
  revision?: string;
  device?: string;
  precision?: WantedPrecision;
  language?: string;
  batchSeconds?: number;
  threads?: number;
  normalize: NamedNormalization[];
  bootstrapBy: "utterance" | "speaker";
  label?: string;
  trials?: string;
  seed: number;
  worst: number;
  output?: string;
  report?: string;
  reportClips: number;
  json: boolean;
}

export const defineEvaluate: Define = (command) => {
  command
    .argument("<model>", "model directory or Hugging Face Hub id")
    .requiredOption("--data <path>", "corpus: LibriSpeech layout, manifest or folder (docs/data.md)")
    .option(
      "--split <name>",
      "split to evaluate on, or several with + or commas between them (default: all of a manifest or folder)",
      (text: string, before?: string) => [before, text.replaceAll(",", "+")].filter(Boolean).join("+"),
    )
    .addOption(
      new Option(
        "--on-bad-data <what>",
        "whether clips that cannot be used end it or are left out and listed",
      )
        .choices(["error", "skip"])
        .default("error"),
    )
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--language <code>", "language of a multilingual model, such as eng")
    .option("--batch-seconds <number>", "seconds of audio in a batch", positive)
    .option(
      "--normalize <list>",
      `what to take away from both sides before they are compared: ${TEXT_NORMALIZATIONS.join(", ")}, case:LANGUAGE, or several with commas between them (docs/evaluation.md; default: nothing)`,
      normalizations,
      [],
    )
    .addOption(
      new Option("--bootstrap-by <unit>", "what the interval of the word error rate draws")
        .choices(["utterance", "speaker"])
        .default("utterance"),
    )
    .option("--label <column>", "of a classifier: column that holds the labels (docs/classification.md)")
    .option("--trials <file>", "of a model that tells speakers apart: pairs of clips (default: all pairs)")
    .option("--seed <number>", "of the bootstrap", whole, 0)
    .option("--worst <number>", "how many of the worst utterances to show", whole, 5)
    .option(
      "--output <path>",
      "keep the result for 'compare': a .json file, or a directory for evaluation.json",
      outputDirectory,
    )
    .option(
      "--report <path>",
      "write a page to look at and listen to: an .html file, or a directory with the clips as files",
      outputDirectory,
    )
    .option("--report-clips <number>", "how many of the worst utterances the report plays", whole, 50)
    .option("--json", "print the result, with all utterances, as JSON", false);
  addThreadsOption(command);
  addEngineOption(addPrecisionOption(addDeviceOption(command)));
  addDecodingOptions(command).action(async (model: string, options: Options) => {
    const {
      data,
      split,
      onBadData,
      revision,
      language,
      device,
      precision,
      batchSeconds,
      normalize,
      bootstrapBy,
      seed,
    } = options;
    const { worst, report, reportClips, json } = options;
    const { classificationTaskOf } = await import("../../classification/classifier-directory.js");
    if (await classificationTaskOf(model, { revision, onDownload: downloadProgress() })) {
      refuseTextOptions(model, command);
      await setEngineThreads("libtorch", options.threads);
      return await evaluateClassifierModel(model, options);
    }
    for (const name of ["label", "trials"] as const)
      if (options[name] !== undefined)
        throw new ConfigurationError(
          `--${name} belongs to models with a classification head, but ${model} has none.`,
        );
    const engine = chooseEngine(command, model, ["device", "precision", "revision"]);
    await setEngineThreads(engine, options.threads);
    const { evaluateModel } = await import("../../evaluation/evaluate.js");
    const { writeEvaluationReport } = await import("../../evaluation/report/report.js");
    const resultFile = await prepareOutputs(options);
    const { processingSeconds, ...result } = await evaluateModel(model, {
      data,
      split,
      onBadData,
      revision,
      language,
      device,
      precision,
      engine,
      dtype: options.dtype,
      ...(engine === "onnx" && { threads: options.threads }),
      batchSeconds,
      textNormalization: normalize,
      bootstrapBy,
      seed,
      ...(await decodingChoice(options)),
      onDownload: downloadProgress(),
      onNote: (text) => process.stderr.write(`${text}\n`),
      onProgress: (done, total) => showProgress(`${done} of ${total} utterances`),
    }).finally(() => showProgress(""));
    await tellResult(result, processingSeconds, {
      json,
      resultFile,
      describe: () => describeEvaluation(result, worst),
    });
    if (report !== undefined) {
      sayReport(await writeEvaluationReport(report, result, { clips: reportClips }));
    }
  });
};

/** Options that mean something for models that write text and for others. */
const OF_ALL: ReadonlySet<string> = new Set([
  ...[
    "data",
    "split",
    "onBadData",
    "revision",
    "device",
    "precision",
    "threads",
    "batchSeconds",
    "bootstrapBy",
    "seed",
  ],
  ...["label", "trials", "worst", "output", "report", "reportClips", "json"],
]);

/** @throws ConfigurationError for options that would change nothing where a model has a classification head */
function refuseTextOptions(model: string, command: Command): void {
  const given = command.options.filter(
    (option) => command.getOptionValueSource(option.attributeName()) === "cli",
  );
  const other = given.find((option) => !OF_ALL.has(option.attributeName()));
  if (!other) return;
  throw new ConfigurationError(
    `${other.long} belongs to models that write text, but ${model} has a classification head. Leave it out.`,
  );
}

/** {@link defineEvaluate} of a model with a classification head. */
async function evaluateClassifierModel(model: string, options: Options): Promise<void> {
  const { data, split, report, reportClips, json, worst } = options;
  const { evaluateClassifier } = await import("../../evaluation/classification/evaluate-classifier.js");
  const { writeClassifierReport } = await import("../../evaluation/report/report.js");
  const { describeClassifier } = await import("./classifier-text.js");
  const resultFile = await prepareOutputs(options);
  const { processingSeconds, ...result } = await evaluateClassifier(model, {
    data,
    split,
    label: options.label,
    trials: options.trials,
    onBadData: options.onBadData,
    revision: options.revision,
    device: options.device,
    precision: options.precision,
    batchSeconds: options.batchSeconds,
    bootstrapBy: options.bootstrapBy,
    seed: options.seed,
    onDownload: downloadProgress(),
    onNote: (text) => process.stderr.write(`${text}\n`),
    onProgress: (done, total) => showProgress(`${done} of ${total} clips`),
  }).finally(() => showProgress(""));
  await tellResult(result, processingSeconds, {
    json,
    resultFile,
    describe: () => describeClassifier(result, worst),
  });
  if (report !== undefined) sayReport(await writeClassifierReport(report, result, { clips: reportClips }));
}

/**
 * Makes sure, before anything is computed, that what is asked for can be written.
 *
 * @returns the file that the result goes to
 */
async function prepareOutputs({ data, output, report }: Options): Promise<string | undefined> {
  const { prepareResultPath } = await import("../../evaluation/result-file.js");
  const { prepareReportPath } = await import("../../evaluation/report/report.js");
  const resultFile = output === undefined ? undefined : await prepareResultPath(output);
  if (resultFile !== undefined) await requireWritable(resultFile, data);
  if (report !== undefined) await requireWritable(await prepareReportPath(report), data);
  return resultFile;
}

/** Prints a result of either kind, and keeps it where a file was asked for. */
async function tellResult(
  result: EvaluationResult | ClassifierResult,
  processingSeconds: number,
  { json, resultFile, describe }: { json: boolean; resultFile: string | undefined; describe: () => string },
): Promise<void> {
  const { writeResult } = await import("../../evaluation/result-file.js");
  for (const { message } of result.skipped) process.stderr.write(`Left out: ${message}\n`);
  if (json) printJson(result);
  else print(describe());
  process.stderr.write(
    `Real-time factor ${(processingSeconds / result.seconds).toFixed(3)}: ${processingSeconds.toFixed(1)} s for ${result.seconds.toFixed(1)} s of audio.\n`,
  );
  if (resultFile === undefined) return;
  await writeResult(resultFile, result);
  process.stderr.write(`Kept in ${resultFile}.\n`);
}

function normalizations(text: string): NamedNormalization[] {
  const steps = text.split(",").map((step) => step.trim());
  if (steps.every(isNormalization)) return steps;
  throw new InvalidArgumentError(
    `It must be ${TEXT_NORMALIZATIONS.join(", ")} or case:LANGUAGE, such as case:tr, or several with commas between them.`,
  );
}
