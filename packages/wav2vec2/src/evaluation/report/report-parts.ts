import { escapeHtml, scriptJson } from "../../pages/html.js";
import { renderPage } from "../../pages/page.js";
import type { ReportClips } from "./report-clips.js";
import { type ListedUtterance, reportScript } from "./report-script.js";

// What the pages of evaluations and of comparisons share.

export interface ReportPage {
  /** What it is about, one word. */
  kind: string;
  title: string;
  /** Facts below the title. */
  about: readonly string[];
  /** HTML; empty ones are left out. */
  sections: readonly string[];
  utterances: readonly ListedUtterance[];
  clips: ReportClips;
}

/** A page with a list of utterances that can be searched. */
export function renderReport({ utterances, clips, ...page }: ReportPage): string {
  return renderPage({
    ...page,
    clips: clips.urls,
    end: `<script type="application/json" id="utterances">${scriptJson(utterances)}</script>
<script>${reportScript}</script>`,
  });
}

export interface ListControls {
  /** How to read a row, HTML. */
  legend: string;
  /** Value and name of each order that the script knows; the first is the page's. */
  orders: Readonly<Record<string, string>>;
  /** What the switch leaves over. */
  wrong: string;
  /** Names of what can be chosen between, where there are several. */
  splits: readonly string[];
  speakers: readonly string[];
}

export function renderUtteranceList({ legend, orders, wrong, splits, speakers }: ListControls): string {
  const options = Object.entries(orders).map(([value, name]) => `<option value="${value}">${name}</option>`);
  return `<section><h2>Utterances</h2>
<p class="legend">${legend}</p>
<div class="controls">
<input type="search" id="search" placeholder="Words or id" aria-label="Words or id">
${select("split", splits)}${select("speaker", speakers)}
<label>Order <select id="order">${options.join("")}</select></label>
<label><input type="checkbox" id="wrong"> ${wrong}</label>
<label><input type="checkbox" id="playable"> with sound only</label>
</div>
<p class="how-many" id="found" aria-live="polite"></p>
<ul class="utterances" id="list"></ul>
<button type="button" class="more" id="more" hidden>Show more</button>
<noscript><p class="note-box">The list of utterances needs JavaScript.</p></noscript>
</section>`;
}

function select(name: string, values: readonly string[]): string {
  if (values.length < 2) return "";
  const options = values.map((value) => `<option>${escapeHtml(value)}</option>`);
  return `<select id="${name}" aria-label="${name}"><option value="">every ${name}</option>${options.join("")}</select>`;
}
