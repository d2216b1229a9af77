import { join } from "node:path";
import { loadTensors } from "@wav2vec2/libtorch";
import { combineTrackers, type Tracker } from "../src/tracking/tracker.js";

export type Row = Record<string, number>;

/** What a training run was told, for tests of it. */
export interface Recorder {
  tracker: Tracker;
  notes: string[];
  /** Logged metrics with their step. */
  rows: Row[];
}

/** @param onStep runs after each logged step */
export function recorder(onStep?: (step: number) => void): Recorder {
  const notes: string[] = [];
  const rows: Row[] = [];
  const tracker = combineTrackers([
    {
      log(metrics, step) {
        rows.push({ step, ...metrics });
        if (metrics.loss !== undefined) onStep?.(step);
      },
      note: (text) => void notes.push(text),
    },
  ]);
  return { tracker, notes, rows };
}

/** Metrics without those of the machine. */
export function reproducible(rows: readonly Row[]): Row[] {
  return rows.map(({ audio_seconds_per_second: _, data_wait_share: __, memory_mb: ___, ...row }) => row);
}

/** The weights that a run left in `final/`, by name, to the bit. */
export async function finalWeights(runDirectory: string): Promise<Map<string, string>> {
  const { tensors } = await loadTensors(join(runDirectory, "final", "model.safetensors"));
  return new Map(
    [...tensors].map(([name, tensor]) => [name, Buffer.from(tensor.toBytes()).toString("base64")]),
  );
}
