import { chartStyle } from "./charts/chart-style.js";
import { colorProperties, TONES } from "./colors.js";

const tones = TONES.map((name, index) => `.key.tone${index + 1} { --tone: var(--${name}); }`).join(" ");

/** The one stylesheet of all pages. */
export const pageStyle = `
:root { ${colorProperties("light")} }
@media (prefers-color-scheme: dark) { :root { ${colorProperties("dark")} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
header p { margin: 0; color: var(--soft); }
h1 { margin: 0 0 20px; font-size: 28px; line-height: 1.2; overflow-wrap: anywhere; unicode-bidi: plaintext; text-align: left; }
header .about { margin: -12px 0 20px; overflow-wrap: anywhere; }
h2 { margin: 32px 0 12px; font-size: 19px; }
h3 { margin: 16px 0 8px; font-size: 15px; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--one); outline-offset: 2px; }
details { margin-bottom: 12px; }
summary { cursor: pointer; color: var(--soft); padding: 6px 0; }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.findings { margin: 0 0 12px; padding: 14px 18px; background: var(--card); border: 1px solid var(--bad); border-left-width: 6px; border-radius: 10px; overflow-wrap: anywhere; }
.findings h2 { margin: 0 0 8px; color: var(--bad); }
.findings ul { margin: 0; padding: 0; list-style: none; }
.findings li { margin-bottom: 8px; }
.findings p { margin: 0; color: var(--soft); font-size: 14px; }
.note-box { margin: 0 0 12px; padding: 12px 18px; background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--two); border-radius: 10px; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 12px; margin: 0 0 12px; }
.tiles > div, figure, pre, .facts-list { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tiles > div { padding: 12px 16px; }
dt, .detail { color: var(--soft); font-size: 14px; }
dd { margin: 0; }
.tiles dd { font-size: 26px; font-weight: 600; line-height: 1.3; overflow-wrap: anywhere; }
.tiles dd.detail { font-size: 14px; font-weight: 400; line-height: 1.5; }
.facts-list { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 2px 28px; margin: 0; padding: 12px 16px; }
.facts-list > div { display: grid; grid-template-columns: 110px minmax(0, 1fr); gap: 8px; align-items: baseline; }
.facts-list .wide { grid-column: 1 / -1; }
.facts-list dd { overflow-wrap: anywhere; font-size: 15px; }
.legend { margin: 0 0 12px; color: var(--soft); font-size: 14px; }
pre { margin: 0; padding: 14px 16px; overflow-x: auto; font-size: 14px; line-height: 1.45; }

.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.numbers { width: 100%; border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; }
.numbers th, .numbers td { padding: 6px 14px; text-align: right; font-size: 15px; font-weight: 400; white-space: nowrap; border-top: 1px solid var(--line); }
.numbers thead th { color: var(--soft); font-size: 14px; border-top: 0; vertical-align: bottom; }
.numbers tr > :first-child { text-align: left; }
.numbers.texts th, .numbers.texts td { text-align: left; vertical-align: top; white-space: normal; min-width: 110px; overflow-wrap: anywhere; }
.numbers .best { font-weight: 600; color: var(--good); }
.numbers small { color: var(--soft); font-size: 13px; display: block; }
.numbers .mean > * { background: var(--back); }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 12px; }
.charts.one { max-width: 620px; }
figure { margin: 0; padding: 12px 14px 6px; min-width: 0; }
.charts > figure, .clip { content-visibility: auto; contain-intrinsic-size: auto 290px; }
figcaption { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
${chartStyle((name) => `var(--${name})`)}
${tones}
.key { color: var(--soft); font-size: 14px; }
.key::before { content: ""; display: inline-block; width: 14px; margin-right: 6px; vertical-align: middle; border-top: 3px solid var(--tone); }
.key.dashed::before { border-top-style: dashed; }
.keys { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 0 12px; padding: 8px 0; background: var(--back); }
.key-text { color: var(--soft); font-size: 14px; }
.cursor { stroke: var(--soft); pointer-events: none; }
.tip { position: fixed; z-index: 2; max-width: min(360px, 90vw); padding: 6px 10px; display: grid; gap: 1px; pointer-events: none; background: var(--card); border: 1px solid var(--soft); border-radius: 8px; font-size: 14px; white-space: pre-wrap; overflow-wrap: anywhere; }
.tip .key { color: var(--text); }
.values { margin: 0; font-size: 13px; }
.values summary { padding: 2px 0; }
.values .scroll { margin: 4px 0 8px; }
.values .numbers th, .values .numbers td { padding: 3px 10px; font-size: 13px; }
.bar { fill: var(--one); opacity: 0.75; }
g:hover > .bar { opacity: 1; }
.hit { fill: transparent; }
.whisker { fill: none; stroke: var(--text); stroke-width: 1.5; }

.map { display: block; width: 100%; height: 320px; margin-top: 8px; image-rendering: pixelated; border: 1px solid var(--line); }
.map.small { height: 110px; }
.ends { display: flex; justify-content: space-between; color: var(--soft); font-size: 12px; padding: 2px 0 4px; }
.scale { display: flex; flex-wrap: wrap; gap: 4px 10px; margin: 0 0 18px; color: var(--soft); font-size: 14px; line-height: 1; }
.scale i { display: inline-block; width: 14px; height: 14px; margin-right: 16px; border: 1px solid var(--line); }
.scale div { position: relative; width: 220px; height: 30px; }
.scale div i { width: 100%; }
.scale div span { position: absolute; top: 18px; transform: translateX(-50%); font-size: 12px; white-space: nowrap; }
.scale div span:last-child { transform: translateX(-100%); }
.swatch { display: inline-block; width: 14px; height: 10px; margin: 0 6px 0 16px; vertical-align: baseline; }
.swatch:first-child { margin-left: 0; }
.swatch.masked { background: var(--two); opacity: 0.3; }
.swatch.found { background: var(--good); }
.swatch.missed { background: var(--bad); height: 4px; }
.clip { margin-bottom: 12px; padding-bottom: 12px; }
.clip figcaption { align-items: center; }
.tracks { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 12px; align-items: center; margin-top: 8px; }
.tracks > span { color: var(--soft); font-size: 13px; grid-column: 1; }
.tracks > svg, .tracks > .time { grid-column: 2; }
.tracks .wave { height: 76px; }
.tracks .strip { height: 20px; shape-rendering: crispEdges; }
.tracks .marks { height: 14px; shape-rendering: crispEdges; }
.playhead { display: none; grid-column: 2; align-self: stretch; width: 2px; margin-left: calc(var(--played, 0) * 100%); background: var(--text); }
.heard .playhead { display: block; }
.masked { fill: var(--two); opacity: 0.25; }
.sound { fill: var(--one); stroke: var(--one); stroke-width: 1; vector-effect: non-scaling-stroke; }
.found { fill: var(--good); }
.missed { fill: var(--bad); }
.time { position: relative; height: 18px; color: var(--soft); font-size: 12px; }
.time span { position: absolute; }

.play { flex: none; width: 44px; height: 44px; border: 1px solid var(--line); border-radius: 50%; background: var(--back); color: var(--one); cursor: pointer; }
.play::before { content: ""; display: block; width: 14px; height: 16px; margin: 0 auto; background: currentColor; clip-path: polygon(15% 0, 100% 50%, 15% 100%); }
.play.playing::before { clip-path: polygon(0 0, 35% 0, 35% 100%, 0 100%, 0 0, 65% 0, 100% 0, 100% 100%, 65% 100%, 65% 0); }
.play:hover, .play.playing { border-color: var(--one); }
.utterances { margin: 0; padding: 0; list-style: none; }
.utterances li { display: grid; grid-template-columns: 44px minmax(0, 1fr); gap: 4px 14px; margin-bottom: 8px; padding: 12px 14px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; content-visibility: auto; contain-intrinsic-size: auto 110px; }
.utterances.silent li { grid-template-columns: minmax(0, 1fr); }
.utterances .play, .no-clip { grid-row: span 2; }
.facts { color: var(--soft); font-size: 14px; display: flex; flex-wrap: wrap; gap: 0 16px; }
.facts b { color: var(--text); overflow-wrap: anywhere; }
.words { display: flex; flex-wrap: wrap; gap: 4px 8px; font: 14px/1.35 ui-monospace, monospace; }
.words span { display: grid; grid-auto-rows: 1fr; max-width: 100%; overflow-wrap: anywhere; }
.words i { font-style: normal; white-space: pre-wrap; }
.words i + i { color: var(--soft); }
.words .wrong .other { color: var(--bad); font-weight: 600; }
.words .wrong { border-bottom: 2px solid var(--bad); }
.words .who { margin-right: 10px; }
.words .who i { color: var(--soft); font-family: system-ui, sans-serif; }

.confusions { display: grid; grid-template-columns: 2fr 1fr 1fr; gap: 12px; align-items: start; }
.confusions.two { grid-template-columns: 1fr 1fr; }
.confusions > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; min-width: 0; }
.confusions h3 { margin: 0 0 8px; }
.confusions ul { margin: 0; padding: 0; list-style: none; }
.confusions li { display: flex; justify-content: space-between; gap: 10px; font: 14px ui-monospace, monospace; padding: 3px 6px; overflow-wrap: anywhere; }
.confusions li:has(button) { padding: 0; }
.confusions button { display: flex; width: 100%; gap: 10px; padding: 3px 6px; border: 0; border-radius: 6px; background: none; color: inherit; font: 14px ui-monospace, monospace; text-align: left; cursor: pointer; overflow-wrap: anywhere; }
.confusions button:hover, .confusions button[aria-pressed=true] { background: var(--back); }
.confusions button span:first-child { flex: 1; min-width: 0; }
.confusions .count { color: var(--soft); font-variant-numeric: tabular-nums; }
.controls { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; margin-bottom: 12px; }
.controls input[type=search] { flex: 1 1 220px; min-width: 0; }
.controls input[type=search], select, .more { padding: 8px 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--text); font: inherit; }
.controls label { color: var(--soft); font-size: 14px; display: flex; gap: 6px; align-items: center; }
.how-many { color: var(--soft); font-size: 14px; margin: 0 0 12px; }
.more { cursor: pointer; }
.legend b { color: var(--bad); }

@media (max-width: 700px) {
  main { padding: 24px 14px 48px; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); }
  .charts .chart, .charts figure > svg { font-size: 15px; overflow: visible; }
  .confusions, .confusions.two { grid-template-columns: minmax(0, 1fr); }
  .numbers th, .numbers td { padding: 6px 10px; }
  .tracks { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .tracks > svg, .tracks > .time { grid-column: 1; }
  .tracks > span:empty, .heard .playhead { display: none; }
  .map { height: 240px; }
}
@media print {
  :root { ${colorProperties("light")} color-scheme: light; }
  body { background: none; font-size: 11pt; }
  main { max-width: none; padding: 0; }
  .charts > figure, .clip { content-visibility: visible; }
  figure, li, tr, .tiles > div, .findings, .note-box, .facts-list { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .charts { grid-template-columns: 1fr 1fr; }
  .keys { position: static; }
  pre { white-space: pre-wrap; }
  .play, .controls, .more, .values, .tip { display: none; }
  .utterances li { grid-template-columns: minmax(0, 1fr); content-visibility: visible; }
  .no-clip { display: none; }
}
`;
