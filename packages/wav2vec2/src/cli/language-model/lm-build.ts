import { InvalidArgumentError } from "commander";
import { ConfigurationError, UserError } from "../../errors.js";
import { exitCodes } from "../../exit-codes.js";
import type { Discounts } from "../../text/language-model/estimation/discounts.js";
import type { NgramEstimate } from "../../text/language-model/estimation/kneser-ney.js";
import type { TokenizedText } from "../../text/language-model/estimation/tokenized-text.js";
import { isNormalization } from "../../text/scoring/normalize-text.js";
import { type Define, print, showProgress, whole } from "../command.js";
import { interruptible } from "../interruption.js";
import { formatTable } from "../table.js";
import { requireWritable } from "../writable.js";

interface Options {
  order: number;
  output: string;
  data?: string;
  split?: string;
  prune?: number[];
  vocabulary?: string;
  lowerCase: boolean;
  upperCase: boolean;
  caseLanguage?: string;
  discountFallback?: true | number[];
}

export const defineLmBuild: Define = (command, context) => {
  command
    .argument("[text...]", "texts in UTF-8, plain or gzipped, a sentence a line")
    .requiredOption("--output <file>", "ARPA's format (.arpa, .arpa.gz) or compiled (.lm)")
    .option("--order <number>", "words of the longest n-grams, 1 to 5", order, 4)
    .option("--data <path>", "take the transcripts of a corpus (docs/data.md)")
    .option("--split <name>", "its split, not one to evaluate on (default: all of a manifest or folder)")
    .option(
      "--prune <counts...>",
      "leave out n-grams that occur so often at most: a number for each order from 1 on, not falling, the last one for all orders behind (0 0 1)",
      collect(whole),
    )
    .option("--vocabulary <file>", "leave out all words but these, with white space between them")
    .option("--lower-case", "change the text to lower case", false)
    .option("--upper-case", "change the text to upper case", false)
    .option("--case-language <code>", "by the rules of a language, such as tr (default: Unicode's)", language)
    .option(
      "--discount-fallback [values...]",
      "discounts for counts of 1, 2 and more where the text is too small to estimate them (0.5 1 1.5)",
      collect(number),
    )
    .action(async (texts: string[], options: Options) => {
      const { output } = options;
      requireFitting(options);
      for (const read of [...texts, ...(options.data ? [options.data] : [])])
        await requireWritable(output, read);
      const built = await interruptible("Interrupted; nothing was written.", (signal) =>
        build(texts, options, signal),
      );
      showProgress("");
      if (!built) return context.exit(exitCodes.interrupted);
      print(describe(built.text, built.estimate, output));
      for (const note of built.notes) process.stderr.write(`${note}\n`);
    });
};

async function build(
  texts: readonly string[],
  options: Options,
  signal: AbortSignal,
): Promise<{ text: TokenizedText; estimate: NgramEstimate; notes: string[] }> {
  const { data, split, output } = options;
  const { estimateKneserNey } = await import("../../text/language-model/estimation/kneser-ney.js");
  const { readSentences } = await import("../../text/language-model/estimation/sentences.js");
  const { TokenizedText } = await import("../../text/language-model/estimation/tokenized-text.js");
  const vocabulary = options.vocabulary === undefined ? undefined : await readWords(options.vocabulary);
  const text = new TokenizedText(options.order);
  const changed = caseChange(options);
  for await (const { lines, where } of readSentences({ texts, data, split, signal })) {
    for (const [i, line] of lines.entries()) text.add(changed(line), () => where(i));
    showProgress(`Reading: ${text.wordCount.toLocaleString("en")} words`);
  }
  if (text.wordCount === 0)
    throw new UserError("A language model must be made of words, but there are none in the text.");
  const estimate = await estimateKneserNey(text, {
    prune: options.prune,
    vocabulary,
    fallback: await fallbackOf(options),
    signal,
    onProgress: (step) => showProgress(`N-grams: ${step}`),
  });
  showProgress(`Writing ${output}`);
  if (output.endsWith(".lm")) {
    const { estimatedAutomaton } = await import(
      "../../text/language-model/estimation/estimated-automaton.js"
    );
    const { writeCompiled } = await import("../../text/language-model/automaton/compiled-file.js");
    await writeCompiled(output, estimatedAutomaton(estimate), signal);
  } else {
    const { writeArpa } = await import("../../text/language-model/arpa/arpa-writer.js");
    await writeArpa(output, estimate, signal);
  }
  const { formNotes, leftOutNote } = await import("../../text/language-model/form-notes.js");
  const leftOut = vocabulary && leftOutNote(text.words, vocabulary);
  return { text, estimate, notes: [...formNotes(text.words), ...(leftOut === undefined ? [] : [leftOut])] };
}

/** What is done to each line: by Unicode's rules, whatever the system's language, or by those of a language. */
function caseChange({ lowerCase, upperCase, caseLanguage: language }: Options): (line: string) => string {
  if (lowerCase) return language ? (line) => line.toLocaleLowerCase(language) : (line) => line.toLowerCase();
  if (upperCase) return language ? (line) => line.toLocaleUpperCase(language) : (line) => line.toUpperCase();
  return (line) => line;
}

function requireFitting({ output, prune, order, lowerCase, upperCase, caseLanguage }: Options): void {
  if (!/\.(arpa|arpa\.gz|lm)$/.test(output))
    throw new ConfigurationError(
      `--output must end in .arpa, .arpa.gz or .lm, which say what to write, but is ${output}.`,
    );
  if (lowerCase && upperCase)
    throw new ConfigurationError("There must be one of --lower-case and --upper-case, but there are both.");
  if (caseLanguage !== undefined && !lowerCase && !upperCase)
    throw new ConfigurationError(
      "--case-language must stand with --lower-case or --upper-case, but stands without.",
    );
  if (prune && prune.length > order)
    throw new ConfigurationError(
      `--prune must have at most ${order} numbers, one for each order, but has ${prune.length}.`,
    );
  if (prune?.some((count, i) => count < (prune[i - 1] ?? 0)))
    throw new ConfigurationError(
      `--prune must not fall, or n-grams would stay whose parts are gone, but is ${prune.join(" ")}.`,
    );
}

async function fallbackOf({ discountFallback }: Options): Promise<Discounts | undefined> {
  if (discountFallback === undefined) return undefined;
  const { FALLBACK_DISCOUNTS } = await import("../../text/language-model/estimation/discounts.js");
  if (discountFallback === true) return FALLBACK_DISCOUNTS;
  if (discountFallback.length > 3 || discountFallback.some((value, i) => value > i + 1))
    throw new ConfigurationError(
      `--discount-fallback must be at most three numbers of at most 1, 2 and 3, but is ${discountFallback.join(" ")}.`,
    );
  const [one, two, more] = [0, 1, 2].map((i) =>
    Math.fround(discountFallback[Math.min(i, discountFallback.length - 1)]!),
  );
  return [one!, two!, more!];
}

async function readWords(path: string): Promise<Set<string>> {
  const { readTextLines } = await import("../../text/language-model/text-lines.js");
  const words = new Set<string>();
  for await (const lines of readTextLines(path))
    for (const line of lines) for (const word of line.split(/\s+/)) if (word !== "") words.add(word);
  return words;
}

function describe(text: TokenizedText, { counts, discounts }: NgramEstimate, output: string): string {
  const rows = counts.map((count, i) => [
    String(i + 1),
    count.toLocaleString("en"),
    ...discounts[i]!.map((discount) => discount.toFixed(4)),
  ]);
  return [
    `${text.sentences.toLocaleString("en")} sentences, ${text.wordCount.toLocaleString("en")} words`,
    ...formatTable(["order", "n-grams", "D1", "D2", "D3+"], rows),
    `written to ${output}`,
  ].join("\n");
}

function language(text: string): string {
  if (isNormalization(`case:${text}`)) return text;
  throw new InvalidArgumentError("It must be a language's code, such as tr.");
}

function order(text: string): number {
  if (/^[1-5]$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1 to 5.");
}

function number(text: string): number {
  if (/^\d*\.?\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be numbers that are not negative.");
}

/** For an option with several values, which come one by one. */
function collect(read: (text: string) => number): (text: string, before?: number[] | true) => number[] {
  return (text, before) => [...(Array.isArray(before) ? before : []), read(text)];
}
