// Draws metrics of runs over their steps, one chart for each metric, as an SVG that follows the reader's light or dark.
//   node benchmarks/curves.mjs OUTPUT.svg METRIC[,METRIC] NAME=RUN[,RUN] [NAME=RUN[,RUN] …]
// Runs of the same name have the same colour. For example:
//   node benchmarks/curves.mjs wer.svg eval/wer "from random weights=runs/a,runs/b" "pre-trained=runs/c,runs/d"

import { writeFileSync } from "node:fs";
import { HEIGHT as PLOT, plot, WIDTH } from "../packages/wav2vec2/dist/pages/charts/chart.js";
import { chartStyle } from "../packages/wav2vec2/dist/pages/charts/chart-style.js";
import { colorProperties } from "../packages/wav2vec2/dist/pages/colors.js";
import { escapeHtml } from "../packages/wav2vec2/dist/pages/html.js";
import { pointsOf } from "../packages/wav2vec2/dist/tracking/report/metric-series.js";
import { readStepLines } from "../packages/wav2vec2/dist/tracking/sinks/metrics-file.js";

const [output, metrics, ...groups] = process.argv.slice(2);
const TITLE = 24;
const HEIGHT = TITLE + PLOT;

/** How the metrics of a validation are drawn. */
const CHARTS = {
  "eval/contrastive_loss": {
    title: "Contrastive loss (nats)",
    from: "lowest",
    format: "short",
    reference: { name: "chance", value: Math.log(101) },
  },
  "eval/accuracy": {
    title: "Accuracy: targets found",
    format: "percent",
    reference: { name: "chance", value: 1 / 101 },
  },
  "eval/codevector_perplexity": { title: "Codebook perplexity", format: "short" },
  "eval/wer": { title: "Word error rate", format: "percent" },
};

const runs = groups.flatMap((group, index) => {
  const [name, paths] = group.split("=");
  return paths
    .split(",")
    .map((path) => ({ name, tone: index + 1, rows: readStepLines(`${path}/metrics.jsonl`) }));
});
const panels = metrics.split(",").map((metric, index) => {
  const series = runs.map(({ name, tone, rows }) => ({ name, tone, points: pointsOf(rows, metric) }));
  const look = CHARTS[metric] ?? { title: metric, format: "short" };
  const drawing = plot({ ...look, series })?.content ?? "";
  return `<g transform="translate(${index * WIDTH} 0)"><text class="title" x="12" y="18">${escapeHtml(look.title)}</text>
<g transform="translate(0 ${TITLE})">${drawing}</g></g>`;
});
const keys = groups.map((group, index) => {
  const at = 12 + index * 190;
  return `<path class="line tone${index + 1}" d="M${at} ${HEIGHT + 8}h14"/><text class="tick" x="${at + 20}" y="${HEIGHT + 12}">${escapeHtml(group.split("=")[0])}</text>`;
});
const style = `:root { ${colorProperties("light")} }
@media (prefers-color-scheme: dark) { :root { ${colorProperties("dark")} } }
svg { font: 12px system-ui, sans-serif; background: var(--card); }
.title { font-size: 15px; font-weight: 600; fill: var(--text); }
${chartStyle((name) => `var(--${name})`)}`;
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
