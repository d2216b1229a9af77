import { escapeHtml } from "../html.js";
import { renderTable } from "../table.js";
import { roundStep } from "./ticks.js";

export interface Bar {
  name: string;
  value: number;
  /** How uncertain it is. */
  interval?: { low: number; high: number };
  /** What is said where the bar is pointed at. */
  detail: string;
}

export interface BarChart {
  title: string;
  bars: readonly Bar[];
  format: (value: number) => string;
  /** What the bars are, below them. */
  axis: string;
}

const WIDTH = 520;
const HEIGHT = 250;
const MARGIN = { top: 12, right: 12, bottom: 40, left: 58 };
const TICKS = 5;
/** Names that fit below the bars, in characters for all of them together. */
const ROOM_FOR_NAMES = 62;

/** Columns from 0, with their intervals as whiskers, as one `<figure>` with inline SVG; nothing without bars. */
export function drawBarChart({ title, bars, format, axis }: BarChart): string {
  if (bars.length === 0) return "";
  const step = roundStep(
    Math.max(...bars.map(({ value, interval }) => Math.max(value, interval?.high ?? 0))),
    TICKS,
  );
  const top = Math.max(
    step,
    ...bars.map(({ value, interval }) => step * Math.ceil(Math.max(value, interval?.high ?? 0) / step)),
  );
  const inner = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const y = (value: number): string => (MARGIN.top + inner.height * (1 - value / top)).toFixed(1);
  const slot = inner.width / bars.length;
  const width = Math.min(56, slot * 0.64);
  const grid = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step).map(
    (tick) =>
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}"/>` +
      `<text class="tick" x="${MARGIN.left - 8}" y="${y(tick)}" dy="0.32em" text-anchor="end">${escapeHtml(format(tick))}</text>`,
  );
  const named = bars.reduce((sum, { name }) => sum + name.length + 1, 0) <= ROOM_FOR_NAMES;
  const columns = bars.map(({ name, value, interval, detail }, index) => {
    const middle = MARGIN.left + slot * (index + 0.5);
    const left = (middle - width / 2).toFixed(1);
    const whisker =
      interval &&
      `<path class="whisker" d="M${middle.toFixed(1)} ${y(interval.low)}V${y(interval.high)}` +
        `M${(middle - 4).toFixed(1)} ${y(interval.low)}h8m-8 0M${(middle - 4).toFixed(1)} ${y(interval.high)}h8"/>`;
    const label =
      named &&
      `<text class="tick" x="${middle.toFixed(1)}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${escapeHtml(name)}</text>`;
    return (
      `<g><title>${escapeHtml(detail)}</title>` +
      `<rect class="hit" x="${(middle - slot / 2).toFixed(1)}" y="${MARGIN.top}" width="${slot.toFixed(1)}" height="${inner.height}"/>` +
      `<rect class="bar" x="${left}" y="${y(value)}" width="${width.toFixed(1)}" height="${(Number(y(0)) - Number(y(value))).toFixed(1)}"/>` +
      `${whisker || ""}${label || ""}</g>`
    );
  });
  return `<figure>
<figcaption><b>${escapeHtml(title)}</b></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}"><desc>${escapeHtml(describe({ title, bars, axis, format }))}</desc>
${[...grid, ...columns].join("\n")}
<text class="tick" x="${WIDTH - MARGIN.right}" y="${HEIGHT - 4}" text-anchor="end">${escapeHtml(axis)}</text>
</svg>
${valueTable({ title, bars, axis, format })}
</figure>`;
}

function describe({ bars, axis, format }: BarChart): string {
  const byHeight = [...bars].sort((a, b) => a.value - b.value);
  const say = ({ name, value }: Bar): string => `${format(value)} at ${name}`;
  return `${bars.length} bars by ${axis}: lowest ${say(byHeight[0]!)}, highest ${say(byHeight.at(-1)!)}.`;
}

function valueTable({ title, bars, axis, format }: BarChart): string {
  const uncertain = bars.some(({ interval }) => interval);
  const table = renderTable({
    label: `Values of ${title}`,
    header: [axis, "value", ...(uncertain ? ["from", "to"] : [])].map(escapeHtml),
    rows: bars.map(({ name, value, interval }) => [
      escapeHtml(name),
      format(value),
      ...(interval ? [format(interval.low), format(interval.high)] : []),
    ]),
  });
  return `<details class="values"><summary>Values</summary>${table}</details>`;
}
