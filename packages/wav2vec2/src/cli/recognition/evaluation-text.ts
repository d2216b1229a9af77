import { counted } from "../../counted.js";
import type { Interval } from "../../evaluation/comparison/bootstrap.js";
import { decodingText } from "../../evaluation/decoding-text.js";
import type { EvaluationResult, GroupScores } from "../../evaluation/evaluation.js";
import type { WrittenReport } from "../../evaluation/report/report.js";
import { countsSentences, textNotes, worstUtterances } from "../../evaluation/summary.js";
import { rateName, type TextUnit } from "../../evaluation/text-unit.js";
import { alignToRead, inColumns } from "../../text/scoring/aligned-words.js";
import { sumErrors } from "../../text/scoring/error-rate.js";
import { capitalized } from "../command.js";
import { formatTable } from "../table.js";

/** Rows of a table of speakers, and words of a list of confusions. */
const MOST_SPEAKERS = 20;
const MOST_CONFUSIONS = 8;
const MOST_UNKNOWN = 10;
const FROM_THE_RIGHT =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/**
 * What `evaluate` prints: error rates with their counts, tables of splits, speakers and lengths where there are several,
 * which words are confused, and the utterances with the most errors, reference above hypothesis.
 */
export function describeEvaluation(result: EvaluationResult, worst: number): string {
  const { groups, unit } = result;
  const sections = [
    rates(result),
    notes(result),
    groupTable("split", groups.split, unit),
    groupTable("speaker", groups.speaker, unit),
    groupTable("seconds", groups.length, unit),
    confusionLines(result),
    worstLines(result, worst),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function rates(result: EvaluationResult): string[] {
  const { words, substitutions, deletions, insertions, utterances, unit } = result;
  const { characters, characterSubstitutions, characterDeletions, characterInsertions } = result;
  const counts = (s: number, d: number, i: number) => `${s} substituted, ${d} deleted, ${i} inserted`;
  const characterErrors = characterSubstitutions + characterDeletions + characterInsertions;
  const wrong = utterances.filter((each) => sumErrors(each) > 0).length;
  const drawn = result.bootstrap.by === "speaker" ? " over speakers" : "";
  const ofWords = [
    `${rateName(unit)}  ${percent(result.wer)}  ${counted(sumErrors(result), "error")} in ${counted(words, unit)}: ${counts(substitutions, deletions, insertions)}`,
    `     ${interval(result.werInterval)}  95 % interval${drawn}`,
  ];
  const ofCharacters = [
    `CER  ${percent(result.cer)}  ${counted(characterErrors, "error")} in ${counted(characters, "character")}: ${counts(characterSubstitutions, characterDeletions, characterInsertions)}`,
  ];
  return [
    ...(countsSentences(result) > 0 ? [...ofCharacters, ...ofWords] : [...ofWords, ...ofCharacters]),
    `SER  ${percent(result.sentenceErrorRate)}  ${wrong} of ${counted(utterances.length, "utterance")} with an error`,
    `${(result.seconds / 60).toFixed(1)} min of audio; ${percent(result.blankShare)} of frames blank; confidence ${result.confidence.toFixed(3)}; CTC loss ${result.ctcLoss.toFixed(2)}`,
  ];
}

function notes(result: EvaluationResult): string[] {
  const { decoding, textNormalization, unknownCharacters, unit } = result;
  const { characters, utterances } = unknownCharacters;
  const lines = [capitalized(`${decodingText(decoding)}.`)];
  if (textNormalization.length > 0)
    lines.push(`Compared without ${textNormalization.join(" and ")}, on both sides.`);
  lines.push(...textNotes(result));
  if (utterances > 0) {
    const shown = characters
      .slice(0, MOST_UNKNOWN)
      .map(({ character, count, example }) => `${JSON.stringify(character)} ${count}× (${example})`);
    lines.push(
      `${utterances} ${utterances === 1 ? "reference has" : "references have"} ${unit === "phoneme" ? "phonemes" : "characters"} that the model's vocabulary lacks, so that their words can never be right: ` +
        `${shown.join(", ")}${characters.length > MOST_UNKNOWN ? " and others" : ""}.`,
    );
  }
  return lines;
}

function groupTable(title: string, groups: readonly GroupScores[], unit: TextUnit): string[] {
  if (groups.length < 2) return [];
  const shown = groups.length > MOST_SPEAKERS ? [...groups].sort((a, b) => b.wer - a.wer) : groups;
  const rows = shown
    .slice(0, MOST_SPEAKERS)
    .map((group) => [
      group.name,
      String(group.utteranceCount),
      String(group.words),
      percent(group.wer),
      interval(group.werInterval),
      String(group.substitutions),
      String(group.deletions),
      String(group.insertions),
      percent(group.cer),
    ]);
  const header = [title, "utterances", `${unit}s`, rateName(unit), "95 %", "S", "D", "I", "CER"];
  const lines = formatTable(header, rows);
  const rest = groups.length - rows.length;
  return rest > 0 ? [...lines, `${rest} others with fewer errors a ${unit}`] : lines;
}

function confusionLines({ confusions }: EvaluationResult): string[] {
  const { substitutions, deletions, insertions } = confusions;
  const lists: [string, string[]][] = [
    [
      "substituted",
      substitutions.map((each) => `${each.reference} ${arrow(each)} ${each.hypothesis} ${each.count}×`),
    ],
    ["deleted", deletions.map(({ word, count }) => `${word} ${count}×`)],
    ["inserted", insertions.map(({ word, count }) => `${word} ${count}×`)],
  ];
  const lines = lists
    .filter(([, words]) => words.length > 0)
    .map(([name, words]) => `  ${name.padEnd(11)}  ${words.slice(0, MOST_CONFUSIONS).join(", ")}`);
  return lines.length > 0 ? ["Most frequent errors", ...lines] : [];
}

/** An arrow that words written from the right do not turn around: it stands between marks of direction then. */
function arrow({ reference, hypothesis }: { reference: string; hypothesis: string }): string {
  return FROM_THE_RIGHT.test(reference + hypothesis) ? "\u200E→\u200E" : "→";
}

function worstLines({ utterances, unit }: EvaluationResult, worst: number): string[] {
  const shown = worstUtterances(utterances).slice(0, worst);
  if (shown.length === 0) return [];
  const lines = shown.flatMap((utterance) => {
    const columns = inColumns(alignToRead(utterance.reference, utterance.hypothesis));
    return [
      `  ${utterance.id}: ${sumErrors(utterance)} errors in ${utterance.words} ${unit}s`,
      `    reference   ${columns.reference}`,
      `    hypothesis  ${columns.hypothesis}`,
    ];
  });
  return ["Worst utterances", ...lines];
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

export function interval({ low, high }: Interval): string {
  return `${(low * 100).toFixed(2)} to ${(high * 100).toFixed(2)} %`;
}

/** Says on stderr where a report is. */
export function sayReport({ path, pageBytes, clips }: WrittenReport): void {
  const left = clips.left > 0 ? ` ${clips.left} more did not fit or cannot be read.` : "";
  process.stderr.write(
    `Report ${path}: ${megabytes(pageBytes)}, ${clips.urls.size} clips of ${megabytes(clips.bytes)}.${left}\n`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
