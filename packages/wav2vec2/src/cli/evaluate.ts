import { InvalidArgumentError, Option } from "commander";
import type { Evaluation } from "../evaluation/evaluate.js";
import { alignWords, countErrors, inColumns } from "../text/scoring/aligned-words.js";
import { type Define, positiveWhole, print, printJson, showProgress } from "./command.js";
import { downloadProgress } from "./download-progress.js";

interface Options {
  data: string;
  split?: string;
  onBadData: "error" | "skip";
  revision?: string;
  language?: string;
  batchSeconds?: number;
  beamWidth?: number;
  worst: number;
  json: boolean;
}

export const defineEvaluate: Define = (command) => {
  command
    .argument("<model>", "model directory or Hugging Face Hub id")
    .requiredOption("--data <path>", "corpus: LibriSpeech layout, manifest or folder (docs/data.md)")
    .option("--split <name>", "split to evaluate on (default: all of a manifest or folder)")
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
      "--beam-width <number>",
      "prefixes of the beam search; 1 decodes greedily (default: 16)",
      positiveWhole,
    )
    .option("--worst <number>", "how many of the worst utterances to show", whole, 5)
    .option("--json", "print the result, with all utterances, as JSON", false)
    .action(async (model: string, options: Options) => {
      const { data, split, onBadData, revision, language, batchSeconds, beamWidth, worst, json } = options;
      const { evaluateModel } = await import("../evaluation/evaluate.js");
      const evaluation = await evaluateModel(model, {
        data,
        split,
        onBadData,
        revision,
        language,
        onDownload: downloadProgress(),
        ...(batchSeconds === undefined ? {} : { batchSeconds }),
        ...(beamWidth === undefined ? {} : { beamWidth }),
        onProgress: (done, total) => showProgress(`${done} of ${total} utterances`),
      }).finally(() => showProgress(""));
      for (const { message } of evaluation.skipped) process.stderr.write(`Left out: ${message}\n`);
      if (json) {
        printJson(evaluation);
      } else {
        print(describe(evaluation, worst));
      }
    });
};

/** Error rates with their counts, and the utterances with the most errors, reference above hypothesis. */
export function describe(evaluation: Evaluation, worst: number): string {
  const { wer, cer, words, substitutions, deletions, insertions, utterances } = evaluation;
  const errors = substitutions + deletions + insertions;
  const lines = [
    `WER  ${percent(wer)}  ${errors} errors in ${words} words: ${substitutions} substituted, ${deletions} deleted, ${insertions} inserted`,
    `CER  ${percent(cer)}`,
    `${utterances.length} utterances`,
  ];
  const ranked = utterances
    .map(({ id, reference, hypothesis }) => {
      const pairs = alignWords(reference, hypothesis);
      const length = pairs.filter((pair) => pair.reference !== undefined).length;
      return { id, pairs, length, errors: countErrors(pairs) };
    })
    .filter((utterance) => utterance.errors > 0)
    .sort((a, b) => b.errors / Math.max(1, b.length) - a.errors / Math.max(1, a.length))
    .slice(0, worst);
  if (ranked.length > 0) lines.push("", "Worst utterances");
  for (const { id, pairs, length, errors } of ranked) {
    const columns = inColumns(pairs);
    lines.push(
      `  ${id}: ${errors} errors in ${length} words`,
      `    reference   ${columns.reference}`,
      `    hypothesis  ${columns.hypothesis}`,
    );
  }
  return lines.join("\n");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}

function whole(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}
