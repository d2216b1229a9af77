export type Metrics = Readonly<Record<string, number>>;

interface Row {
  /** Step behind which the averages begin. */
  from: number;
  step: number;
  metrics: Metrics;
}

/** Where averages are logged seldom, a window still holds this many, so that trends and medians mean something. */
const FEWEST_ROWS = 4;

/** Metrics as they were logged, each row the averages since the one before. */
export class MetricsHistory {
  readonly #rows: Row[] = [];

  /** The first row counts as no steps: where its averages begin is not known, such as after a resume. */
  add(metrics: Metrics, step: number): void {
    this.#rows.push({ from: this.#rows.at(-1)?.step ?? step, step, metrics });
  }

  /** Step of the newest row. */
  get step(): number {
    return this.#rows.at(-1)?.step ?? 0;
  }

  /** Step behind which the newest row's averages begin. */
  get from(): number {
    return this.#rows.at(-1)?.from ?? 0;
  }

  /** The newest value; NaN where it is missing. */
  latest(name: string): number {
    return this.#rows.at(-1)?.metrics[name] ?? Number.NaN;
  }

  /** The finite values of the last `steps` steps and of no fewer than 4 rows, oldest first; none where less was seen. */
  over(name: string, steps: number): number[] {
    const start = this.step - steps;
    const before = this.#rows.findLastIndex((row) => row.step <= start);
    const last = Math.min(before, this.#rows.length - 1 - FEWEST_ROWS);
    return last < 0 ? [] : finite(this.#rows.slice(last + 1), name);
  }

  /** The values of all rows, oldest first; NaN where one is missing. */
  all(name: string): number[] {
    return this.#rows.map(({ metrics }) => metrics[name] ?? Number.NaN);
  }
}

function finite(rows: readonly Row[], name: string): number[] {
  return rows.map(({ metrics }) => metrics[name] ?? Number.NaN).filter(Number.isFinite);
}
