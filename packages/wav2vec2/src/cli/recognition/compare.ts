import { Option } from "commander";
import type { Comparison } from "../../evaluation/comparison/compare.js";
import {
  comparisonNotes,
  points,
  probability,
  systemNames,
  verdict,
} from "../../evaluation/comparison/comparison-text.js";
import { alignToRead, inColumns } from "../../text/scoring/aligned-words.js";
import { sumErrors } from "../../text/scoring/error-rate.js";
import { type Define, outputDirectory, print, printJson, whole } from "../command.js";
import { formatTable } from "../table.js";
import { requireWritable } from "../writable.js";
import { interval, percent, sayReport } from "./evaluation-text.js";

interface Options {
  bootstrapBy: "utterance" | "speaker";
  seed: number;
  differing: number;
  report?: string;
  reportClips: number;
  json: boolean;
}

/** Below so many segments the normal distribution is a rough guide. */
const FEW_SEGMENTS = 50;

export const defineCompare: Define = (command) => {
  command
    .argument("<first>", "result of 'evaluate --output': a file, or the directory that holds it")
    .argument("<second>", "another one on the same data")
    .addOption(
      new Option("--bootstrap-by <unit>", "what the intervals draw")
        .choices(["utterance", "speaker"])
        .default("utterance"),
    )
    .option("--seed <number>", "of the bootstrap", whole, 0)
    .option("--differing <number>", "how many of the utterances that differ most to show", whole, 5)
    .option(
      "--report <path>",
      "write a page to look at and listen to: an .html file, or a directory with the clips as files",
      outputDirectory,
    )
    .option("--report-clips <number>", "how many of the utterances that differ most it plays", whole, 50)
    .option("--json", "print the comparison, with all utterances that differ, as JSON", false)
    .action(async (first: string, second: string, options: Options) => {
      const { differing, json, report, reportClips } = options;
      const { prepareReportPath, writeComparisonReport } = await import("../../evaluation/report/report.js");
      if (report !== undefined)
        for (const input of [first, second]) await requireWritable(await prepareReportPath(report), input);
      const { compareResults } = await import("../../evaluation/comparison/compare.js");
      const { readResult } = await import("../../evaluation/result-file.js");
      const comparison = compareResults(await readResult(first), await readResult(second), options);
      if (json) printJson({ ...comparison, utterances: differingOnes(comparison) });
      else print(describeComparison(comparison, differing));
      if (report !== undefined)
        sayReport(await writeComparisonReport(report, comparison, { clips: reportClips }));
    });
};

/** What is printed of those in which one makes fewer errors. */
function differingOnes({ utterances }: Comparison) {
  return utterances.flatMap(({ columns, change, ...utterance }) => (change === 0 ? [] : [utterance]));
}

function describeComparison(comparison: Comparison, shown: number): string {
  const { systems, difference, utteranceCount, better, equal, worse, matchedPairs, textNormalization } =
    comparison;
  const names = systemNames(comparison);
  const byCharacters = comparison.wholeSentences > 0;
  const inOrder = (name: string, ofWords: string[], ofCharacters: string): string[] =>
    byCharacters ? [name, ofCharacters, ...ofWords] : [name, ...ofWords, ofCharacters];
  const rows = systems.map((system, i) =>
    inOrder(
      `${i + 1}  ${names[i]}`,
      [percent(system.wer), interval(system.werInterval), String(sumErrors(system)), String(system.words)],
      percent(system.cer),
    ),
  );
  const { z, p, segments } = matchedPairs;
  const lines = [
    ...formatTable(inOrder("", ["WER", "95 %", "errors", "words"], "CER"), rows),
    "",
    `Difference of 2 to 1        ${points(difference.wer)} points, 95 % interval ${points(difference.low)} to ${points(difference.high)}`,
    `Probability of improvement  ${(difference.probabilityOfImprovement * 100).toFixed(1)} %`,
    `Matched pairs (MAPSSWE)     z ${z.toFixed(2)}, p ${probability(p)}, ${segments} ${segments === 1 ? "segment" : "segments"}: ${verdict(comparison)}`,
    `Utterances                  2 is better in ${better}, as good in ${equal}, worse in ${worse} of ${utteranceCount}`,
  ];
  if (textNormalization.length > 0)
    lines.push(`Compared without ${textNormalization.join(" and ")}, on both sides.`);
  lines.push(...comparisonNotes(comparison));
  if (segments > 0 && segments < FEW_SEGMENTS)
    lines.push(`So few segments with errors make p a rough guide.`);
  const utterances = differingOnes(comparison).slice(0, shown);
  if (utterances.length > 0) lines.push("", "Utterances that differ most");
  for (const { id, reference, first, second, firstErrors, secondErrors, words } of utterances) {
    lines.push(`  ${id}: ${firstErrors} and ${secondErrors} errors in ${words} words`);
    for (const [name, hypothesis] of [
      ["1", first],
      ["2", second],
    ] as const) {
      const columns = inColumns(alignToRead(reference, hypothesis));
      lines.push(`    reference     ${columns.reference}`, `    hypothesis ${name}  ${columns.hypothesis}`);
    }
  }
  return lines.join("\n");
}
