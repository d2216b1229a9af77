import { InvalidArgumentError } from "commander";
import { counted } from "../../counted.js";
import type { CorpusReport } from "../../data/check/check-corpus.js";
import type { DecodeProgress } from "../../data/check/decode-clips.js";
import { UserError } from "../../errors.js";
import { exitCodes } from "../../exit-codes.js";
import { readJsonObject } from "../../files/json-file.js";
import type { CtcTokenizer } from "../../text/tokenizer.js";
import { formatDuration } from "../../tracking/duration.js";
import { cutToWidth } from "../../unicode/display-width.js";
import { type Define, outputFile, positiveWhole, print, printJson, showProgress } from "../command.js";
import { interruptible } from "../interruption.js";
import { requireWritable } from "../writable.js";

interface Options {
  split?: string[];
  model?: string;
  vocabulary?: string;
  transcripts: boolean;
  excludeTo?: string;
  manifest?: string;
  workers?: number;
  headersOnly: boolean;
  json: boolean;
}

/** Findings of each kind that are shown; --json has all. */
const MOST_SHOWN = 5;
/** Characters of the inventory that are shown. */
const MOST_CHARACTERS = 100;

export const defineDataCheck: Define = (command, { exit }) => {
  command
    .argument("<dir>", "LibriSpeech, a directory of manifests or of audio, or a manifest")
    .option("--split <name...>", "splits to check (default: all)")
    .option("--model <dir>", "model directory; transcripts must be written in its vocabulary's characters")
    .option("--vocabulary <file>", "the same for a vocab.json")
    .option("--no-transcripts", "unlabelled speech: transcripts are neither needed nor looked at")
    .option(
      "--exclude-to <file>",
      "write the ids of utterances with problems, for training to leave out",
      outputFile,
    )
    .option(
      "--manifest <file>",
      "write a manifest of the utterances without (.jsonl, .csv, .tsv)",
      manifestName,
    )
    .option("--workers <number>", "threads that decode (default: one a core)", positiveWhole)
    .option("--headers-only", "do not decode: quick, but finds less", false)
    .option("--json", "print {utterances, problems, remarks} as JSON", false)
    .action(async (directory: string, options: Options) => {
      for (const file of [options.excludeTo, options.manifest])
        if (file !== undefined) await requireWritable(file, directory);
      const characters = await vocabularyCharacters(options);
      const { checkCorpus } = await import("../../data/check/check-corpus.js");
      const progress = progressLine();
      const began = performance.now();
      let decodingSince = began;
      const report = await interruptible("Interrupted. Nothing is written.", (signal) =>
        checkCorpus(directory, {
          splits: options.split,
          transcripts: options.transcripts ? "required" : "none",
          characters,
          headersOnly: options.headersOnly,
          threads: options.workers,
          signal,
          onHeaders: (done, total) => {
            decodingSince = performance.now();
            progress.show(`Reading headers: ${done}${total ? ` of ${total}` : ""}`);
          },
          onDecoded: (done, total) =>
            progress.show(decoding(done, total, (performance.now() - decodingSince) / 1000)),
        }),
      ).finally(() => progress.clear());
      if (report === undefined) {
        exit(exitCodes.interrupted);
        return;
      }
      const { problems, remarks, utterances } = report;
      const elapsed = (performance.now() - began) / 1000;
      if (options.json) printJson({ utterances: utterances.length, problems, remarks });
      else print(describe(report, options, elapsed, characters));
      const say = options.json ? () => {} : print;
      await writeLists(report, options, say);
      if (problems.length > 0) exit(exitCodes.failed);
    });
};

function manifestName(name: string): string {
  if (/\.(jsonl|csv|tsv)$/.test(name)) return name;
  throw new InvalidArgumentError("Its name must end in .jsonl, .csv or .tsv.");
}

async function vocabularyCharacters({
  model,
  vocabulary,
}: Options): Promise<ReadonlySet<string> | undefined> {
  if (model === undefined && vocabulary === undefined) return undefined;
  const { CtcTokenizer } = await import("../../text/tokenizer.js");
  if (model !== undefined) return charactersOf(await CtcTokenizer.read(model));
  const tokens = await readJsonObject(vocabulary!);
  if (!tokens) throw new UserError(`${vocabulary} must be a vocab.json, but does not exist.`);
  const { Vocabulary } = await import("../../text/vocabulary.js");
  return charactersOf(new CtcTokenizer(new Vocabulary(Object.keys(tokens), {}, vocabulary)));
}

/** What transcripts may be written in; of tokens that are longer than a character each of their characters. */
function charactersOf({ vocabulary, lowerCase, phonemes }: CtcTokenizer): Set<string> {
  const { tokens, blankId, delimiterId } = vocabulary;
  const text = tokens.filter((_, id) => id !== blankId && id !== delimiterId && !vocabulary.isSpecial(id));
  const characters = new Set(text.join(""));
  if (lowerCase) for (const character of text.join("").toLowerCase()) characters.add(character);
  return delimiterId === undefined && !phonemes ? characters : characters.add(" ");
}

const REDRAW_MS = 100;
/** Where stderr is not a terminal, at most a line in this time. */
const PLAIN_INTERVAL_MS = 10_000;

function progressLine(): { show: (text: string) => void; clear: () => void } {
  let last = performance.now() - REDRAW_MS;
  return {
    show: (text) => {
      const now = performance.now();
      if (now - last < (process.stderr.isTTY ? REDRAW_MS : PLAIN_INTERVAL_MS)) return;
      last = now;
      if (process.stderr.isTTY) showProgress(cutToWidth(text, (process.stderr.columns ?? 80) - 1));
      else process.stderr.write(`${text}\n`);
    },
    clear: () => showProgress(""),
  };
}

function decoding(done: DecodeProgress, total: DecodeProgress, elapsed: number): string {
  const left = (elapsed / done.seconds) * (total.seconds - done.seconds);
  return [
    `Decoding: ${done.clips} of ${total.clips} utterances (${Math.floor((done.seconds / total.seconds) * 100)} %)`,
    `${Math.round(done.seconds / elapsed)} s of audio/s`,
    `time left ${formatDuration(left)}`,
  ].join(", ");
}

/** What was found: counts by kind, then the findings themselves. */
function describe(
  { utterances, good, problems, remarks, characters: counts }: CorpusReport,
  { headersOnly }: Options,
  elapsed: number,
  vocabulary: ReadonlySet<string> | undefined,
): string {
  const seconds = utterances.reduce((sum, clip) => sum + clip.seconds, 0);
  const speed = headersOnly ? "headers only" : `${Math.round(seconds / elapsed)} s of audio/s`;
  const lines = [
    `${counted(utterances.length, "utterance")} can be read, ${(seconds / 3600).toFixed(2)} hours, ${good.length} of them without a ` +
      `problem; ${counted(problems.length, "problem")} in all; checked in ${elapsed.toFixed(1)} s (${speed})`,
  ];
  if (!vocabulary && counts.size > 0) lines.push(inventory(counts));
  if (problems.length > 0) lines.push("", "Problems", ...listed(problems));
  else lines.push("No problems.");
  if (remarks.length > 0) lines.push("", "Remarks", ...listed(remarks));
  return lines.join("\n");
}

/** The characters of the transcripts, most frequent first: what a vocabulary should hold. */
function inventory(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([, a], [, b]) => b - a).map(([character]) => character);
  const shown = sorted.slice(0, MOST_CHARACTERS).map((character) => {
    if (character === " ") return "space";
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    return /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? character : `U+${code}`;
  });
  return `${counted(counts.size, "character")}: ${shown.join(" ")}${sorted.length > shown.length ? " ..." : ""}`;
}

function listed(findings: readonly { kind: string; message: string }[]): string[] {
  const kinds = new Map<string, string[]>();
  for (const { kind, message } of findings) {
    const messages = kinds.get(kind);
    if (messages) messages.push(message);
    else kinds.set(kind, [message]);
  }
  const sorted = [...kinds].sort(([, a], [, b]) => b.length - a.length);
  const width = Math.max(...sorted.map(([kind]) => kind.length));
  const digits = Math.max(...sorted.map(([, messages]) => String(messages.length).length));
  const counts = sorted.map(
    ([kind, messages]) => `  ${kind.padEnd(width)}  ${String(messages.length).padStart(digits)}`,
  );
  const details = sorted.flatMap(([kind, messages]) => {
    const more = messages.length - MOST_SHOWN;
    return [
      "",
      kind,
      ...messages.slice(0, MOST_SHOWN).map((message) => `  ${message}`),
      ...(more > 0 ? [`  and ${more} more (--json lists all)`] : []),
    ];
  });
  return [...counts, ...details];
}

async function writeLists(
  report: CorpusReport,
  { excludeTo, manifest }: Options,
  say: (text: string) => void,
): Promise<void> {
  if (excludeTo === undefined && manifest === undefined) return;
  say("");
  if (excludeTo !== undefined) {
    const { writeExcludeList } = await import("../../data/check/exclude-list.js");
    const count = await writeExcludeList(excludeTo, report);
    say(`Exclude list  ${excludeTo} (${count} to leave out)`);
  }
  if (manifest !== undefined) {
    requireUniqueIds(report, manifest);
    const { writeManifest } = await import("../../data/corpus/manifest/manifest-writer.js");
    await writeManifest(manifest, report.good);
    say(`Manifest      ${manifest} (${counted(report.good.length, "utterance")})`);
  }
}

/** Ids are unique within a split; a manifest of several splits must not mix two clips up. */
function requireUniqueIds({ good }: CorpusReport, manifest: string): void {
  const seen = new Map<string, string>();
  for (const { id, path } of good) {
    const other = seen.get(id);
    if (other !== undefined)
      throw new UserError(
        `${manifest} must hold each id once, but ${id} is ${other} and ${path}. Check one split with --split.`,
      );
    seen.set(id, path);
  }
}
