import { COLORS, type Scheme } from "../colors.js";
import { escapeHtml } from "../html.js";
import { type Chart, type ChartOptions, HEIGHT, plot, WIDTH } from "./chart.js";
import { chartStyle } from "./chart-style.js";
import { FONT_FAMILY } from "./raster.js";

const EDGE = 12;
const TITLE = 34;
const KEYS = 22;
/** Of a letter at the size of a key, on average. */
const LETTER = 6.6;

/** A chart as an SVG of its own, with title and legend, in colours that need no stylesheet; nothing without points. */
export function chartPicture(chart: Chart, options: ChartOptions = {}, scheme: Scheme = "light"): string {
  const drawing = plot(chart, options);
  if (!drawing) return "";
  const colors = COLORS[scheme];
  const rows = drawing.series.length > 1 ? keyRows(drawing.series.map(({ name }) => name)) : [];
  const top = TITLE + rows.length * KEYS;
  const keys = rows.flatMap((row, line) =>
    row.map(({ index, left }) => {
      const { name, tone, dashed } = drawing.series[index]!;
      const y = TITLE + line * KEYS + 8;
      return `<path class="line tone${tone}${dashed ? " dashed" : ""}" d="M${left} ${y}h16"/><text class="tick" x="${left + 22}" y="${y + 4}">${escapeHtml(name)}</text>`;
    }),
  );
  const [width, height] = [WIDTH, top + HEIGHT + EDGE];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="${FONT_FAMILY}" font-size="12">
<title>${escapeHtml(chart.title)}</title>
<desc>${escapeHtml(drawing.description)}</desc>
<style>${chartStyle((name) => colors[name])}</style>
<rect width="${width}" height="${height}" fill="${colors.card}"/>
<text x="${EDGE}" y="23" font-size="15" font-weight="600" fill="${colors.text}">${escapeHtml(chart.title)}</text>
${keys.join("\n")}
<g transform="translate(0 ${top})">${drawing.content}</g>
</svg>
`;
}

/** Keys beside one another, in as many rows as they need. */
function keyRows(names: readonly string[]): { index: number; left: number }[][] {
  const rows: { index: number; left: number }[][] = [[]];
  let left = EDGE;
  for (const [index, name] of names.entries()) {
    const width = 22 + name.length * LETTER + 18;
    if (left + width > WIDTH && rows.at(-1)!.length > 0) {
      rows.push([]);
      left = EDGE;
    }
    rows.at(-1)!.push({ index, left });
    left += width;
  }
  return rows;
}
