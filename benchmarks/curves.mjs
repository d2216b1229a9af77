// Draws metrics of runs over their steps, one chart for each metric, as an SVG that follows the reader's light or dark.
//   node benchmarks/curves.mjs OUTPUT.svg METRIC[,METRIC] NAME=RUN[,RUN] [NAME=RUN[,RUN] …]
// Runs of the same name have the same colour. For example:
//   node benchmarks/curves.mjs wer.svg eval/wer "from random weights=runs/a,runs/b" "pre-trained=runs/c,runs/d"

import { writeFileSync } from "node:fs";
import { drawChart, escapeHtml } from "../packages/wav2vec2/dist/tracking/report/chart.js";
import { percent, pointsOf, short } from "../packages/wav2vec2/dist/tracking/report/metric-series.js";
import { readStepLines } from "../packages/wav2vec2/dist/tracking/sinks/metrics-file.js";

const [output, metrics, ...groups] = process.argv.slice(2);
const WIDTH = 520;
const TITLE = 24;
const HEIGHT = TITLE + 250;

/** How the metrics of a validation are drawn. */
const CHARTS = {
  "eval/contrastive_loss": {
    title: "Contrastive loss (nats)",
    from: "lowest",
    format: short,
    reference: { name: "chance", value: Math.log(101) },
  },
  "eval/accuracy": {
    title: "Accuracy: targets found",
    format: percent,
    reference: { name: "chance", value: 1 / 101 },
  },
  "eval/codevector_perplexity": { title: "Codebook perplexity", format: short },
  "eval/wer": { title: "Word error rate", format: percent },
};

const runs = groups.flatMap((group, index) => {
  const [name, paths] = group.split("=");
  return paths
    .split(",")
    .map((path) => ({ name, tone: index + 1, rows: readStepLines(`${path}/metrics.jsonl`) }));
});
const panels = metrics.split(",").map((metric, index) => {
  const series = runs.map(({ name, tone, rows }) => ({ name, tone, points: pointsOf(rows, metric) }));
  const look = CHARTS[metric] ?? { title: metric, format: short };
  const drawing = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(drawChart({ ...look, series }))[1];
  return `<g transform="translate(${index * WIDTH} 0)"><text class="title" x="12" y="18">${escapeHtml(look.title)}</text>
<g transform="translate(0 ${TITLE})">${drawing}</g></g>`;
});
const keys = groups.map((group, index) => {
  const at = 12 + index * 190;
  return `<path class="line tone${index + 1}" d="M${at} ${HEIGHT + 8}h14"/><text class="tick" x="${at + 20}" y="${HEIGHT + 12}">${escapeHtml(group.split("=")[0])}</text>`;
});
const colours = (back, text, soft, line, tones) =>
  `:root { --back: ${back}; --text: ${text}; --soft: ${soft}; --line: ${line}; ${tones.map((tone, index) => `--t${index + 1}: ${tone};`).join(" ")} }`;
const style = `${colours("#fff", "#1c2430", "#5b6675", "#dfe4ea", ["#1d5fd1", "#c2500a", "#1a7f37", "#8a3ab9"])}
@media (prefers-color-scheme: dark) { ${colours("#1b212a", "#e6eaf0", "#9aa6b5", "#313a46", ["#7fb0ff", "#ffab70", "#63d586", "#d6a6f5"])} }
svg { font: 12px system-ui, sans-serif; background: var(--back); }
.title { font-size: 15px; font-weight: 600; fill: var(--text); } .grid { stroke: var(--line); } .tick { fill: var(--soft); }
.reference { fill: none; stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 6 5; } .hit { fill: transparent; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
${[1, 2, 3, 4].map((tone) => `.line.tone${tone} { stroke: var(--t${tone}); } .dot.tone${tone} { fill: var(--t${tone}); }`).join("\n")}`;
const titles = metrics.split(",").map((metric) => CHARTS[metric]?.title ?? metric);
const size = `${panels.length * WIDTH} ${HEIGHT + 24}`;
writeFileSync(
  output,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" role="img">
<title>${escapeHtml(titles.join(", "))}</title>
<style>${style}</style>
${[...panels, ...keys].join("\n")}
</svg>
`,
);
