import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { ConfigurationError } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";
import type { DecodingChoice } from "../../recognition/transcript/decoding-choice.js";
import { notNegative, positiveWhole } from "../command.js";

/** What a command line says of decoding, under commander's names. */
export interface DecodingArguments {
  decoding?: string;
  beamWidth?: number;
  lm?: string;
  lmWeight?: number;
  wordScore?: number;
  unknownScore?: number;
  hotwords?: string;
  hotwordsFile?: string;
  hotwordWeight?: number;
}

/** The options of all commands that decode. */
export function addDecodingOptions(command: Command): Command {
  const group = "Decoding:";
  const option = (flags: string, text: string, read?: (value: string) => unknown) => {
    const made = command.createOption(flags, text).helpGroup(group);
    command.addOption(read ? made.argParser(read) : made);
  };
  option(
    "--beam-width <number>",
    "prefixes of the beam search; 1 decodes greedily (default: 16, with words scored 100)",
    positiveWhole,
  );
  option("--lm <file>", "n-gram language model: ARPA, gzipped or not, or what 'lm compile' made");
  option("--lm-weight <number>", "weight of the language model (default: 0.5)", notNegative);
  option("--word-score <number>", "added for each word, with a language model (default: 1.5)", number);
  option(
    "--unknown-score <number>",
    "added for each word that the language model does not know; -Infinity forbids them (default: -10)",
    notPositive,
  );
  option("--hotwords <words>", "words to be recognised more readily, with commas between");
  option("--hotwords-file <file>", "the same from a file, a word or phrase a line");
  option("--hotword-weight <number>", "added for each hotword (default: 10)", number);
  option(
    "--decoding <file>",
    "all of this from a file, such as 'lm tune' writes; options beside it go first",
  );
  return command;
}

/** @throws UserError where a file that is named cannot be read */
export async function decodingChoice({
  decoding,
  lm,
  hotwords,
  hotwordsFile,
  ...numbers
}: DecodingArguments): Promise<DecodingChoice> {
  const { readDecodingChoice } = await import("../../recognition/transcript/decoding-choice.js");
  const { beamWidth, lmWeight, wordScore, unknownScore, hotwordWeight } = numbers;
  const listed = hotwordsFile === undefined ? [] : await readLines(hotwordsFile);
  const words = [...(hotwords?.split(",") ?? []), ...listed].map((word) => word.trim()).filter(Boolean);
  const given = {
    languageModel: lm,
    beamWidth,
    lmWeight,
    wordScore,
    unknownScore,
    hotwordWeight,
    hotwords: words.length > 0 ? words : undefined,
  };
  if (words.length === 0 && (hotwords ?? hotwordsFile) !== undefined)
    throw new ConfigurationError("--hotwords must give a word at least, but give none.");
  const filled = Object.entries(given).filter(([, value]) => value !== undefined);
  const choice: DecodingChoice = {
    ...(decoding === undefined ? {} : await readDecodingChoice(decoding)),
    ...Object.fromEntries(filled),
  };
  if (choice.languageModel === undefined)
    requireAbsent({ "lm-weight": lmWeight, "word-score": wordScore, "unknown-score": unknownScore }, "lm");
  if (choice.languageModel === undefined && (choice.lmWeight ?? choice.wordScore) !== undefined)
    throw new ConfigurationError(`${decoding} has weights of a language model, but names none. Add --lm.`);
  if (choice.hotwords === undefined) requireAbsent({ "hotword-weight": hotwordWeight }, "hotwords");
  return choice;
}

/** What would change nothing is a mistake. */
function requireAbsent(weights: Record<string, number | undefined>, needed: string): void {
  const name = Object.keys(weights).find((each) => weights[each] !== undefined);
  if (name !== undefined)
    throw new ConfigurationError(`--${name} must stand with --${needed}, but stands without.`);
}

async function readLines(path: string): Promise<string[]> {
  try {
    return (await readFile(path, "utf8")).split(/\r?\n/);
  } catch (error) {
    throw unreadable(path, "a file of hotwords", error);
  }
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number.");
}

function notPositive(text: string): number {
  const value = numberOrInfinity(text);
  if (value <= 0) return value;
  throw new InvalidArgumentError("It must be at most 0.");
}

function numberOrInfinity(text: string): number {
  return text === "-Infinity" || text === "-inf" ? Number.NEGATIVE_INFINITY : number(text);
}
