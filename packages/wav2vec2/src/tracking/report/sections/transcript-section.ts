import { escapeHtml } from "../../../pages/html.js";
import { renderAligned } from "../../../pages/parts.js";
import { alignWords, countErrors } from "../../../text/scoring/aligned-words.js";
import { playOf, type RunClips } from "../clip-urls.js";
import type { Rows } from "../metric-series.js";

/** How many utterances of the last validation a report shows. */
const MOST_TRANSCRIPTS = 12;

/** The lines of `transcripts.jsonl` that a report shows: of the last validation. */
export function shownTranscripts(transcripts: Rows): Rows {
  const last = transcripts.at(-1);
  return transcripts.filter(({ step }) => step === last?.step).slice(0, MOST_TRANSCRIPTS);
}

/** The last validation's utterances, reference above hypothesis, with wrong words marked. */
export function transcriptSection(transcripts: Rows, { urls }: RunClips): string {
  const rows = shownTranscripts(transcripts);
  const [first] = rows;
  if (!first) return "";
  const hasSound = rows.some(({ audio }) => urls.has(String(audio)));
  const items = rows.map((row) => {
    const [id, reference, hypothesis] = [row.id, row.reference, row.hypothesis].map(String);
    const pairs = alignWords(reference!, hypothesis!);
    const words = pairs.map((pair) =>
      pair.reference !== undefined && pair.reference === pair.hypothesis
        ? pair.reference
        : [pair.reference ?? "", pair.hypothesis ?? ""],
    );
    const texts = [`Reference: ${reference}`, `Hypothesis: ${hypothesis}`];
    return `<li>${hasSound ? playOf(row, urls) || '<span class="no-clip"></span>' : ""}<div class="facts"><b>${escapeHtml(id!)}</b><span>${errorsText(countErrors(pairs))}</span></div>
${renderAligned({ words }, 2, texts)}</li>`;
  });
  return `<section><h2>What the model recognised at step ${first.step.toLocaleString("en")}</h2>
<p class="legend">Reference above, what was recognised below; <b>wrong words</b> are underlined.</p>
<ul class="utterances${hasSound ? "" : " silent"}">${items.join("\n")}</ul></section>`;
}

export function errorsText(errors: number): string {
  return errors === 0 ? "all right" : `${errors} ${errors === 1 ? "word" : "words"} wrong`;
}
