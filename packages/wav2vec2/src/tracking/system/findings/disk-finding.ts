import { showBytes } from "../../../files/show-bytes.js";
import { formatDuration } from "../../duration.js";
import type { SystemReading } from "../system-reading.js";
import { lastSeconds, type MachineFinding, type Seen } from "./seen.js";

const GB = 2 ** 30;
/** How long the growth of a disk is looked at, at most and at least. */
const LONGEST_SECONDS = 30 * 60;
const SHORTEST_SECONDS = 10 * 60;
const PARTS = 4;
/** What is farther away will be said when it is nearer. */
const HORIZON_SECONDS = 24 * 3600;

/** The disk of a run at a moment, in bytes. */
interface Disk {
  mount: string;
  free: number;
  /** What the run's own checkpoints and models take. */
  models: number;
}

/** The disk will be full before the run is through. */
export const diskFull: MachineFinding = {
  name: "disk",
  find: ({ processes, run }) =>
    processes.flatMap((readings) => {
      const disk = diskOf(readings.at(-1)!);
      if (!disk) return [];
      const trouble = noRoom(disk, run) ?? growing(readings, disk, run);
      return trouble === undefined ? [] : [{ about: disk.mount, text: `${trouble} ${REMEDY}` }];
    }),
};

const REMEDY =
  "Free some, lower keep_checkpoints, or interrupt the run (Ctrl+C saves), move it to a larger disk and go on with --resume.";

/** They are looked at many times. */
const disks = new WeakMap<SystemReading, Disk | undefined>();

function diskOf(reading: SystemReading): Disk | undefined {
  if (!disks.has(reading)) disks.set(reading, readDisk(reading));
  return disks.get(reading);
}

function readDisk({ values }: SystemReading): Disk | undefined {
  const name = Object.keys(values).find((name) => name.startsWith("disk.") && name.endsWith(".freeGB"));
  if (name === undefined) return undefined;
  return {
    mount: name.slice("disk.".length, -".freeGB".length),
    free: values[name]! * GB,
    models: (values["run.modelsGB"] ?? 0) * GB,
  };
}

/** What is sure to be written does not fit. */
function noRoom({ mount, free, models }: Disk, run: Seen["run"]): string | undefined {
  if (run.savesLeft > 0 && free < run.checkpointBytes)
    return (
      `The disk at ${mount} will be full with the next checkpoint: it needs ${showBytes(run.checkpointBytes)}, and ` +
      `${showBytes(free)} are free.`
    );
  const needed = stillNeeded(models, run);
  if (free < needed)
    return (
      `The disk at ${mount} will be full before the run is through: its checkpoints and models still need ` +
      `${showBytes(needed)}, and ${showBytes(free)} are free.`
    );
  return undefined;
}

/** A new checkpoint is whole before the oldest goes. */
function stillNeeded(models: number, run: Seen["run"]): number {
  const { savesLeft, keepCheckpoints, checkpointBytes, modelBytes } = run;
  const most = (keepCheckpoints + 1) * checkpointBytes + 2 * modelBytes; // best and final
  return Math.max(0, Math.min(most - models, savesLeft * checkpointBytes + 2 * modelBytes));
}

/** Something else grows: logs, features, another program's files. */
function growing(
  readings: readonly SystemReading[],
  { mount, free, models }: Disk,
  run: Seen["run"],
): string | undefined {
  const rate = growthRate(readings);
  const seconds = (free - stillNeeded(models, run)) / rate;
  if (!(rate > 0 && seconds < Math.min(run.secondsLeft, HORIZON_SECONDS))) return undefined;
  return (
    `The disk at ${mount} will be full in about ${formatDuration(seconds)}, before the run is through ` +
    `(${formatDuration(run.secondsLeft)}): besides the run's checkpoints it grows by ${showBytes(rate * 3600)} an hour, and ` +
    `${showBytes(free)} are free.`
  );
}

/**
 * Bytes a second, of all but the run's checkpoints: what every part of the time has grown by at least. So what came at once
 * and then stopped is no growth, nor what comes and goes: of each part the least that was taken counts.
 */
function growthRate(readings: readonly SystemReading[]): number {
  const window = lastSeconds(readings, LONGEST_SECONDS).flatMap((reading) => {
    const disk = diskOf(reading);
    return disk ? [{ seconds: reading.time / 1000, taken: -disk.free - disk.models }] : [];
  });
  const [first, last] = [window[0], window.at(-1)];
  if (!first || !last || last.seconds - first.seconds < SHORTEST_SECONDS) return 0;
  const length = (last.seconds - first.seconds) / PARTS;
  const least = new Array<number>(PARTS).fill(Number.POSITIVE_INFINITY);
  for (const { seconds, taken } of window) {
    const part = Math.min(PARTS - 1, Math.floor((seconds - first.seconds) / length));
    least[part] = Math.min(least[part]!, taken);
  }
  const rates = least.slice(1).map((taken, part) => (taken - least[part]!) / length);
  return rates.every(Number.isFinite) ? Math.min(...rates) : 0; // not where a part has no reading
}
