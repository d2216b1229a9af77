/** One curve of a chart. `tone` picks its colour from the page's stylesheet. */
export interface Series {
  name: string;
  tone: 1 | 2 | 3 | 4;
  points: readonly { x: number; y: number }[];
}

export interface Chart {
  title: string;
  series: readonly Series[];
  /** `log` falls back to linear where a value is not above 0. */
  scale?: "linear" | "log";
  /** Where a linear axis begins: at zero, or near the lowest value. */
  from?: "zero" | "lowest";
  format: (value: number) => string;
  /** A value to compare with, as a dashed line. */
  reference?: { name: string; value: number } | undefined;
  /** The values that are right, as a shaded band. */
  band?: { name: string; from: number; to: number } | undefined;
}

const WIDTH = 520;
const HEIGHT = 250;
const MARGIN = { top: 12, right: 24, bottom: 34, left: 58 };
/** More points than this cannot be told apart at the chart's width; neighbours are averaged. */
const MOST_POINTS = 400;
/** With more points than this, dots would hide their line. */
const MOST_DOTS = 40;

/** A line chart over steps as one `<figure>` with inline SVG; nothing when there is no point to draw. */
export function drawChart(chart: Chart): string {
  const series = chart.series
    .map((one) => ({ ...one, points: thin(one.points.filter(({ y }) => Number.isFinite(y))) }))
    .filter((one) => one.points.length > 0);
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) return "";
  const { reference, band } = chart;
  const marks = [...(reference ? [reference.value] : []), ...(band ? [band.from, band.to] : [])];
  const values = [...points.map(({ y }) => y), ...marks];
  const log = chart.scale === "log" && values.every((value) => value > 0);
  const yTicks = log ? logTicks(values) : linearTicks(chart.from === "lowest" ? values : [0, ...values], 5);
  const xTicks = linearTicks([0, ...points.map(({ x }) => x)], 6);
  const last = Math.max(...points.map(({ x }) => x), 1);
  const x = scale([0, last], [MARGIN.left, WIDTH - MARGIN.right]);
  const transform = log ? Math.log10 : (value: number) => value;
  const y = scale([transform(yTicks[0]!), transform(yTicks.at(-1)!)], [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const place = (point: { x: number; y: number }): string =>
    `${x(point.x).toFixed(1)} ${y(transform(point.y)).toFixed(1)}`;

  const height = (value: number): number => y(transform(value));
  const right = WIDTH - MARGIN.right;
  const shaded =
    band &&
    `<rect class="band" x="${MARGIN.left}" width="${right - MARGIN.left}" y="${height(band.to).toFixed(1)}" ` +
      `height="${(height(band.from) - height(band.to)).toFixed(1)}"/>`;
  const dashed =
    reference &&
    `<path class="reference" d="M${MARGIN.left} ${height(reference.value).toFixed(1)}H${right}"/>`;
  const notes = [
    band && note(band.name, height(band.to) + 14),
    reference && note(reference.name, height(reference.value) - 5),
  ];
  const grid = yTicks.map((tick) => {
    const at = height(tick).toFixed(1);
    return (
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}"/>` +
      `<text class="tick" x="${MARGIN.left - 8}" y="${at}" dy="0.32em" text-anchor="end">${escapeHtml(chart.format(tick))}</text>`
    );
  });
  const steps = xTicks
    .filter((tick) => tick <= last)
    .map(
      (tick) =>
        `<text class="tick" x="${x(tick).toFixed(1)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${tick.toLocaleString("en")}</text>`,
    );
  const curves = series.map((one) => {
    const line = `<polyline class="line tone${one.tone}" points="${one.points.map(place).join(" ")}"/>`;
    const dots = one.points.map((point) => {
      const [cx, cy] = place(point).split(" ");
      const label = escapeHtml(`step ${point.x.toLocaleString("en")}: ${one.name} ${chart.format(point.y)}`);
      const look = one.points.length > MOST_DOTS ? "hit" : `dot tone${one.tone}`;
      return `<circle class="${look}" cx="${cx}" cy="${cy}" r="${look === "hit" ? 6 : 3}"><title>${label}</title></circle>`;
    });
    return line + dots.join("");
  });
  const legend = series
    .map((one) => `<span class="key tone${one.tone}">${escapeHtml(one.name)}</span>`)
    .join("");
  return `<figure>
<figcaption><b>${escapeHtml(chart.title)}</b>${series.length > 1 ? legend : ""}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(chart.title)} over training steps">
${[shaded, ...grid, ...steps, dashed, ...curves, ...notes].filter(Boolean).join("\n")}
<text class="tick" x="${WIDTH - MARGIN.right}" y="${HEIGHT - 2}" text-anchor="end">step</text>
</svg>
</figure>`;
}

/** What a line or band of the drawing is, at its right end. */
function note(name: string, at: number): string {
  // Under the upper edge there is no room above a line.
  const below = at < MARGIN.top ? at + 18 : at;
  return `<text class="tick note" x="${WIDTH - MARGIN.right - 4}" y="${below.toFixed(1)}" text-anchor="end">${escapeHtml(name)}</text>`;
}

/** Makes text safe as HTML content and as an attribute's value. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}

function scale(from: [number, number], to: [number, number]): (value: number) => number {
  const width = from[1] - from[0] || 1;
  return (value) => to[0] + ((value - from[0]) / width) * (to[1] - to[0]);
}

/** About `count` round numbers that enclose all of `values`. */
function linearTicks(values: readonly number[], count: number): number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const rough = (high - low || Math.abs(high) || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999)!;
  const ticks: number[] = [];
  // Multiplying, not adding up, keeps 0.3 from becoming 0.30000000000000004.
  for (let index = Math.floor(low / step); ; index++) {
    ticks.push(Number((index * step).toPrecision(12)));
    if (index * step >= high) return ticks;
  }
}

/** 1, 2 and 5 times powers of ten, or powers of ten alone over many decades, that enclose all of `values`. */
function logTicks(values: readonly number[]): number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const decades = Math.log10(high / low);
  const factors = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.ceil(Math.log10(high)) + 1; power++) {
    for (const factor of factors) all.push(Number((factor * 10 ** power).toPrecision(12)));
  }
  const first = all.findLastIndex((tick) => tick <= low);
  const last = all.findIndex((tick) => tick >= high);
  return all.slice(first, Math.max(last, first + 1) + 1);
}

function thin(points: Series["points"]): Series["points"] {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const bucket = points.slice(index * size, (index + 1) * size);
    const mean = bucket.reduce((sum, { y }) => sum + y, 0) / bucket.length;
    return { x: bucket.at(-1)!.x, y: mean };
  });
}
