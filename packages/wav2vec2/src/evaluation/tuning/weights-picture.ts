import { escapeHtml } from "../../pages/html.js";
import type { WeightedErrors } from "./tune-decoding.js";

const CELL = { width: 64, height: 36 };
const MARGIN = { left: 96, top: 64, right: 24, bottom: 64 };

/**
 * A map of error rates over two weights as SVG: the language model's from left to right, the words' score upwards, the
 * fewer errors the darker; the best has a frame.
 */
export function drawWeights(tried: readonly WeightedErrors[]): string {
  const columns = axis(tried.map(({ lmWeight }) => lmWeight));
  const rows = axis(tried.map(({ wordScore }) => wordScore)).reverse();
  const width = MARGIN.left + columns.length * CELL.width + MARGIN.right;
  const height = MARGIN.top + rows.length * CELL.height + MARGIN.bottom;
  const lowest = Math.min(...tried.map(({ wer }) => wer));
  const highest = Math.max(...tried.map(({ wer }) => wer));
  const x = (lmWeight: number) => MARGIN.left + columns.indexOf(lmWeight) * CELL.width;
  const y = (wordScore: number) => MARGIN.top + rows.indexOf(wordScore) * CELL.height;
  const cells = tried.map(({ lmWeight, wordScore, wer }, rank) => {
    // Square roots tell the good ones apart, which lie close together.
    const good = 1 - Math.sqrt((wer - lowest) / (highest - lowest || 1));
    const frame = rank === 0 ? ' class="best"' : "";
    return (
      `<rect${frame} x="${x(lmWeight) + 1}" y="${y(wordScore) + 1}" width="${CELL.width - 2}" height="${CELL.height - 2}" rx="3" ` +
      `fill-opacity="${(0.08 + 0.92 * good).toFixed(3)}"/><text x="${x(lmWeight) + CELL.width / 2}" y="${y(wordScore) + CELL.height / 2 + 4}" ` +
      `class="${good > 0.55 ? "on" : "off"}">${(wer * 100).toFixed(1)}</text>`
    );
  });
  const names = [
    ...columns.map(
      (value) =>
        `<text x="${x(value) + CELL.width / 2}" y="${height - MARGIN.bottom + 20}" class="axis">${value}</text>`,
    ),
    ...rows.map(
      (value) =>
        `<text x="${MARGIN.left - 10}" y="${y(value) + CELL.height / 2 + 4}" class="axis end">${value}</text>`,
    ),
  ];
  const title = escapeHtml("Word error rate by the weights of decoding, in %");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12">
<title>${title}</title>
<style>
svg { background: #fff; color: #222 } rect { fill: #2a6fbb } rect.best { stroke: #d4590b; stroke-width: 3 }
text { fill: currentColor; text-anchor: middle } text.end { text-anchor: end } text.on { fill: #fff }
.axis { fill: #666 } .title { text-anchor: start; font-size: 15px; font-weight: 600 }
@media (prefers-color-scheme: dark) { svg { background: #16181c; color: #ddd } rect { fill: #7ab2ee } text.on { fill: #10151c } .axis { fill: #999 } }
</style>
<text x="${MARGIN.left}" y="34" class="title">${title}</text>
${cells.join("\n")}
${names.join("\n")}
<text x="${MARGIN.left + (columns.length * CELL.width) / 2}" y="${height - 18}" class="axis">weight of the language model</text>
<text transform="translate(26 ${MARGIN.top + (rows.length * CELL.height) / 2}) rotate(-90)" class="axis">score of a word</text>
</svg>
`;
}

function axis(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
