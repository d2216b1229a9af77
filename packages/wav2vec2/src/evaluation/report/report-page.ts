import { counted } from "../../counted.js";
import { drawBarChart } from "../../pages/charts/bar-chart.js";
import { count, FORMATS, percent } from "../../pages/format.js";
import { escapeHtml } from "../../pages/html.js";
import { clipNotes, renderNotes, renderTiles } from "../../pages/parts.js";
import { renderTable } from "../../pages/table.js";
import { alignToRead } from "../../text/scoring/aligned-words.js";
import { sumErrors } from "../../text/scoring/error-rate.js";
import { formatDuration } from "../../tracking/duration.js";
import { decodingText } from "../decoding-text.js";
import type { EvaluatedUtterance, EvaluationResult, GroupScores } from "../evaluation.js";
import { countsSentences, textNotes } from "../summary.js";
import { rateName, type TextUnit } from "../text-unit.js";
import type { ReportClips } from "./report-clips.js";
import { renderReport, renderUtteranceList } from "./report-parts.js";
import type { ListedUtterance } from "./report-script.js";

const MOST_CONFUSIONS = 15;
/** More bars than these cannot be told apart. */
const MOST_BARS = 60;
/** Where the tile of characters stands, which comes first where words are none. */
const CHARACTER_TILE = 2;
/** Errors of an utterance from which on the histogram has one bar. */
const MANY_ERRORS = 10;

/** The page: one file without outside references, but for clips that lie beside it. */
export function reportPage(result: EvaluationResult, clips: ReportClips): string {
  const name = `${result.model}${result.split === undefined ? "" : ` on ${result.split}`}`;
  return renderReport({
    kind: "evaluation",
    title: name,
    about: about(result),
    sections: [
      renderNotes([...remarks(result), ...clipNotes({ left: clips.left, played: clips.urls.size })]),
      tiles(result),
      charts(result),
      groupTables(result),
      confusions(result),
      utteranceList(result),
    ],
    utterances: result.utterances.map((utterance) => listed(utterance, result.unit)),
    clips,
  });
}

function about({
  data,
  utteranceCount,
  seconds,
  words,
  unit,
  decoding,
  textNormalization,
}: EvaluationResult): string[] {
  return [
    data,
    counted(utteranceCount, "utterance", count(utteranceCount)),
    formatDuration(seconds),
    counted(words, unit, count(words)),
    decodingText(decoding),
    ...(textNormalization.length > 0 ? [`compared without ${textNormalization.join(" and ")}`] : []),
  ];
}

function remarks(result: EvaluationResult): string[] {
  const { unknownCharacters, skipped, unit } = result;
  const lines = textNotes(result);
  const { utterances, characters } = unknownCharacters;
  if (utterances > 0) {
    const shown = characters
      .slice(0, 12)
      .map(({ character, count: n }) => `${JSON.stringify(character)} ${n}×`);
    lines.push(
      `${count(utterances)} references have ${unit === "phoneme" ? "phonemes" : "characters"} that the model's vocabulary lacks, so that their words can never be right: ${shown.join(", ")}${characters.length > 12 ? " …" : ""}`,
    );
  }
  if (skipped.length > 0)
    lines.push(
      `${counted(skipped.length, "clip", count(skipped.length))} could not be used: ${skipped[0]!.message}`,
    );
  return lines;
}

function tiles(result: EvaluationResult): string {
  const { werInterval, bootstrap, substitutions, deletions, insertions } = result;
  const { characterSubstitutions, characterDeletions, characterInsertions, utterances } = result;
  const drawn = bootstrap.by === "speaker" ? "over speakers" : "95 %";
  const wrong = utterances.filter((each) => sumErrors(each) > 0).length;
  const entries: [name: string, value: string, detail: string][] = [
    [
      `${titled(result.unit)} error rate`,
      percent(result.wer),
      `${percent(werInterval.low)} to ${percent(werInterval.high)} (${drawn})`,
    ],
    [
      `${titled(result.unit)} errors`,
      count(substitutions + deletions + insertions),
      `${count(substitutions)} substituted, ${count(deletions)} deleted, ${count(insertions)} inserted`,
    ],
    [
      "Character error rate",
      percent(result.cer),
      `${count(characterSubstitutions)} substituted, ${count(characterDeletions)} deleted, ${count(characterInsertions)} inserted`,
    ],
    [
      "Sentence error rate",
      percent(result.sentenceErrorRate),
      `${count(wrong)} of ${count(utterances.length)} wrong`,
    ],
    ["Confidence", result.confidence.toFixed(3), "mean over utterances"],
    ["Blanks", percent(result.blankShare), "of frames"],
  ];
  if (countsSentences(result) > 0) entries.unshift(...entries.splice(CHARACTER_TILE, 1));
  return renderTiles(entries.map(([name, value, detail]) => ({ name, value, detail })));
}

function charts(result: EvaluationResult): string {
  const { speaker, length } = result.groups;
  const rate = `${titled(result.unit)} error rate`;
  const drawn = [
    length.length > 1 && groupChart(`${rate} by length`, "seconds", length),
    speaker.length > 1 &&
      groupChart(
        `${rate} by speaker`,
        speaker.length > MOST_BARS ? `the ${MOST_BARS} worst of ${speaker.length} speakers` : "speaker",
        [...speaker].sort((a, b) => b.wer - a.wer).slice(0, MOST_BARS),
      ),
    errorHistogram(result.utterances, result.unit),
  ].filter(Boolean);
  return `<section class="charts">\n${drawn.join("\n")}\n</section>`;
}

function groupChart(title: string, axis: string, groups: readonly GroupScores[]): string {
  const bars = groups.map(({ name, wer, werInterval: interval, utteranceCount }) => ({
    name,
    value: wer,
    interval,
    detail: `${name}: ${percent(wer)} (${percent(interval.low)} to ${percent(interval.high)}), ${counted(utteranceCount, "utterance", count(utteranceCount))}`,
  }));
  return drawBarChart({ title, axis, bars, format: FORMATS.percent });
}

function titled(unit: TextUnit): string {
  return unit === "phoneme" ? "Phoneme" : "Word";
}

function errorHistogram(utterances: readonly EvaluatedUtterance[], unit: TextUnit): string {
  const counts = new Array<number>(MANY_ERRORS + 1).fill(0);
  for (const utterance of utterances) counts[Math.min(MANY_ERRORS, sumErrors(utterance))]!++;
  const most = counts.findLastIndex((n) => n > 0);
  const bars = counts.slice(0, most + 1).map((value, errors) => {
    const name = errors === MANY_ERRORS ? `${errors}+` : String(errors);
    return {
      name,
      value,
      detail: `${counted(value, "utterance", count(value))} with ${name === "1" ? "1 error" : `${name} errors`}`,
    };
  });
  return drawBarChart({
    title: "Utterances by their number of errors",
    axis: `${unit} errors`,
    bars,
    format: count,
  });
}

function groupTables({ groups, unit }: EvaluationResult): string {
  const tables = [
    ["Split", groups.split],
    ["Speaker", groups.speaker],
    ["Seconds", groups.length],
  ] as const;
  const drawn = tables
    .filter(([, rows]) => rows.length > 1)
    .map(([title, rows]) => groupTable(title, rows, unit));
  return drawn.length > 0 ? `<section><h2>Where the errors are</h2>\n${drawn.join("\n")}</section>` : "";
}

function groupTable(title: string, groups: readonly GroupScores[], unit: TextUnit): string {
  const header = [
    title,
    "Utterances",
    `${titled(unit)}s`,
    rateName(unit),
    "95 %",
    "Substituted",
    "Deleted",
    "Inserted",
    "CER",
  ];
  const rows = groups.map((group) => [
    escapeHtml(group.name),
    count(group.utteranceCount),
    count(group.words),
    percent(group.wer),
    `${percent(group.werInterval.low)} to ${percent(group.werInterval.high)}`,
    count(group.substitutions),
    count(group.deletions),
    count(group.insertions),
    percent(group.cer),
  ]);
  return `<details${groups.length <= 12 ? " open" : ""}><summary>By ${title.toLowerCase()}</summary>
${renderTable({ label: `By ${title.toLowerCase()}`, header, rows })}</details>`;
}

function confusions({
  confusions: { substitutions, deletions, insertions },
  unit,
}: EvaluationResult): string {
  const lists = [
    list(
      "Substituted",
      substitutions.map(({ reference, hypothesis, count: n }) => [
        `<bdi>${escapeHtml(reference)}</bdi> → <bdi>${escapeHtml(hypothesis)}</bdi>`,
        n,
        [reference, hypothesis],
      ]),
    ),
    list(
      "Deleted",
      deletions.map(({ word, count: n }) => [`<bdi>${escapeHtml(word)}</bdi>`, n, [word, ""]]),
    ),
    list(
      "Inserted",
      insertions.map(({ word, count: n }) => [`<bdi>${escapeHtml(word)}</bdi>`, n, ["", word]]),
    ),
  ];
  return lists.some(Boolean)
    ? `<section><h2>Which ${unit}s go wrong</h2><div class="confusions">${lists.join("\n")}</div></section>`
    : "";
}

/** @param entries what is shown (HTML), how often, and the pair of words that is looked for */
function list(title: string, entries: [html: string, count: number, pair: [string, string]][]): string {
  const items = entries
    .slice(0, MOST_CONFUSIONS)
    .map(
      ([html, n, pair]) =>
        `<li><button type="button" aria-pressed="false" data-confusion="${escapeHtml(JSON.stringify(pair))}"><span>${html}</span><span class="count">${count(n)}</span></button></li>`,
    );
  const rest = entries.length - items.length;
  return `<div><h3>${title}</h3>${
    items.length > 0 ? `<ul>${items.join("")}</ul>` : '<span class="count">none</span>'
  }${rest > 0 ? `<span class="count">and ${count(rest)} others</span>` : ""}</div>`;
}

function utteranceList({ groups, unit }: EvaluationResult): string {
  return renderUtteranceList({
    legend: `Reference above, what was recognised below; <b>wrong ${unit}s</b> are underlined.`,
    orders: {
      wer: `highest ${rateName(unit)}`,
      errors: "most errors",
      confidence: "least confident",
      longest: "longest",
      shortest: "shortest",
      id: "id",
    },
    wrong: "wrong ones only",
    splits: groups.split.map(({ name }) => name),
    speakers: groups.speaker.map(({ name }) => name),
  });
}

function listed(utterance: EvaluatedUtterance, unit: TextUnit): ListedUtterance {
  const { id, reference, hypothesis, split, speaker, seconds, confidence, words } = utterance;
  const errors = sumErrors(utterance);
  return {
    id,
    split,
    speaker,
    seconds: Number(seconds.toFixed(2)),
    confidence: Number(confidence.toFixed(3)),
    words,
    errors,
    wrong: errors > 0,
    facts: [
      `${errors} ${errors === 1 ? "error" : "errors"} in ${counted(words, unit)}`,
      `${rateName(unit)} ${((errors / Math.max(1, words)) * 100).toFixed(0)} %`,
      `${seconds.toFixed(1)} s`,
      `confidence ${confidence.toFixed(2)}`,
    ],
    rows: 2,
    pairs: alignToRead(reference, hypothesis).map((pair) =>
      pair.reference !== undefined && pair.reference === pair.hypothesis
        ? pair.reference
        : [pair.reference ?? "", pair.hypothesis ?? ""],
    ),
  };
}
