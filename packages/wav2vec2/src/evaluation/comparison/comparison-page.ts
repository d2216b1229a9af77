import { counted } from "../../counted.js";
import { drawBarChart } from "../../pages/charts/bar-chart.js";
import { count, percent } from "../../pages/format.js";
import { escapeHtml } from "../../pages/html.js";
import { clipNotes, renderNotes, renderTiles } from "../../pages/parts.js";
import { renderTable } from "../../pages/table.js";
import { sumErrors } from "../../text/scoring/error-rate.js";
import type { ReportClips } from "../report/report-clips.js";
import { renderReport, renderUtteranceList } from "../report/report-parts.js";
import type { ListedUtterance } from "../report/report-script.js";
import type { ComparedUtterance, Comparison } from "./compare.js";
import { comparisonNotes, points, probability, systemNames, verdict } from "./comparison-text.js";

const MOST_WORDS = 15;
/** Differences of an utterance from which on the histogram has one bar. */
const MANY_ERRORS = 5;

/** The page of a comparison: who is better, where, and what each recognised. */
export function comparisonPage(comparison: Comparison, clips: ReportClips): string {
  const { utterances, utteranceCount, systems, textNormalization } = comparison;
  const [first, second] = systemNames(comparison);
  const names = (of: (utterance: ComparedUtterance) => string | undefined) =>
    [...new Set(utterances.flatMap((each) => of(each) ?? []))].sort((a, b) =>
      a.localeCompare(b, "en", { numeric: true }),
    );
  const [splits, speakers] = [names(({ split }) => split), names(({ speaker }) => speaker)];
  return renderReport({
    kind: "comparison",
    title: `${first} and ${second}`,
    about: [
      counted(utteranceCount, "utterance", count(utteranceCount)),
      `${count(systems[0].words)} words`,
      ...(textNormalization.length > 0 ? [`compared without ${textNormalization.join(" and ")}`] : []),
    ],
    sections: [
      renderNotes([
        ...comparisonNotes(comparison),
        ...clipNotes({ left: clips.left, played: clips.urls.size }),
      ]),
      tiles(comparison, [first, second]),
      `<section class="charts one">\n${changeHistogram(utterances)}\n</section>`,
      groupTable("Split", splits, utterances, ({ split }) => split),
      groupTable("Speaker", speakers, utterances, ({ speaker }) => speaker),
      wordLists(utterances),
      renderUtteranceList({
        legend: "Reference, what 1 recognised, what 2 recognised; <b>wrong words</b> are underlined.",
        orders: {
          better: "2 better first",
          worse: "1 better first",
          errors: "most errors of both",
          longest: "longest",
          id: "id",
        },
        wrong: "where they differ only",
        splits,
        speakers,
      }),
    ],
    utterances: utterances.map(listed),
    clips,
  });
}

function tiles(comparison: Comparison, names: [string, string]): string {
  const { systems, difference, matchedPairs, better, equal, worse } = comparison;
  const ofSystem = systems.map((system, i) => ({
    name: `WER of ${i + 1}`,
    value: percent(system.wer),
    detail: `${percent(system.werInterval.low)} to ${percent(system.werInterval.high)} (95 %), ${count(sumErrors(system))} errors: ${names[i]}`,
  }));
  const ofCharacters = systems.map((system, i) => ({
    name: `CER of ${i + 1}`,
    value: percent(system.cer),
    detail: `${count(system.characterSubstitutions + system.characterDeletions + system.characterInsertions)} errors: ${names[i]}`,
  }));
  return renderTiles([
    ...(comparison.wholeSentences > 0 ? ofCharacters : []),
    ...ofSystem,
    {
      name: "Difference, 2 to 1",
      value: points(difference.wer),
      detail: `points, ${points(difference.low)} to ${points(difference.high)} (95 %)`,
    },
    {
      name: "Matched pairs, p",
      value: probability(matchedPairs.p),
      detail: `z ${matchedPairs.z.toFixed(2)}, segments: ${matchedPairs.segments}; ${verdict(comparison)}`,
    },
    {
      name: "Improvement",
      value: percent(difference.probabilityOfImprovement),
      detail: "probability: draws in which 2 makes fewer errors",
    },
    {
      name: "2 is better in",
      value: count(better),
      detail: `utterances, as good in ${count(equal)}, worse in ${count(worse)}`,
    },
  ]);
}

/** How many utterances have how many errors more or fewer. */
function changeHistogram(utterances: readonly ComparedUtterance[]): string {
  const counts = new Map<number, number>();
  for (const { change } of utterances) {
    const bar = Math.max(-MANY_ERRORS, Math.min(MANY_ERRORS, change));
    if (bar !== 0) counts.set(bar, (counts.get(bar) ?? 0) + 1);
  }
  const most = Math.max(0, ...[...counts.keys()].map(Math.abs));
  const bars = Array.from({ length: 2 * most + 1 }, (_, i) => i - most)
    .filter((change) => change !== 0)
    .map((change) => {
      const value = counts.get(change) ?? 0;
      const name = `${change > 0 ? "+" : "−"}${Math.abs(change)}${Math.abs(change) === MANY_ERRORS ? " …" : ""}`;
      return { name, value, detail: `${counted(value, "utterance", count(value))} with ${name}` };
    });
  return drawBarChart({
    title: "Utterances by the errors that 2 makes more (+) or fewer (−) than 1",
    axis: "word errors; those as good are left out",
    bars,
    format: count,
  });
}

function groupTable(
  title: string,
  names: readonly string[],
  utterances: readonly ComparedUtterance[],
  of: (utterance: ComparedUtterance) => string | undefined,
): string {
  if (names.length < 2) return "";
  const header = [title, "Utterances", "Words", "WER of 1", "WER of 2", "Difference"];
  const rows = names.map((name) => {
    const members = utterances.filter((each) => of(each) === name);
    const sum = (value: (each: ComparedUtterance) => number) =>
      members.reduce((total, each) => total + value(each), 0);
    const words = sum((each) => each.words);
    const [first, second] = [sum((each) => each.firstErrors), sum((each) => each.secondErrors)].map(
      (errors) => errors / Math.max(1, words),
    ) as [number, number];
    return [
      escapeHtml(name),
      count(members.length),
      count(words),
      percent(first),
      percent(second),
      points(second - first),
    ];
  });
  return `<details${names.length <= 12 ? " open" : ""}><summary>By ${title.toLowerCase()}</summary>
${renderTable({ label: `By ${title.toLowerCase()}`, header, rows })}</details>`;
}

/** Words of the references that one system alone got right. */
function wordLists(utterances: readonly ComparedUtterance[]): string {
  const [first, second] = [new Map<string, number>(), new Map<string, number>()];
  for (const { columns } of utterances)
    for (const { reference, first: one, second: two } of columns) {
      if (reference === undefined || (one === reference) === (two === reference)) continue;
      const counts = one === reference ? first : second;
      counts.set(reference, (counts.get(reference) ?? 0) + 1);
    }
  if (first.size + second.size === 0) return "";
  return `<section><h2>Which words one alone gets right</h2><div class="confusions two">${[first, second]
    .map((counts, i) => wordList(`${i + 1} alone`, counts))
    .join("\n")}</div></section>`;
}

function wordList(title: string, counts: ReadonlyMap<string, number>): string {
  const words = [...counts].sort(([a, n], [b, m]) => m - n || a.localeCompare(b, "en"));
  const items = words
    .slice(0, MOST_WORDS)
    .map(([word, n]) => `<li><span>${escapeHtml(word)}</span><span class="count">${count(n)}</span></li>`);
  const rest = words.length - items.length;
  return `<div><h3>${title}</h3>${
    items.length > 0 ? `<ul>${items.join("")}</ul>` : '<span class="count">none</span>'
  }${rest > 0 ? `<span class="count">and ${count(rest)} others</span>` : ""}</div>`;
}

function listed(utterance: ComparedUtterance): ListedUtterance {
  const { id, split, speaker, seconds, words, firstErrors, secondErrors, change, columns } = utterance;
  return {
    id,
    split,
    speaker,
    seconds: seconds ?? 0,
    words,
    errors: firstErrors + secondErrors,
    change,
    wrong: columns.some(({ first, second }) => first !== second),
    facts: [
      `errors ${firstErrors} and ${secondErrors} in ${words} ${words === 1 ? "word" : "words"}`,
      ...(seconds === undefined ? [] : [`${seconds.toFixed(1)} s`]),
    ],
    rows: 3,
    pairs: columns.map(({ reference, first, second }) =>
      reference !== undefined && reference === first && reference === second
        ? reference
        : [reference ?? "", first ?? "", second ?? ""],
    ),
  };
}
