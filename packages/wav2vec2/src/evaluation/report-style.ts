import { reportStyle } from "../tracking/report/report-style.js";

/** The stylesheet of reports of runs, and what evaluations have besides. */
export const evaluationStyle = `${reportStyle}
.tiles { grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); }
header .about { margin: -12px 0 20px; overflow-wrap: anywhere; }
.note-box { margin: 0 0 12px; padding: 12px 18px; background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--two); border-radius: 10px; overflow-wrap: anywhere; }
.bar { fill: var(--one); opacity: 0.75; }
g:hover > .bar { opacity: 1; }
.whisker { fill: none; stroke: var(--text); stroke-width: 1.5; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.numbers { border: 0; border-radius: 0; font-variant-numeric: tabular-nums; }
.numbers th, .numbers td, .numbers td:last-child { display: table-cell; color: inherit; padding: 6px 14px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); width: auto; font-size: 15px; }
.numbers thead th { color: var(--soft); font-size: 14px; border-top: 0; }
.numbers tr > :first-child { text-align: left; }
.numbers tbody tr:first-child > * { border-top: 1px solid var(--line); }
details { margin-bottom: 12px; }
summary { cursor: pointer; color: var(--soft); padding: 6px 0; }
.confusions { display: grid; grid-template-columns: 2fr 1fr 1fr; gap: 12px; align-items: start; }
.confusions.two { grid-template-columns: 1fr 1fr; }
.confusions li { display: flex; justify-content: space-between; gap: 10px; font: 14px ui-monospace, monospace; padding: 3px 6px; overflow-wrap: anywhere; }
.confusions li:has(button) { padding: 0; }
.charts.one { max-width: 620px; }
.confusions > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; min-width: 0; }
.confusions h3 { margin: 0 0 8px; font-size: 15px; }
.confusions ul { margin: 0; padding: 0; list-style: none; }
.confusions button { display: flex; width: 100%; gap: 10px; padding: 3px 6px; border: 0; border-radius: 6px; background: none; color: inherit; font: 14px ui-monospace, monospace; text-align: left; cursor: pointer; overflow-wrap: anywhere; }
.confusions button:hover, .confusions button[aria-pressed=true] { background: var(--back); }
.confusions button span:first-child { flex: 1; min-width: 0; }
.confusions .count { color: var(--soft); font-variant-numeric: tabular-nums; }
.controls { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; margin-bottom: 12px; }
.controls input[type=search] { flex: 1 1 220px; min-width: 0; }
.controls input[type=search], select, .more { padding: 8px 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--text); font: inherit; }
.controls label { color: var(--soft); font-size: 14px; display: flex; gap: 6px; align-items: center; }
.found { color: var(--soft); font-size: 14px; margin: 0 0 12px; }
.utterances { margin: 0; padding: 0; list-style: none; }
.utterances li { display: grid; grid-template-columns: 44px minmax(0, 1fr); gap: 4px 14px; margin-bottom: 8px; padding: 12px 14px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; content-visibility: auto; contain-intrinsic-size: auto 110px; }
.utterances .facts { color: var(--soft); font-size: 14px; display: flex; flex-wrap: wrap; gap: 0 16px; }
.utterances .facts b { color: var(--text); overflow-wrap: anywhere; }
.play { grid-row: span 2; width: 44px; height: 44px; border: 1px solid var(--line); border-radius: 50%; background: var(--back); color: var(--one); cursor: pointer; }
.play::before { content: ""; display: block; width: 14px; height: 16px; margin: 0 auto; background: currentColor; clip-path: polygon(15% 0, 100% 50%, 15% 100%); }
.play.playing::before { clip-path: polygon(0 0, 35% 0, 35% 100%, 0 100%, 0 0, 65% 0, 100% 0, 100% 100%, 65% 100%, 65% 0); }
.play:hover, .play.playing { border-color: var(--one); }
.no-clip { grid-row: span 2; }
.words { display: flex; flex-wrap: wrap; gap: 4px 8px; font: 14px/1.35 ui-monospace, monospace; }
.words span { display: grid; grid-auto-rows: 1fr; max-width: 100%; overflow-wrap: anywhere; }
.words i { font-style: normal; white-space: pre-wrap; }
.words i + i { color: var(--soft); }
.words .wrong .other { color: var(--bad); font-weight: 600; }
.words .wrong { border-bottom: 2px solid var(--bad); }
.more { cursor: pointer; }
.who-is { display: flex; gap: 6px 18px; flex-wrap: wrap; margin: 0 0 12px; color: var(--soft); font-size: 14px; }
.who-is b { color: var(--bad); }
[hidden] { display: none !important; }
@media (max-width: 700px) { .confusions, .confusions.two { grid-template-columns: minmax(0, 1fr); } .numbers th, .numbers td { padding: 6px 10px; } }
`;
