import type { Profile } from "@wav2vec2/libtorch";
import { FONT_FAMILY } from "../pages/charts/raster.js";
import { linearTicks } from "../pages/charts/ticks.js";
import { COLORS, TONES } from "../pages/colors.js";
import { escapeHtml } from "../pages/html.js";

const [WIDTH, HEIGHT] = [1080, 420];
const MARGIN = { left: 70, right: 20, top: 48, bottom: 44 };
const PLOT = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
/** Moments that are drawn. */
const COLUMNS = PLOT.width / 2;
/** Places with a colour of their own; the others are one. */
const MOST = 20;
const ROW = 18;
const MB = 1e6;

interface Layer {
  name: string;
  /** Of each column, at its fullest moment. */
  bytes: number[];
  atPeak: number;
  seconds: number;
}

/**
 * What a step holds, over its time, by the operator that made it and its module, as SVG: an area for each, those that hold
 * most at the fullest moment lowest. The transformer's layers are one.
 */
export function memoryPicture(profile: Profile): string {
  const { layers, columnSeconds, peak, peakColumn } = stack(profile);
  const top = linearTicks([0, peak / MB], 5);
  const x = (column: number) => MARGIN.left + (column / COLUMNS) * PLOT.width;
  const y = (bytes: number) => MARGIN.top + PLOT.height * (1 - bytes / MB / top.at(-1)!);
  const below = new Array<number>(COLUMNS).fill(0);
  const areas = layers.map(({ bytes, name }, index) => {
    const edge = (values: readonly number[]) =>
      values.flatMap((value, column) => [
        `${x(column).toFixed(0)},${y(value).toFixed(1)}`,
        `${x(column + 1).toFixed(0)},${y(value).toFixed(1)}`,
      ]);
    const lower = edge(below);
    for (const [column, value] of bytes.entries()) below[column]! += value;
    const points = [...edge(below), ...lower.reverse()];
    return `<polygon points="${points.join(" ")}" fill="${colorOf(index)}" fill-opacity="${opacityOf(index)}"><title>${escapeHtml(name)}</title></polygon>`;
  });
  const { text, soft, line, card, bad } = COLORS.light;
  const marks = top.map(
    (tick) =>
      `<path d="M${MARGIN.left} ${y(tick * MB)}h${PLOT.width}" stroke="${line}"/><text x="${MARGIN.left - 8}" y="${y(tick * MB) + 4}" text-anchor="end">${tick.toLocaleString("en")} MB</text>`,
  );
  const times = linearTicks([0, columnSeconds * COLUMNS], 8)
    .filter((tick) => tick <= columnSeconds * COLUMNS)
    .map(
      (tick) =>
        `<text x="${x(tick / columnSeconds)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${tick} s</text>`,
    );
  const keys = layers.map(({ name, atPeak, seconds }, index) => {
    const at = HEIGHT + index * ROW;
    return `<rect x="${MARGIN.left}" y="${at - 10}" width="12" height="12" fill="${colorOf(index)}" fill-opacity="${opacityOf(index)}"/><text x="${MARGIN.left + 90}" y="${at}" text-anchor="end">${(atPeak / MB).toFixed(0)} MB</text><text x="${MARGIN.left + 150}" y="${at}" text-anchor="end">${seconds.toFixed(2)} s</text><text x="${MARGIN.left + 164}" y="${at}">${escapeHtml(name)}</text>`;
  });
  const height = HEIGHT + layers.length * ROW + 8;
  const when = `${((peakColumn + 0.5) * columnSeconds).toPrecision(3)} s`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="${FONT_FAMILY}" font-size="12" fill="${text}">
<title>Memory of a step</title>
<rect width="${WIDTH}" height="${height}" fill="${card}"/>
<text x="${MARGIN.left}" y="20" font-size="15" font-weight="600">Memory of a step: ${(peak / MB).toFixed(0)} MB at its highest, after ${when}</text>
<text x="${MARGIN.left}" y="38" fill="${soft}">Large blocks on the CPU. Below: held at that moment, how long the operator ran in the step, its module and name.</text>
${marks.join("\n")}
${areas.join("\n")}
<path d="M${x(peakColumn + 0.5)} ${MARGIN.top}v${PLOT.height}" stroke="${bad}" stroke-dasharray="4 3"/>
${times.join("\n")}
${keys.join("\n")}
</svg>
`;
}

function stack({ before, places, changes }: Profile) {
  const duration = changes.at(-1)?.seconds ?? 0;
  const columnSeconds = duration / COLUMNS || 1;
  const names = places.map(({ module, operator }, index) =>
    index === 0 ? "from before: weights and the optimiser's moments" : nameOf(module, operator),
  );
  const held = new Map<string, number>(names.map((name) => [name, 0]));
  held.set(names[0]!, before);
  const columns: { total: number; held: Map<string, number> }[] = [];
  let [total, peak, atPeak, peakColumn] = [before, 0, held, 0];
  for (const { seconds, bytes, place } of changes) {
    const column = Math.min(COLUMNS - 1, Math.floor(seconds / columnSeconds));
    // What is held at a column's beginning, where nothing changes in it.
    while (columns.length <= column) columns.push({ total, held: new Map(held) });
    held.set(names[place]!, held.get(names[place]!)! + bytes);
    total += bytes;
    if (total > columns[column]!.total) columns[column] = { total, held: new Map(held) };
    if (total > peak) [peak, atPeak, peakColumn] = [total, columns[column]!.held, column];
  }
  const secondsOf = new Map<string, number>();
  for (const [index, { seconds }] of places.entries())
    secondsOf.set(names[index]!, (secondsOf.get(names[index]!) ?? 0) + seconds);
  const all = [...held.keys()]
    .map(
      (name): Layer => ({
        name,
        atPeak: atPeak.get(name)!,
        seconds: secondsOf.get(name)!,
        bytes: columns.map((column) => column.held.get(name)!),
      }),
    )
    .sort((a, b) => Math.max(...b.bytes) - Math.max(...a.bytes));
  const own = all.slice(0, MOST).sort((a, b) => b.atPeak - a.atPeak);
  const others = all.slice(MOST);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const rest: Layer = {
    name: "everything else",
    atPeak: sum(others.map((layer) => layer.atPeak)),
    seconds: sum(others.map((layer) => layer.seconds)),
    bytes: columns.map((_, column) => sum(others.map((layer) => layer.bytes[column]!))),
  };
  return { layers: others.length > 0 ? [...own, rest] : own, columnSeconds, peak, peakColumn };
}

/** `AddmmBackward0 of encoder.layers.*.feedForward.outputDense` */
function nameOf(module: string, operator: string): string {
  const layer = module.replace(/(encoder\.layers)\.\d+/, "$1.*");
  const name = operator.replace(/^aten::/, "").replace(/^.*::(\w+)>?$/, "$1");
  return `${layer === "" ? "outside of modules" : layer}: ${name === "" ? "the bridge" : name}`;
}

const colorOf = (index: number) => COLORS.light[TONES[index % TONES.length]!];
const opacityOf = (index: number) => [0.85, 0.5, 0.25][Math.floor(index / TONES.length)] ?? 0.15;
