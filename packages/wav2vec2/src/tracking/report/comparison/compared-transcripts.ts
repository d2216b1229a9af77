import { escapeHtml } from "../../../pages/html.js";
import { renderAligned } from "../../../pages/parts.js";
import { alignHypotheses } from "../../../text/scoring/aligned-hypotheses.js";
import { playOf, type RunClips } from "../clip-urls.js";
import type { Rows } from "../metric-series.js";
import type { RunData } from "../read-run.js";
import { shownTranscripts } from "../sections/transcript-section.js";

/** More rows below one another cannot be read together. */
const MOST_RUNS = 8;

interface Heard {
  run: RunData;
  row: Rows[number];
}

/** What several runs recognised of the same utterances in their last validations, word below word. */
export function comparedTranscripts(
  runs: readonly RunData[],
  names: ReadonlyMap<RunData, string>,
  { urls }: RunClips,
): string {
  const utterances = new Map<string, Heard[]>();
  for (const run of runs.slice(0, MOST_RUNS)) {
    for (const row of shownTranscripts(run.transcripts)) {
      const key = JSON.stringify([row.id, row.reference]);
      utterances.set(key, [...(utterances.get(key) ?? []), { run, row }]);
    }
  }
  const shared = [...utterances.values()].filter((heard) => heard.length > 1);
  if (shared.length === 0) return "";
  const left = runs.length > MOST_RUNS ? ` Only the first ${MOST_RUNS} runs are shown.` : "";
  const hasSound = shared.some((heard) => heard.some(({ row }) => playOf(row, urls) !== ""));
  const items = shared.map((heard) => {
    const { id, reference } = heard[0]!.row;
    const play = heard.map(({ row }) => playOf(row, urls)).find(Boolean) ?? '<span class="no-clip"></span>';
    const texts = heard.map(({ run, row }) => `${names.get(run)}: ${row.hypothesis}`);
    return `<li>${hasSound ? play : ""}<div class="facts"><b>${escapeHtml(String(id))}</b></div>
${renderAligned(wordsOf(heard, names), heard.length + 1, [`Reference: ${reference}`, ...texts])}</li>`;
  });
  return `<section><h2>What each recognised in its last validation</h2>
<p class="legend">The reference above, what each run recognised below; <b>wrong words</b> are underlined.${left}</p>
<ul class="utterances${hasSound ? "" : " silent"}">${items.join("\n")}</ul></section>`;
}

/** A column for each word, behind one with the runs' names. */
function wordsOf(heard: readonly Heard[], names: ReadonlyMap<RunData, string>) {
  const columns = alignHypotheses(
    String(heard[0]!.row.reference),
    heard.map(({ row }) => String(row.hypothesis)),
  );
  const words = columns.map(({ reference, hypotheses: words }) =>
    reference !== undefined && words.every((word) => word === reference)
      ? reference
      : [reference ?? "", ...words.map((word) => word ?? "")],
  );
  return { heads: ["reference", ...heard.map(({ run }) => names.get(run)!)], words };
}
