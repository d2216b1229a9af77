import { STEP_METRIC } from "./description.js";

/** A row of a run's history: metrics and media, by their names. */
export type Row = Readonly<Record<string, unknown>>;

/** What a run that goes on has behind it. */
export interface Past {
  /** The `_step` of its last row; -1 where it has none. */
  step: number;
  /** Seconds that it has run. */
  runtime: number;
  summary: Readonly<Record<string, unknown>>;
}

export const NO_PAST: Past = { step: -1, runtime: 0, summary: {} };

/** Metrics whose best values a run's summary keeps. */
const VALIDATED = "eval/";

/**
 * Makes rows of what is logged: all that belongs to a step of training is one row, as W&B's client does it, and a row's
 * `_step` is that step. Where a run goes on from an older checkpoint, W&B wants higher ones all the same: these rows take
 * the next numbers until training has caught up, and `train/global_step`, which curves are drawn over, is right in all.
 */
export class History {
  #step: number;
  #row: { step: number; time: number; values: Record<string, unknown> } | undefined;
  readonly #began: number;
  readonly #summary: Record<string, unknown>;

  /**
   * @param began when this process began, in milliseconds since 1970
   * @param onRow takes whole rows
   */
  constructor(
    { step, runtime, summary }: Past,
    began: number,
    readonly onRow: (row: Row) => void,
  ) {
    this.#step = step;
    this.#began = began - runtime * 1000;
    this.#summary = { ...summary };
  }

  /** The newest value of everything, and those of the best validation under `best/`. */
  get summary(): Row {
    return this.#summary;
  }

  /** Seconds that the run has been going, without its interruptions. */
  runtimeAt(time: number): number {
    return (time - this.#began) / 1000;
  }

  /** @param time milliseconds since 1970 */
  add(values: Row, step: number, time: number): void {
    if (this.#row && this.#row.step !== step) this.flush();
    this.#row ??= { step, time, values: {} };
    Object.assign(this.#row.values, values);
    this.#row.time = time;
    Object.assign(this.#summary, values);
  }

  /** That the validation of the last rows was the best so far. */
  best(step: number): void {
    for (const [name, value] of Object.entries(this.#summary))
      if (name.startsWith(VALIDATED) && typeof value === "number") this.#summary[`best/${name}`] = value;
    this.#summary["best/step"] = step;
  }

  /** Where the run's history was cut behind a step. */
  rewound(step: number): void {
    this.#step = step;
  }

  flush(): void {
    if (!this.#row) return;
    const { step, time, values } = this.#row;
    this.#row = undefined;
    this.#step = Math.max(step, this.#step + 1);
    const own = { _step: this.#step, _runtime: this.runtimeAt(time), _timestamp: time / 1000 };
    const row = { [STEP_METRIC]: step, ...values, ...own };
    Object.assign(this.#summary, row);
    this.onRow(row);
  }
}
