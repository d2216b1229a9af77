import { escapeHtml } from "../tracking/report/chart.js";
import type { ReportClips } from "./report-clips.js";
import { type ListedUtterance, reportScript } from "./report-script.js";
import { evaluationStyle } from "./report-style.js";

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

/** One file without outside references, but for clips that lie beside it. */
export function renderPage({ kind, title, about, sections, utterances, clips }: ReportPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} – wav2vec2</title>
<style>${evaluationStyle}</style>
</head>
<body>
<main>
<header><p>wav2vec2 ${kind}</p><h1>${escapeHtml(title)}</h1><p class="about">${escapeHtml(about.join(" · "))}</p></header>
${sections.filter(Boolean).join("\n")}
</main>
<script type="application/json" id="utterances">${scriptJson(utterances)}</script>
<script type="application/json" id="clips">${scriptJson(Object.fromEntries(clips.urls))}</script>
<script>${reportScript}</script>
</body>
</html>
`;
}

export interface Tile {
  title: string;
  value: string;
  detail: string;
}

export function renderTiles(tiles: readonly Tile[]): string {
  return `<dl class="tiles">${tiles
    .map(
      ({ title, value, detail }) =>
        `<div><dt>${title}</dt><dd>${value}</dd><dd class="detail">${escapeHtml(detail)}</dd></div>`,
    )
    .join("")}</dl>`;
}

export function renderNotes(lines: readonly string[]): string {
  return lines.map((line) => `<p class="note-box">${escapeHtml(line)}</p>`).join("\n");
}

/** What has become of clips that were to be played, if not all can be. */
export function clipNotes({ left, urls }: ReportClips): string[] {
  if (left === 0) return [];
  return [`${count(urls.size)} clips can be played; ${count(left)} more did not fit or cannot be read.`];
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
<p class="who-is"><span>${legend}</span></p>
<div class="controls">
<input type="search" id="search" placeholder="Words or id" aria-label="Words or id">
${select("split", splits)}${select("speaker", speakers)}
<label>Order <select id="order">${options.join("")}</select></label>
<label><input type="checkbox" id="wrong"> ${wrong}</label>
<label><input type="checkbox" id="playable"> with sound only</label>
</div>
<p class="found" id="found" aria-live="polite"></p>
<ul class="utterances" id="list"></ul>
<button type="button" class="more" id="more" hidden>Show more</button>
<audio id="player" preload="none"></audio>
<noscript><p class="note-box">The list of utterances needs JavaScript.</p></noscript>
</section>`;
}

function select(name: string, values: readonly string[]): string {
  if (values.length < 2) return "";
  const options = values.map((value) => `<option>${escapeHtml(value)}</option>`);
  return `<select id="${name}" aria-label="${name}"><option value="">every ${name}</option>${options.join("")}</select>`;
}

/** JSON that cannot end the script element that it stands in. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.0995 ? 2 : 1)} %`;
}

export function count(value: number): string {
  return value.toLocaleString("en");
}
