import { join } from "node:path";
import { readStepLines } from "./metrics-file.js";

/** What was logged at once. */
export interface LoggedMetrics {
  step: number;
  /** Milliseconds since 1970. */
  time: number;
  metrics: Record<string, number>;
}

/**
 * What a run directory knows of the metrics up to a step: a service that a process was killed before gets from there what it lacks.
 */
export function loggedMetrics(directory: string, upTo: number): LoggedMetrics[] {
  return readStepLines(join(directory, "metrics.jsonl"))
    .filter(({ step }) => step <= upTo)
    .map(({ step, time, ...values }) => ({
      step,
      time: Math.round(Number(time) * 1000),
      metrics: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, value === null ? Number.NaN : Number(value)]),
      ),
    }));
}
