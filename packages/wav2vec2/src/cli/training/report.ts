import { realpathSync } from "node:fs";
import { stat } from "node:fs/promises";
import { InvalidArgumentError } from "commander";
import { ConfigurationError } from "../../errors.js";
import type { Chart } from "../../pages/charts/chart.js";
import { type Define, outputDirectory, outputFile, print, printJson } from "../command.js";
import { requireWritable } from "../writable.js";

interface Options {
  output?: string;
  png?: string;
  smooth: number;
  json: boolean;
}

const COMPARISON = "report-comparison.html";

export const defineReport: Define = (command) => {
  command
    .argument("<run...>", "run directory that 'pretrain' or 'finetune' wrote; several are compared")
    .option(
      "--output <file>",
      `page to write (default: report.html in the run directory; of several runs ${COMPARISON} here)`,
      outputFile,
    )
    .option("--png <dir>", "write the curves as PNGs into a directory too", outputDirectory)
    .option(
      "--smooth <number>",
      "weight of a moving average, from 0 to below 1, as TensorBoard's; what it was stays behind it",
      weight,
      0,
    )
    .option("--json", "print where everything is as JSON: {report, png}", false)
    .action(async (directories: string[], { output, png, smooth, json }: Options) => {
      const { requireRun } = await import("../../tracking/report/find-run.js");
      for (const directory of directories) requireRun(directory);
      requireDifferent(directories);
      const { reportPath } = await import("../../tracking/report/report.js");
      const [only, ...others] = directories;
      const path = output ?? (others.length === 0 ? reportPath(only!) : COMPARISON);
      await requireWritable(path, only!);
      const charts =
        others.length === 0
          ? await reportOne(only!, path, smooth)
          : await reportSeveral(directories, path, smooth);
      const pictures = png === undefined ? [] : await draw(png, charts, smooth);
      if (json) {
        printJson({ report: path, png: pictures });
        return;
      }
      print(`report  ${path}  ${((await stat(path)).size / 1e6).toFixed(2)} MB`);
      if (png !== undefined) print(`png     ${png}  ${pictures.length} curves`);
    });
};

async function reportOne(directory: string, path: string, smooth: number): Promise<Chart[]> {
  const { chartsOf, writeReport } = await import("../../tracking/report/report.js");
  const { readRun } = await import("../../tracking/report/read-run.js");
  const { systemCharts } = await import("../../tracking/report/system-charts.js");
  const data = readRun(directory);
  await writeReport(data, { path, smooth });
  return [...chartsOf(data), ...systemCharts(data.system)];
}

async function reportSeveral(directories: readonly string[], path: string, smooth: number): Promise<Chart[]> {
  const { compareRuns, writeComparison } = await import(
    "../../tracking/report/comparison/comparison-report.js"
  );
  const comparison = compareRuns(directories);
  await writeComparison(path, comparison, { smooth });
  return [...comparison.charts, ...comparison.systemCharts];
}

async function draw(directory: string, charts: readonly Chart[], smooth: number): Promise<string[]> {
  const { writeCurvePictures } = await import("../../tracking/report/curve-pictures.js");
  return await writeCurvePictures(directory, charts, { smooth });
}

/** A run that is compared with itself would be taken for two that agree. */
function requireDifferent(directories: readonly string[]): void {
  const paths = directories.map((directory) => realpathSync(directory));
  const twice = directories.find((_, index) => paths.indexOf(paths[index]!) !== index);
  if (twice !== undefined)
    throw new ConfigurationError(
      `Runs that are compared must differ, but ${twice} is given twice. Give it once.`,
    );
}

function weight(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value < 1) return value;
  throw new InvalidArgumentError("It must be a number from 0 to below 1.");
}
