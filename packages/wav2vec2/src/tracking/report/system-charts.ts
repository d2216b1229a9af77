import type { Chart, Series } from "../../pages/charts/chart.js";
import { meanAndRange, type Point } from "../../pages/charts/curve.js";
import { toneAt } from "../../pages/colors.js";
import type { Rows } from "./metric-series.js";
import { trainedSeconds } from "./sections/run-sections.js";

interface Panel {
  title: string;
  /** Names of the metric; what is in parentheses tells several of a machine apart. */
  metric: RegExp;
  /** Whether each process has its own, or all of a machine have the same. */
  of: "process" | "host";
  /** What is added to the name of what the parentheses hold, such as `GPU 0`. */
  part?: string;
  /** From the metric's unit to the chart's. Default: 1 */
  factor?: number;
  /** Of a number that grows: how much a second. */
  rate?: true;
  /** Says nothing where it is 0 all the time. */
  quiet?: true;
}

/** Names of parts that do not say what they are. */
const PART_NAMES: Readonly<Record<string, string>> = {
  recv: "received",
  Heat: "heat",
  PowerBrake: "power brake",
};

const PANELS: readonly Panel[] = [
  { title: "GPU utilisation (%)", metric: /^gpu\.(\d+)\.gpu$/, of: "host", part: "GPU" },
  { title: "GPU memory in use (%)", metric: /^gpu\.(\d+)\.memoryAllocated$/, of: "host", part: "GPU" },
  { title: "GPU temperature (°C)", metric: /^gpu\.(\d+)\.temp$/, of: "host", part: "GPU" },
  { title: "GPU power (W)", metric: /^gpu\.(\d+)\.powerWatts$/, of: "host", part: "GPU" },
  { title: "GPU clock (MHz)", metric: /^gpu\.(\d+)\.smClock$/, of: "host", part: "GPU" },
  {
    title: "GPU throttled (1: yes)",
    metric: /^gpu\.(\d+)\.throttledBy(Heat|PowerBrake)$/,
    of: "host",
    part: "GPU",
    quiet: true,
  },
  { title: "CPU of the machine (%)", metric: /^cpu\.machine$/, of: "host" },
  { title: "CPU of the process (%)", metric: /^cpu$/, of: "process" },
  { title: "Memory of the machine in use (%)", metric: /^memory_percent$/, of: "host" },
  { title: "Memory of the process (GB)", metric: /^proc\.memory\.rssMB$/, of: "process", factor: 1e-3 },
  { title: "Swapped (MB/s)", metric: /^swap\.(in|out)MB$/, of: "host", part: "", rate: true, quiet: true },
  { title: "Disk in use (%)", metric: /^disk\.(.+)\.usagePercent$/, of: "host", part: "" },
  {
    title: "Disks read (in) and written (MB/s)",
    metric: /^disk\.(in|out)$/,
    of: "host",
    part: "",
    rate: true,
  },
  {
    title: "Network (MB/s)",
    metric: /^network\.(sent|recv)$/,
    of: "host",
    part: "",
    factor: 1e-6,
    rate: true,
  },
];
/** More curves than this cannot be told apart: their mean and range are drawn. */
const MOST_CURVES = 8;
/** From this many hours on the axis has hours. */
const LONG_HOURS = 2;

/**
 * Of several processes and machines, by the time that was trained.
 *
 * @param rows the lines of `system.jsonl`
 * @param longest seconds that the axis is to hold. Default: those of `rows`
 */
export function systemCharts(rows: Rows, longest = lastOf(trainedSeconds(rows))): Chart[] {
  const seconds = trainedSeconds(rows);
  const [axis, unit] = longest / 3600 >= LONG_HOURS ? ["hours", 3600] : ["minutes", 60];
  const hosts = new Set(rows.map(({ host }) => host));
  return PANELS.flatMap((panel): Chart[] => {
    const curves = curvesOf(panel, rows, seconds, hosts.size > 1);
    if (curves.size === 0) return [];
    const series = [...curves].map(([name, points], index): Series => {
      const values = panel.rate ? rates(points) : points;
      const { factor = 1 } = panel;
      return {
        name: name || "value",
        tone: toneAt(index),
        points: values.map(({ x, y }) => ({ x: x / unit, y: y * factor })),
      };
    });
    const isSilent = panel.quiet && series.every(({ points }) => points.every(({ y }) => y === 0));
    if (isSilent) return [];
    return [
      {
        title: panel.title,
        axis,
        format: "short",
        series: series.length > MOST_CURVES ? [meanOf(series)] : series,
      },
    ];
  });
}

function lastOf(seconds: readonly number[]): number {
  return seconds.at(-1) ?? 0;
}

/** One curve for several. */
export function meanOf(series: readonly Series[]): Series {
  const { points, range } = meanAndRange(series.map((one) => one.points));
  return { name: `mean of ${series.length}, lowest and highest`, tone: 1, points, range };
}

/** The values of a panel over seconds, by what they are of. Of a machine that several processes read, the lowest rank's count. */
function curvesOf(
  { metric, of, part }: Panel,
  rows: Rows,
  seconds: readonly number[],
  severalHosts: boolean,
): Map<string, Point[]> {
  const curves = new Map<string, { rank: number; points: Point[] }>();
  for (const [index, row] of rows.entries()) {
    const rank = typeof row.rank === "number" ? row.rank : 0;
    for (const [name, y] of Object.entries(row)) {
      const match = typeof y === "number" ? metric.exec(name) : null;
      if (!match) continue;
      const who = of === "process" ? `rank ${rank}` : severalHosts ? String(row.host) : "";
      const what =
        part === undefined
          ? ""
          : `${part} ${match
              .slice(1)
              .map((name) => PART_NAMES[name] ?? name)
              .join(" ")}`.trim();
      const key = [who, what].filter(Boolean).join(", ");
      const known = curves.get(key);
      if (!known || rank < known.rank) curves.set(key, { rank, points: [] });
      const curve = curves.get(key)!;
      if (rank === curve.rank) curve.points.push({ x: seconds[index]!, y: y as number });
    }
  }
  return new Map([...curves].map(([name, { points }]) => [name, points]));
}

/** How much a growing number grew a second, up to each point; a counter that began anew says nothing. */
function rates(points: readonly Point[]): Point[] {
  return points.slice(1).flatMap(({ x, y }, index) => {
    const before = points[index]!;
    return x > before.x && y >= before.y ? [{ x, y: (y - before.y) / (x - before.x) }] : [];
  });
}
