import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { NumbersTable } from "../numbers-table.js";
import type { XAxis } from "../shared.js";
import { useScheme } from "../theme.js";
import { placeText, X_AXES } from "./axes.js";
import type { ChartSpec } from "./chart-specs.js";
import { type Line, tableOf } from "./lines.js";
import { Plot } from "./plot.js";
import type { Zoom } from "./zoom.js";

interface Props {
  spec: ChartSpec;
  lines: readonly Line[];
  /** The end of the x axis, the same for all charts of a run. */
  last: number;
  x: XAxis;
  zoom: Zoom;
  onZoom: (zoom: Zoom) => void;
  /** That is said below: what is not drawn. */
  note?: string | undefined;
  isWide: boolean;
  onWide: () => void;
}

const HEIGHT = 230;
const WIDE_HEIGHT = 420;

/** A chart with its legend, which also tells the values under the cursor, and the same as a table. */
export function Chart({ spec, lines, last, x, zoom, onZoom, note, isWide, onWide }: Props) {
  const [log, setLog] = useState(spec.log === true);
  const [showsTable, setShowsTable] = useState(false);
  const [point, setPoint] = useState<{ x: number; values: (number | undefined)[] }>();
  const [isReading, setIsReading] = useState(false);
  const scheme = useScheme();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(undefined);
  const current = useRef({ onZoom, zoom, lines });
  current.current = { onZoom, zoom, lines };
  const id = useId();
  const height = isWide ? WIDE_HEIGHT : HEIGHT;
  const { format, title, reference, band, zero } = spec;
  // A plot is made anew where what it is made for changes; new values are put into it.
  const look = JSON.stringify([log, x, scheme, reference, band, zero]);
  const made = useRef("");

  useEffect(() => {
    const element = holder.current!;
    const watch = new ResizeObserver(() => plot.current?.setSize(element.clientWidth, height));
    watch.observe(element);
    plot.current?.setSize(element.clientWidth, height);
    return () => watch.disconnect();
  }, [height]);
  useEffect(() => {
    if (plot.current && made.current === look && plot.current.fits(lines)) {
      plot.current.setLines(lines, last);
      return;
    }
    plot.current?.destroy();
    plot.current = undefined;
    if (lines.length === 0) return; // nothing is drawn twice
    made.current = look;
    plot.current = new Plot(
      holder.current!,
      lines,
      last,
      { x, log, height, format, reference, band: band as NonNullable<typeof band>, zero: zero === true },
      current.current.zoom,
      { onPoint: setPoint, onZoom: (next) => current.current.onZoom(next) },
    );
  }, [lines, last, look]);
  useEffect(() => plot.current?.setZoom(zoom), [zoom]);
  useEffect(
    () => () => {
      plot.current?.destroy();
      plot.current = undefined;
    },
    [],
  );

  const latest = useMemo(
    () => lines.map(({ y }) => y.findLast((value) => value !== null) ?? undefined),
    [lines],
  );
  const values = point?.values ?? latest;
  const valueText = (value: number | undefined): string => (value === undefined ? "–" : format(value));
  const said =
    isReading && point
      ? `${placeText(x, point.x)}: ${lines.map(({ label }, index) => `${label} ${valueText(values[index])}`).join(", ")}`
      : "";

  const keys: Record<string, () => void> = {
    ArrowLeft: () => plot.current?.moveCursor(-1),
    ArrowRight: () => plot.current?.moveCursor(1),
    PageUp: () => plot.current?.moveCursor(-10),
    PageDown: () => plot.current?.moveCursor(10),
    Home: () => plot.current?.moveCursor(Number.NEGATIVE_INFINITY),
    End: () => plot.current?.moveCursor(Number.POSITIVE_INFINITY),
    "+": () => plot.current?.zoomBy(1 / 2),
    "=": () => plot.current?.zoomBy(1 / 2),
    "-": () => plot.current?.zoomBy(2),
    "0": () => onZoom(undefined),
    "Shift+ArrowLeft": () => plot.current?.panBy(-0.25),
    "Shift+ArrowRight": () => plot.current?.panBy(0.25),
    l: () => setLog(!log),
    t: () => setShowsTable(!showsTable),
    f: onWide,
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
    const act = keys[key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    setIsReading(true);
    act();
  };

  return (
    <figure class={isWide ? "chart wide" : "chart"} aria-labelledby={`${id}-title`}>
      <figcaption>
        <h3 id={`${id}-title`}>{title}</h3>
        <span class="chart-tools">
          <button
            type="button"
            class="small"
            aria-pressed={log}
            title="Logarithmic axis (L)"
            onClick={() => setLog(!log)}
          >
            log
          </button>
          <button
            type="button"
            class="small"
            aria-expanded={showsTable}
            aria-controls={`${id}-table`}
            title="The values as a table (T)"
            onClick={() => setShowsTable(!showsTable)}
          >
            table
          </button>
          <button
            type="button"
            class="small"
            aria-pressed={isWide}
            title="Over the whole width (F)"
            onClick={onWide}
          >
            wide
          </button>
        </span>
        <span class="legend" aria-hidden="true">
          {lines.map(({ label, tone, dashed }, index) => (
            <span key={label} class={`key tone${tone}${dashed ? " dashed" : ""}`}>
              {label} <b>{valueText(values[index])}</b>
            </span>
          ))}
        </span>
      </figcaption>
      {/* biome-ignore lint/a11y/useSemanticElements: a canvas is drawn into it, which no element stands for */}
      <div
        ref={holder}
        class="plot"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys read the values, zoom and move
        tabIndex={0}
        role="group"
        aria-roledescription="chart"
        aria-label={`${title} by ${X_AXES[x].name}. ${lines.map(({ label }, index) => `${label}: newest ${valueText(latest[index])}`).join(", ")}. Arrow keys read values, T shows a table.`}
        onKeyDown={onKeyDown}
        onBlur={() => setIsReading(false)}
      />
      <span class="place" aria-hidden="true">
        {point ? placeText(x, point.x) : X_AXES[x].name}
      </span>
      <span class="unseen" aria-live="polite">
        {said}
      </span>
      {note && <p class="note">{note}</p>}
      <div id={`${id}-table`} class="scroll" hidden={!showsTable}>
        {showsTable && <ValueTable title={title} lines={lines} x={x} valueText={valueText} />}
      </div>
    </figure>
  );
}

function ValueTable({
  title,
  lines,
  x,
  valueText,
}: {
  title: string;
  lines: readonly Line[];
  x: XAxis;
  valueText: (value: number | undefined) => string;
}) {
  return (
    <NumbersTable caption={title} first={X_AXES[x].name} others={lines.map(({ label }) => label)}>
      {tableOf(lines).map((row) => (
        <tr key={row.x}>
          <th scope="row">{placeText(x, row.x).replace(/^step /, "")}</th>
          {row.values.map((value, index) => (
            <td key={lines[index]!.label}>{valueText(value)}</td>
          ))}
        </tr>
      ))}
    </NumbersTable>
  );
}
