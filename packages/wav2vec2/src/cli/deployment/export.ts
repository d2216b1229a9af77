import { type Command, Option } from "commander";
import { ConfigurationError } from "../../errors.js";
import { exitCodes } from "../../exit-codes.js";
import type { Comparison, ExportedNetwork } from "../../export/export-onnx.js";
import { showBytes } from "../../files/show-bytes.js";
import {
  addThreadsOption,
  type CommandContext,
  type Define,
  notNegative,
  positive,
  print,
  printJson,
  showProgress,
} from "../command.js";
import { downloadProgress } from "../data/download-progress.js";
import { interruptible } from "../interruption.js";
import { formatTable } from "../table.js";

interface Options {
  format: "onnx" | "hf";
  to: string;
  dtype: string[];
  floatLayers: string[];
  data?: string;
  split?: string;
  maxWerLoss?: number;
  audio: string[];
  maxDifference: number;
  longest: number;
  revision?: string;
  language?: string;
  json: boolean;
}

export const defineExport: Define = (command, context) => {
  command
    .argument("<model>", "directory of a fine-tuned model, or Hugging Face Hub id")
    .requiredOption("--to <directory>", "where to write: a new directory, or that of an export")
    .addOption(
      new Option("--format <name>", "onnx, or hf: a directory that transformers reads")
        .choices(["onnx", "hf"])
        .default("onnx"),
    )
    .option(
      "--dtype <name...>",
      "numbers of the network: float32, float16, int8, q8 (int8 under transformers.js' name) or q4; several are a file each " +
        '(default: "float32")',
    )
    .option("--data <path>", "corpus on which the word error rate of each file is measured")
    .option("--split <name>", "its split (default: all of a manifest or folder)")
    .option(
      "--max-wer-loss <points>",
      "how much the word error rate on --data may rise beside float32 (default: 0.2)",
      notNegative,
    )
    .option("--float-layers <name...>", "layers that are not quantised, such as encoder.layers.0", [])
    .option("--audio <file...>", "recordings to compare with, besides made-up ones", [])
    .option(
      "--max-difference <number>",
      "largest difference of a logit in float32 at which it is written",
      positive,
      1e-3,
    )
    .option("--longest <seconds>", "longest made-up recording to compare with", positive, 60)
    .option("--language <code>", "of a multilingual model: whose adapter and vocabulary to take")
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--json", "print the comparison as JSON", false);
  addThreadsOption(command).action(async (model: string, options: Options) => {
    if (options.format === "hf") await exportDirectory(model, command, options, context);
    else await exportNetworks(model, options, context);
  });
};

async function exportNetworks(
  model: string,
  options: Options,
  { exit }: Pick<CommandContext, "exit">,
): Promise<void> {
  const { to, json, format: _, ...rest } = options;
  const { exportOnnx } = await import("../../export/export-onnx.js");
  const results = await interruptible(`Interrupted; ${to} is left as it was.`, (signal) =>
    exportOnnx(model, to, {
      ...rest,
      signal,
      onDownload: downloadProgress(),
      onCompared: ({ name }, dtype) => showProgress(`compared in ${dtype}: ${name}`),
      onProgress: showProgress,
    }),
  ).finally(() => showProgress(""));
  if (results === undefined) return exit(exitCodes.interrupted);
  if (json) return printJson({ directory: to, networks: results });
  for (const { dtype, comparisons } of results) {
    const heading = dtype === "float32" ? "compared with libtorch" : `${dtype}, compared with libtorch`;
    print(
      `${formatTable([heading, "seconds", "largest difference", "text"], comparisons.map(row)).join("\n")}\n`,
    );
  }
  if (results.some(({ dtype }) => dtype !== "float32")) print(`${describeNetworks(results)}\n`);
  const files = results.map(({ file }) => file).join(", ");
  print(`${to} is written: ${files}, and what transformers.js and sherpa-onnx read beside it.`);
}

function row({ name, seconds, difference, sameText }: Comparison): string[] {
  return [name, seconds.toFixed(2), difference.toExponential(1), sameText ? "the same" : "another"];
}

function describeNetworks(networks: readonly ExportedNetwork[]): string {
  const percent = (rate: number | undefined) => (rate === undefined ? "" : `${(100 * rate).toFixed(2)} %`);
  const wer32 = networks.find(({ accuracy }) => accuracy)?.accuracy?.wer32;
  const sizes = networks.map(({ file, bytes }) => [file, showBytes(bytes)]);
  if (wer32 === undefined)
    return [
      ...formatTable(["file", "size"], sizes),
      "The word error rate was not measured, and differences of logits do not say it: give --data.",
    ].join("\n");
  const rows = networks.map(({ accuracy }, index) => [
    ...sizes[index]!,
    percent(accuracy?.wer ?? wer32),
    percent(accuracy?.changedFrames),
  ]);
  return formatTable(["file", "size", "WER", "frames that say another token"], rows).join("\n");
}

/** Of ONNX alone. */
const NETWORK_OPTIONS = [
  "floatLayers",
  "data",
  "split",
  "maxWerLoss",
  "audio",
  "maxDifference",
  "longest",
] as const satisfies readonly (keyof Options)[];

async function exportDirectory(
  model: string,
  command: Command,
  { to, json, dtype = [], language, revision }: Options,
  { exit }: Pick<CommandContext, "exit">,
): Promise<void> {
  const strange = command.options.find(
    (option) =>
      (NETWORK_OPTIONS as readonly string[]).includes(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (strange)
    throw new ConfigurationError(`${strange.long} must stand without --format hf, but stands with it.`);
  if (dtype.length > 1)
    throw new ConfigurationError(`--dtype of --format hf must be one, but is ${dtype.join(" ")}.`);
  const { exportHuggingFace } = await import("../../export/export-hugging-face.js");
  const result = await interruptible(`Interrupted; ${to} is left as it was.`, (signal) =>
    exportHuggingFace(model, to, {
      dtype: dtype[0],
      language,
      revision,
      signal,
      onDownload: downloadProgress(),
    }),
  ).finally(() => showProgress(""));
  if (result === undefined) return exit(exitCodes.interrupted);
  if (json) return printJson({ directory: to, ...result });
  print(
    `${to} is written: model.safetensors in ${result.dtype} (${showBytes(result.bytes)}), which gives the model's logits to ` +
      `${result.difference.toExponential(1)}, and what transformers reads beside it.`,
  );
}
