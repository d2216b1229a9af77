import { TrainedTime } from "../../tracking/trained-time.js";
import { type LineSink, parseLine } from "./growing-file.js";
import type { MetricInfo, XAxis } from "./protocol.js";

/** Numbers in a row that takes more; a typed array, since there may be millions. */
export class GrowingColumn {
  #values: Float64Array<ArrayBuffer> = new Float64Array(64);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float64Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  /** Those there are now, not copied. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.length);
  }

  /** Forgets what is behind the first `length`. */
  cut(length: number): void {
    this.length = length;
  }
}

/** A metric of a {@link MetricTable}: its values, NaN where one is not finite, and the table's rows that have them. */
export interface MetricColumn {
  rows: GrowingColumn;
  values: GrowingColumn;
  extremes: Extremes;
}

/** Where a column's lowest, highest and newest finite values are (-1 where there is none), and how many are not finite. */
class Extremes {
  #seen = 0;
  gaps = 0;
  lowest = -1;
  highest = -1;
  latest = -1;

  readOn(values: Float64Array): void {
    for (; this.#seen < values.length; this.#seen++) {
      const value = values[this.#seen]!;
      if (Number.isNaN(value)) {
        this.gaps++;
        continue;
      }
      this.latest = this.#seen;
      if (this.lowest < 0 || value < values[this.lowest]!) this.lowest = this.#seen;
      if (this.highest < 0 || value > values[this.highest]!) this.highest = this.#seen;
    }
  }
}

/**
 * The lines of `metrics.jsonl` or `system.jsonl` by metric. Where a line's step is before that of the line above it, a run
 * went back to a checkpoint: what it does anew takes the place of what it did before.
 */
export class MetricTable implements LineSink {
  readonly #steps = new GrowingColumn();
  /** Seconds of training up to a row. */
  readonly #seconds = new GrowingColumn();
  /** Hours of audio trained on up to a row. */
  readonly #audio = new GrowingColumn();
  readonly columns = new Map<string, MetricColumn>();
  #trained = new TrainedTime();
  /** The last step whose audio is counted. */
  #heard = 0;
  /** Changes where rows that were there go or change. */
  generation = 0;

  /** @param nameOf another name for a line's metric; undefined for what is none */
  constructor(
    readonly nameOf: (key: string, row: Readonly<Record<string, unknown>>) => string | undefined = (key) =>
      key,
  ) {}

  get rows(): number {
    return this.#steps.length;
  }

  get seconds(): number {
    return this.rows === 0 ? 0 : this.#seconds.at(this.rows - 1);
  }

  get audioHours(): number {
    return this.rows === 0 ? 0 : this.#audio.at(this.rows - 1);
  }

  get step(): number | undefined {
    return this.rows === 0 ? undefined : this.#steps.at(this.rows - 1);
  }

  /** What stands on the x axis for each row, never falling. */
  axis(x: XAxis): Float64Array {
    return (x === "step" ? this.#steps : x === "time" ? this.#seconds : this.#audio).values;
  }

  line(bytes: Buffer): void {
    const row = parseLine(bytes);
    if (row !== undefined && typeof row.step === "number") this.#append(row.step, row);
  }

  reset(): void {
    this.#cut(0);
    this.columns.clear();
  }

  /** Counts of a metric, and what stands out in it. */
  describe(): Record<string, MetricInfo> {
    return Object.fromEntries(
      [...this.columns]
        .filter(([, { rows }]) => rows.length > 0)
        .map(([name, column]) => [name, this.#describe(column)]),
    );
  }

  /** Only what is new is looked at: a live run is described several times a second. */
  #describe({ rows, values, extremes }: MetricColumn): MetricInfo {
    extremes.readOn(values.values);
    const { gaps, lowest, highest, latest } = extremes;
    if (latest < 0) return { count: values.length, gaps };
    const at = (index: number) => ({ value: values.at(index), step: this.#steps.at(rows.at(index)) });
    return {
      count: values.length,
      gaps,
      latest: values.at(latest),
      lowest: at(lowest),
      highest: at(highest),
    };
  }

  #append(step: number, row: Readonly<Record<string, unknown>>): void {
    if (this.step !== undefined && step < this.step) this.#cut(firstAtOrAbove(this.#steps.values, step));
    const { time, audio_seconds: audio } = row;
    const index = this.rows;
    this.#seconds.push(this.seconds + (typeof time === "number" ? this.#trained.since(time) : 0));
    const before = this.audioHours;
    if (typeof audio === "number") {
      this.#audio.push(before + (Math.max(0, step - this.#heard) * audio) / 3600);
      this.#heard = step;
    } else {
      this.#audio.push(before);
    }
    this.#steps.push(step);
    for (const key in row) {
      if (key === "step" || key === "time") continue;
      const value = row[key];
      if (typeof value !== "number" && value !== null) continue;
      const name = this.nameOf(key, row);
      if (name === undefined) continue;
      let column = this.columns.get(name);
      if (column === undefined) {
        column = { rows: new GrowingColumn(), values: new GrowingColumn(), extremes: new Extremes() };
        this.columns.set(name, column);
      }
      column.rows.push(index);
      column.values.push(value ?? Number.NaN);
    }
  }

  /** Forgets the rows behind the first `rows`. */
  #cut(rows: number): void {
    this.generation++;
    for (const column of [this.#steps, this.#seconds, this.#audio]) column.cut(rows);
    for (const column of this.columns.values()) {
      const kept = firstAtOrAbove(column.rows.values, rows);
      column.rows.cut(kept);
      column.values.cut(kept);
      column.extremes = new Extremes();
    }
    this.#heard = this.step ?? 0;
    if (rows === 0) this.#trained = new TrainedTime();
  }
}

/** The first index of rising values whose value is not below a limit; their count where all are. */
function firstAtOrAbove(values: Float64Array, limit: number): number {
  return firstIndex(
    (index) => values[index]!,
    values.length,
    (value) => value >= limit,
  );
}

/** The first index for which `isBehind` holds, of values for which it holds from some place on; their count where it holds for none. */
export function firstIndex(
  at: (index: number) => number,
  length: number,
  isBehind: (value: number) => boolean,
): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBehind(at(middle))) high = middle;
    else low = middle + 1;
  }
  return low;
}
