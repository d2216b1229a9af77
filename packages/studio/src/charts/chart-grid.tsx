import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useLoaded } from "../api.js";
import { count } from "../format.js";
import { useSetting } from "../settings.js";
import type { Curve, RunOverview, XAxis } from "../shared.js";
import { Chart } from "./chart.js";
import type { ChartSpec } from "./chart-specs.js";
import { type LoadedCurves, loadCurves } from "./curve-loader.js";
import { type Line, lineOf, meanLine } from "./lines.js";
import { loadedPart, type Zoom } from "./zoom.js";

/** A run in charts, or several that are drawn as one. */
export interface DrawnRun {
  label: string;
  tone: number;
  dashed: boolean;
  members: { id: string; overview: RunOverview }[];
}

interface Props {
  specs: readonly ChartSpec[];
  /** Several: each chart has one metric, and a line for each of them. */
  runs: readonly DrawnRun[];
  x: XAxis;
  zoom: Zoom;
  onZoom: (zoom: Zoom) => void;
}

/** Widths are asked for in steps, so that a few pixels more load nothing. */
const COLUMN_STEP = 200;

/** Charts beside each other, as many as there is room for. */
export function ChartGrid({ specs, ...props }: Props) {
  const [wide, setWide] = useState<string>();
  return (
    <div class="charts">
      {specs.map((spec) => (
        <LiveChart
          key={spec.title}
          spec={spec}
          isWide={wide === spec.title}
          onWide={() => setWide(wide === spec.title ? undefined : spec.title)}
          {...props}
        />
      ))}
    </div>
  );
}

/** A chart that loads its curves when it comes into view, and again as its runs go on. */
function LiveChart({
  spec,
  runs,
  x,
  zoom,
  onZoom,
  isWide,
  onWide,
}: Omit<Props, "specs"> & { spec: ChartSpec; isWide: boolean; onWide: () => void }) {
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  const [columns, setColumns] = useState(COLUMN_STEP * 2);
  const [smoothing] = useSetting("smoothing");
  useEffect(() => {
    const element = frame.current!;
    const views = new IntersectionObserver((entries) => setSeen(entries.at(-1)!.isIntersecting), {
      rootMargin: "300px",
    });
    views.observe(element);
    const sizes = new ResizeObserver(() =>
      setColumns(Math.max(1, Math.ceil(element.clientWidth / COLUMN_STEP)) * COLUMN_STEP),
    );
    sizes.observe(element);
    return () => {
      views.disconnect();
      sizes.disconnect();
    };
  }, []);

  const members = runs.flatMap((run) => run.members);
  const part = loadedPart(zoom);
  const wanted = {
    table: spec.table,
    x,
    from: part.from,
    to: part.to,
    columns: Math.round(columns * Math.min(4, part.share)),
    smoothing,
  };
  const metrics = spec.curves.map(({ metric }) => metric);
  const versions = members.map(({ overview }) => overview.versions[spec.table]).join();
  const load = useCallback(
    () => Promise.all(members.map(({ id }) => loadCurves({ ...wanted, run: id }, metrics))),
    [JSON.stringify([wanted, metrics, members.map(({ id }) => id)])],
  );
  // What is drawn stays until what is asked for now has come, so the key holds neither zoom nor smoothing.
  const [isWanted, setIsWanted] = useState(false);
  useEffect(() => {
    if (seen) setIsWanted(true);
  }, [seen]);
  const frozen = useRef("");
  const version = JSON.stringify([versions, wanted]);
  if (seen || frozen.current === "") frozen.current = version;
  const { data, error } = useLoaded(
    isWanted ? JSON.stringify([spec.table, metrics, members.map(({ id }) => id), x]) : undefined,
    frozen.current,
    load,
  );
  const lines = useMemo(() => (data ? linesOf(spec, runs, data) : []), [data, spec, runs]);
  const last = Math.max(0, ...(data ?? []).map((one) => one.last));
  return (
    <div ref={frame} class={isWide ? "chart-frame wide" : "chart-frame"}>
      <Chart
        spec={spec}
        lines={lines}
        last={last}
        x={x}
        zoom={zoom}
        onZoom={onZoom}
        note={error ?? noteOf(spec, runs)}
        isWide={isWide}
        onWide={onWide}
      />
    </div>
  );
}

function linesOf(spec: ChartSpec, runs: readonly DrawnRun[], loaded: readonly LoadedCurves[]): Line[] {
  const [only, ...others] = runs;
  if (only && others.length === 0 && only.members.length === 1)
    return spec.curves.flatMap(({ metric, label, tone }) =>
      loaded[0]?.curves[metric]
        ? [lineOf(unsmoothed(metric, loaded[0].curves[metric]), { label, tone })]
        : [],
    );
  const metric = spec.curves[0]!.metric;
  let next = 0;
  return runs.flatMap(({ label, tone, dashed, members }) => {
    const curves = members.flatMap(() => {
      const curve = loaded[next++]?.curves[metric];
      return curve ? [unsmoothed(metric, curve)] : [];
    });
    if (curves.length === 0) return [];
    const look = { label, tone, dashed };
    return [curves.length === 1 ? lineOf(curves[0]!, look) : meanLine(curves, look)];
  });
}

/** What follows a plan. */
const PLANNED: ReadonlySet<string> = new Set(["learning_rate", "gumbel_temperature"]);

/** A validation's value is a mean over a split already, and plans have no noise: they are drawn as they are. */
function unsmoothed(metric: string, curve: Curve): Curve {
  if (!metric.startsWith("eval/") && !PLANNED.has(metric)) return curve;
  const { smooth: _, ...rest } = curve;
  return rest;
}

/** What a curve cannot show. */
function noteOf({ curves, table }: ChartSpec, runs: readonly DrawnRun[]): string | undefined {
  const gaps = runs
    .flatMap(({ members }) => members)
    .flatMap(({ overview }) => curves.map(({ metric }) => overview[table][metric]?.gaps ?? 0))
    .reduce((sum, one) => sum + one, 0);
  if (gaps === 0) return undefined;
  return `${count(gaps)} ${gaps === 1 ? "value was" : "values were"} not a finite number, and left out.`;
}
