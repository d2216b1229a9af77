import { firstIndex, GrowingColumn, type MetricColumn, type MetricTable } from "./metric-table.js";
import type { Curve, XAxis } from "./protocol.js";

export interface CurveOptions {
  x: XAxis;
  /** What is looked at; points beside it are given as far as lines lead there. Default: all */
  from?: number | undefined;
  to?: number | undefined;
  /** Pixels that the curve is drawn over. */
  columns: number;
  /** The moving average's weight of what was before, from 0 to below 1. Default: 0, none */
  smoothing?: number | undefined;
}

/** Decimals beyond this many digits cannot be seen, and make answers long. */
const DIGITS = 6;

/**
 * A metric of a table as it can be drawn: of the points in each column of pixels the first, the lowest, the highest and the
 * last, which gives the same picture as all of them (M4: Jugel et al., VLDB 2014, https://doi.org/10.14778/2732951.2732953).
 */
export function curveOf(
  table: MetricTable,
  name: string,
  options: CurveOptions,
  averages: MovingAverages = new MovingAverages(),
): Curve | undefined {
  const column = table.columns.get(name);
  if (column === undefined || column.rows.length === 0) return undefined;
  const {
    x,
    from = Number.NEGATIVE_INFINITY,
    to = Number.POSITIVE_INFINITY,
    columns,
    smoothing = 0,
  } = options;
  const axis = table.axis(x);
  const rows = column.rows.values;
  const values = column.values.values;
  const at = (index: number): number => axis[rows[index]!]!;
  const first = Math.max(0, firstIndex(at, rows.length, (value) => value >= from) - 1);
  const behind = Math.min(rows.length, firstIndex(at, rows.length, (value) => value > to) + 1);
  const indices = telling(at, values, first, behind, columns);
  const smooth = smoothing > 0 ? averages.of(name, column, smoothing, table.generation).values : undefined;
  return {
    x: indices.map((index) => rounded(at(index))),
    y: indices.map((index) => finite(values[index]!)),
    ...(smooth && { smooth: indices.map((index) => finite(smooth[index]!)) }),
    count: behind - first,
  };
}

/** Indices from `first` to `behind` that a drawing `columns` pixels wide needs. Of values that are not finite, one a column. */
function telling(
  at: (index: number) => number,
  values: Float64Array,
  first: number,
  behind: number,
  columns: number,
): number[] {
  if (behind - first <= columns * 4) return Array.from({ length: behind - first }, (_, i) => first + i);
  const start = at(first);
  const width = (at(behind - 1) - start) / columns || 1;
  const indices: number[] = [];
  for (let begin = first; begin < behind; ) {
    const column = Math.floor((at(begin) - start) / width);
    let [lowest, highest, gap, end] = [-1, -1, -1, begin];
    for (; end < behind && Math.floor((at(end) - start) / width) === column; end++) {
      const value = values[end]!;
      if (Number.isNaN(value)) {
        if (gap < 0) gap = end;
        continue;
      }
      if (lowest < 0 || value < values[lowest]!) lowest = end;
      if (highest < 0 || value > values[highest]!) highest = end;
    }
    const chosen = [begin, lowest, highest, gap, end - 1].filter((index) => index >= 0).sort((a, b) => a - b);
    for (const index of chosen) if (index !== indices.at(-1)) indices.push(index);
    begin = end;
  }
  return indices;
}

/** Moving averages of whole columns, kept, since each look at a run wants the same ones with a little more behind. */
export class MovingAverages {
  readonly #kept = new Map<string, { average: MovingAverage; generation: number; weight: number }>();

  of(name: string, column: MetricColumn, weight: number, generation: number): GrowingColumn {
    let kept = this.#kept.get(name);
    if (kept?.generation !== generation || kept.weight !== weight) {
      kept = { average: new MovingAverage(weight), generation, weight };
      this.#kept.set(name, kept);
    }
    const values = column.values;
    for (let index = kept.average.values.length; index < values.length; index++)
      kept.average.push(values.at(index));
    return kept.average.values;
  }
}

/**
 * TensorBoard's smoothing (tensorboard/components/vz_line_chart2/line-chart.ts): an exponential moving average that is
 * corrected for its start from zero. Where a value is not finite, there is no average either, and the next goes on.
 */
class MovingAverage {
  readonly values = new GrowingColumn();
  #sum = 0;
  #weights = 0;

  constructor(readonly weight: number) {}

  push(value: number): void {
    if (Number.isNaN(value)) {
      this.values.push(value);
      return;
    }
    this.#sum = this.#sum * this.weight + (1 - this.weight) * value;
    this.#weights = this.#weights * this.weight + (1 - this.weight);
    this.values.push(this.#sum / this.#weights);
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? rounded(value) : null;
}

function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS));
}
