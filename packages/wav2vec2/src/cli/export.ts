import { Option } from "commander";
import { exitCodes } from "../exit-codes.js";
import type { Comparison } from "../export/export-onnx.js";
import { addThreadsOption, type Define, positive, print, printJson, showProgress } from "./command.js";
import { downloadProgress } from "./download-progress.js";
import { interruptible } from "./interruption.js";
import { formatTable } from "./table.js";

interface Options {
  format: "onnx";
  to: string;
  audio: string[];
  maxDifference: number;
  longest: number;
  revision?: string;
  language?: string;
  json: boolean;
}

export const defineExport: Define = (command, { exit }) => {
  command
    .argument("<model>", "directory of a fine-tuned model, or Hugging Face Hub id")
    .requiredOption("--to <directory>", "where to write: a new directory, or that of an export")
    .addOption(new Option("--format <name>", "what to write").choices(["onnx"]).default("onnx"))
    .option("--audio <file...>", "recordings to compare with, besides made-up ones", [])
    .option(
      "--max-difference <number>",
      "largest difference of a logit at which it is written",
      positive,
      1e-3,
    )
    .option("--longest <seconds>", "longest made-up recording to compare with", positive, 60)
    .option("--language <code>", "of a multilingual model: whose adapter and vocabulary to take")
    .option("--revision <name>", "branch, tag or commit of a Hub model (default: main)")
    .option("--json", "print the comparison as JSON", false);
  addThreadsOption(command).action(async (model: string, options: Options) => {
    const { to, json, format: _, ...rest } = options;
    const { exportOnnx } = await import("../export/export-onnx.js");
    const farewell = `Interrupted; ${to} is left as it was.`;
    const results = await interruptible(farewell, (signal) =>
      exportOnnx(model, to, {
        ...rest,
        signal,
        onDownload: downloadProgress(),
        onCompared: ({ name }) => showProgress(`compared: ${name}`),
      }),
    ).finally(() => showProgress(""));
    if (results === undefined) return exit(exitCodes.interrupted);
    if (json) return printJson({ directory: to, comparisons: results });
    print(
      formatTable(["compared with libtorch", "seconds", "largest difference", "text"], results.map(row)).join(
        "\n",
      ),
    );
    print(`\n${to} is written: onnx/model.onnx, and what transformers.js and sherpa-onnx read beside it.`);
  });
};

function row({ name, seconds, difference, sameText }: Comparison): string[] {
  return [name, seconds.toFixed(2), difference.toExponential(1), sameText ? "the same" : "another"];
}
