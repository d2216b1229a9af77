import uPlot from "uplot";
import type { XAxis } from "../shared.js";
import { incrementsOf, tickText } from "./axes.js";
import type { ChartSpec } from "./chart-specs.js";
import type { Line } from "./lines.js";
import { within, type Zoom, zoomAround } from "./zoom.js";

export interface PlotOptions extends Pick<ChartSpec, "zero" | "format" | "reference" | "band"> {
  x: XAxis;
  log: boolean;
  height: number;
}

/** What a plot asks of the page around it. */
export interface PlotEvents {
  /** Where the pointer is, as values of the lines there; undefined where it is elsewhere. */
  onPoint(at: { x: number; values: (number | undefined)[] } | undefined): void;
  onZoom(zoom: Zoom): void;
}

/** With more points than this, dots would hide their line. */
const MOST_DOTS = 40;
const FONT = "12px system-ui, sans-serif";
/** Behind its average, a curve is this much fainter (two hexadecimal digits of opacity). */
const FAINT = "38";
const RANGE_OPACITY = "4d";
const TONES = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
/** Charts with the same word move their cursors together. */
const SYNC = "run";

/** The drawing of some lines in an element, with zooming, panning and a cursor that all charts of the page share. */
export class Plot {
  readonly #plot: uPlot;
  #zoom: Zoom;
  #lines: readonly Line[];
  #last: number;

  /** @param last the end of the x axis */
  constructor(
    readonly element: HTMLElement,
    lines: readonly Line[],
    last: number,
    readonly options: PlotOptions,
    zoom: Zoom,
    readonly events: PlotEvents,
  ) {
    this.#lines = lines;
    this.#last = last;
    this.#zoom = zoom;
    this.#plot = new uPlot(this.#uplotOptions(), alignedData(lines), element);
    this.#plot.over.addEventListener("wheel", this.#wheel, { passive: false });
    for (const name of ["pointerdown", "pointermove"] as const)
      this.#plot.over.addEventListener(name, this.#touch);
  }

  /** Whether other lines can be drawn without a new plot. */
  fits(lines: readonly Line[]): boolean {
    return looksOf(lines) === looksOf(this.#lines);
  }

  setLines(lines: readonly Line[], last: number): void {
    this.#lines = lines;
    this.#last = last;
    this.#plot.setData(alignedData(lines));
  }

  setZoom(zoom: Zoom): void {
    this.#zoom = zoom;
    const [min, max] = this.#shown();
    this.#plot.setScale("x", { min, max });
  }

  setSize(width: number, height: number): void {
    if (width !== this.#plot.width || height !== this.#plot.height) this.#plot.setSize({ width, height });
  }

  /** Moves the cursor by so many points of the lines. */
  moveCursor(points: number): void {
    const xs = this.#plot.data[0];
    if (xs.length === 0) return;
    const [min, max] = this.#shown();
    const [first, last] = [this.#plot.valToIdx(min), this.#plot.valToIdx(max)];
    const now = this.#plot.cursor.idx ?? (points > 0 ? first - 1 : last + 1);
    const index = Math.min(last, Math.max(first, now + points));
    this.#plot.setCursor({
      left: this.#plot.valToPos(xs[index]!, "x"),
      top: this.#plot.over.clientHeight / 2,
    });
  }

  /** Zooms around the cursor, or the middle. */
  zoomBy(factor: number): void {
    const [from, to] = this.#shown();
    const { left = -1 } = this.#plot.cursor;
    const at = left >= 0 ? this.#plot.posToVal(left, "x") : (from + to) / 2;
    this.events.onZoom(zoomAround({ from, to }, at, factor, this.#whole()));
  }

  /** Moves by a share of what is seen. */
  panBy(share: number): void {
    const [from, to] = this.#shown();
    const by = (to - from) * share;
    const moved = within({ from: from + by, to: to + by }, this.#whole());
    if (moved) this.events.onZoom(moved);
  }

  destroy(): void {
    this.#plot.destroy();
  }

  /** From where training begins to where the run is. */
  #whole(): { from: number; to: number } {
    return { from: 0, to: this.#last > 0 ? this.#last : 1 };
  }

  #shown(): [number, number] {
    const { from, to } = this.#zoom ?? this.#whole();
    return [from, to];
  }

  readonly #wheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return; // scrolls the page; pinching comes with ctrlKey
    event.preventDefault();
    const [from, to] = this.#shown();
    const at = this.#plot.posToVal(event.offsetX, "x");
    this.events.onZoom(zoomAround({ from, to }, at, Math.exp(event.deltaY * 0.004), this.#whole()));
  };

  /** uPlot listens to the mouse alone. */
  readonly #touch = (event: PointerEvent): void => {
    if (event.pointerType === "mouse") return;
    const box = this.#plot.over.getBoundingClientRect();
    this.#plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top });
  };

  #pan(event: MouseEvent): void {
    event.preventDefault();
    const [from, to] = this.#shown();
    const perPixel = (to - from) / this.#plot.over.clientWidth;
    const whole = this.#whole();
    const move = (now: MouseEvent): void => {
      const by = (event.clientX - now.clientX) * perPixel;
      const moved = within({ from: from + by, to: to + by }, whole);
      if (moved) this.events.onZoom(moved);
    };
    const end = (): void => {
      removeEventListener("mousemove", move);
      removeEventListener("mouseup", end);
    };
    addEventListener("mousemove", move);
    addEventListener("mouseup", end);
  }

  #uplotOptions(): uPlot.Options {
    const { x, log, height, format } = this.options;
    const color = colorsOf(this.element);
    const [soft, line] = [color("soft"), color("line")];
    const isLog = log && isPositive(this.#lines, this.options);
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    for (const one of this.#lines) {
      const stroke = color(TONES[one.tone - 1]!);
      const dash = one.dashed ? { dash: [6, 4] } : {};
      const dots = { points: { show: one.x.length <= MOST_DOTS, size: 5, fill: stroke } };
      if (one.low && one.high) {
        const at = series.length;
        series.push({ stroke, width: 2, ...dash, ...dots });
        for (let edge = 0; edge < 2; edge++)
          series.push({ stroke: "transparent", width: 1, points: { show: false } });
        bands.push({ series: [at + 2, at + 1], fill: stroke + RANGE_OPACITY });
      } else if (one.smooth) {
        series.push({ stroke: stroke + FAINT, width: 1.5, points: { show: false } });
        series.push({ stroke, width: 2, ...dash, ...dots });
      } else {
        series.push({ stroke, width: 2, ...dash, ...dots });
      }
    }
    return {
      width: Math.max(100, this.element.clientWidth),
      height,
      series,
      bands,
      legend: { show: false },
      padding: [10, 14, 0, 0],
      cursor: {
        sync: { key: SYNC, setSeries: false, scales: ["x", null] },
        drag: { x: true, y: false, setScale: false, dist: 4 },
        points: { size: 7 },
        y: false,
        bind: {
          mousedown: (_plot, _target, handler) => (event) => {
            if (event.button === 0 && event.shiftKey) this.#pan(event);
            else handler(event);
            return null;
          },
          dblclick: () => () => {
            this.events.onZoom(undefined);
            return null;
          },
        },
      },
      scales: {
        x: { time: false, range: () => this.#shown() },
        y: {
          distr: isLog ? 3 : 1,
          range: (_plot, low, high) => this.#heights(low, high, isLog),
        },
      },
      axes: [
        {
          stroke: soft,
          font: FONT,
          size: 30,
          gap: 4,
          grid: { show: false },
          ticks: { show: false },
          space: 70,
          incrs: incrementsOf(x),
          values: (_plot, splits, _axis, _space, increment) =>
            splits.map((value) => tickText(x, value, increment)),
        },
        {
          stroke: soft,
          font: FONT,
          size: 58,
          gap: 6,
          grid: { stroke: line, width: 1 },
          ticks: { show: false },
          space: 34,
          // Of powers of ten alone, a short axis would have one mark.
          ...(isLog && {
            splits: (_plot, _axis, min, max) => logMarks(min, max),
            filter: (_plot, splits) => splits,
          }),
          values: (_plot, splits) => splits.map((value) => (value === null ? "" : format(value))),
        },
      ],
      hooks: {
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width > 4)
              this.events.onZoom({ from: plot.posToVal(left, "x"), to: plot.posToVal(left + width, "x") });
            plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          },
        ],
        setCursor: [(plot) => this.events.onPoint(this.#pointed(plot))],
        drawClear: [(plot) => this.#drawBand(plot, color("good"), soft)],
        draw: [(plot) => this.#drawReference(plot, soft, color("card"))],
      },
    };
  }

  /** The y axis: what is seen, with what it is compared to, and a little air. */
  #heights(low: number | null, high: number | null, isLog: boolean): [number, number] {
    const { reference, zero } = this.options;
    let [min, max] = [low ?? 0, high ?? 1];
    if (reference) [min, max] = [Math.min(min, reference.value), Math.max(max, reference.value)];
    if (isLog) {
      if (min === max) [min, max] = [min / 2, max * 2];
      const air = (max / min) ** 0.05;
      return [min / air, max * air];
    }
    if (zero && min > 0) min = 0;
    if (min === max) return min === 0 ? [0, 1] : [min - Math.abs(min) * 0.1, max + Math.abs(max) * 0.1];
    const air = (max - min) * 0.05;
    return [zero && min === 0 ? 0 : min - air, max + air];
  }

  #pointed(plot: uPlot): { x: number; values: (number | undefined)[] } | undefined {
    const { idx, idxs = [] } = plot.cursor;
    if (idx == null) return undefined;
    let at = 1;
    const values = this.#lines.map((line) => {
      const first = at;
      at += line.low ? 3 : line.smooth ? 2 : 1;
      const index = idxs[first] ?? idx;
      return plot.data[first]?.[index] ?? undefined;
    });
    return { x: plot.data[0][idx]!, values };
  }

  #drawBand(plot: uPlot, fill: string, ink: string): void {
    const { band } = this.options;
    if (!band) return;
    const { ctx, bbox } = plot;
    const [top, bottom] = [band.to, band.from].map((value) => {
      const at = plot.valToPos(value, "y", true);
      return Math.min(bbox.top + bbox.height, Math.max(bbox.top, Number.isFinite(at) ? at : bbox.top));
    }) as [number, number];
    if (bottom <= top) return;
    ctx.save();
    ctx.fillStyle = `${fill}20`;
    ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    label(plot, band.name, top + 14 * uPlot.pxRatio, ink);
    ctx.restore();
  }

  #drawReference(plot: uPlot, ink: string, ground: string): void {
    const { reference } = this.options;
    if (!reference) return;
    const { ctx, bbox } = plot;
    const at = plot.valToPos(reference.value, "y", true);
    if (!(at >= bbox.top && at <= bbox.top + bbox.height)) return;
    ctx.save();
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1.5 * uPlot.pxRatio;
    ctx.setLineDash([6 * uPlot.pxRatio, 5 * uPlot.pxRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, at);
    ctx.lineTo(bbox.left + bbox.width, at);
    ctx.stroke();
    const below = at < bbox.top + 16 * uPlot.pxRatio;
    label(plot, reference.name, at + (below ? 15 : -6) * uPlot.pxRatio, ink, ground);
    ctx.restore();
  }
}

/** Small text at the right end of a drawing. */
function label(plot: uPlot, text: string, at: number, ink: string, ground?: string): void {
  const { ctx, bbox } = plot;
  ctx.font = FONT.replace("12", String(12 * uPlot.pxRatio));
  ctx.textAlign = "right";
  ctx.textBaseline = "alphabetic";
  const x = bbox.left + bbox.width - 4 * uPlot.pxRatio;
  if (ground) {
    ctx.setLineDash([]);
    ctx.lineJoin = "round";
    ctx.lineWidth = 4 * uPlot.pxRatio;
    ctx.strokeStyle = ground;
    ctx.strokeText(text, x, at);
  }
  ctx.fillStyle = ink;
  ctx.fillText(text, x, at);
}

/** The lines over one x axis: values where a line has none are no gaps of it. */
function alignedData(lines: readonly Line[]): uPlot.AlignedData {
  const tables = lines.map(
    ({ x, y, smooth, low, high }) =>
      (low && high ? [x, y, low, high] : smooth ? [x, y, smooth] : [x, y]) as uPlot.AlignedData,
  );
  if (tables.length === 0) return [[]];
  return tables.length === 1 ? tables[0]! : uPlot.join(tables);
}

/** What of some lines a plot is made for. */
function looksOf(lines: readonly Line[]): string {
  return lines
    .map(({ tone, dashed, smooth, low, x }) =>
      [tone, dashed, smooth !== undefined, low !== undefined, x.length <= MOST_DOTS].join(),
    )
    .join(";");
}

/** 1, 2 and 5 times powers of ten, or fewer over many decades, between two values; where these are close, other round ones. */
function logMarks(min: number, max: number): number[] {
  const decades = Math.log10(max / min);
  const factors = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const first = Math.floor(Math.log10(min));
  const powers = Array.from({ length: Math.ceil(decades) + 2 }, (_, index) => 10 ** (first + index));
  const marks = powers
    .flatMap((power) => factors.map((factor) => Number((factor * power).toPrecision(12))))
    .filter((mark) => mark >= min && mark <= max);
  if (marks.length > 2) return marks;
  const rough = (max - min) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.floor(max / step) - Math.ceil(min / step) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) =>
    Number(((Math.ceil(min / step) + index) * step).toPrecision(12)),
  );
}

/** A logarithmic axis has no place for other values. */
function isPositive(lines: readonly Line[], { reference }: PlotOptions): boolean {
  return (
    lines.every(({ y }) => y.every((value) => value === null || value > 0)) &&
    (reference === undefined || reference.value > 0)
  );
}

/** Colours of the stylesheet by name, with six digits. */
function colorsOf(element: HTMLElement): (name: string) => string {
  const style = getComputedStyle(element);
  return (name) => {
    const color = style.getPropertyValue(`--${name}`).trim();
    return color.length === 4 ? `#${[...color.slice(1)].map((digit) => digit + digit).join("")}` : color;
  };
}
