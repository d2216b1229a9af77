import type { SystemReading } from "../system-reading.js";

/** What is known when it is judged whether something is wrong with the machines. */
export interface Seen {
  /** The readings of each process, oldest first. */
  processes: readonly (readonly SystemReading[])[];
  /** Of the run. */
  run: {
    /** Until it is through; NaN where that is not known yet. */
    secondsLeft: number;
    /** Checkpoints that it will still write. */
    savesLeft: number;
    /** How many it keeps. */
    keepCheckpoints: number;
    /** Bytes of the weights, and of a checkpoint: weights and both moments of what learns. 0 where that is not known. */
    modelBytes: number;
    checkpointBytes: number;
    /** Of the time of the last minutes, how much training waited for audio; NaN where nothing was logged. */
    waitShare: number;
    /** The recipe's data.workers. */
    workers: number;
  };
}

/** Something that is wrong now. */
export interface Trouble {
  /** Tells it from others of the same name, such as those of another GPU. */
  about: string;
  /** For people: what is wrong, and what to do. */
  text: string;
}

/** Something that can be wrong with a machine. */
export interface MachineFinding {
  name: string;
  find(seen: Seen): Trouble[];
}

/** The part of a list of readings that is no older than `seconds` before the last. */
export function lastSeconds(readings: readonly SystemReading[], seconds: number): SystemReading[] {
  const now = readings.at(-1)?.time ?? 0;
  return readings.slice(readings.findLastIndex(({ time }) => now - time > 1000 * seconds) + 1);
}

/** The values of a name, where there are some. */
export function valuesOf(readings: readonly SystemReading[], name: string): number[] {
  return readings.flatMap(({ values }) => values[name] ?? []);
}

/** "of HOST" where several hosts train. */
export function ofHost({ host }: SystemReading, { processes }: Seen): string {
  const hosts = new Set(processes.map((readings) => readings.at(-1)?.host));
  return hosts.size > 1 ? ` of ${host}` : "";
}

/** The numbers of the GPUs in a reading. */
export function gpusOf({ values }: SystemReading): string[] {
  return [...new Set(Object.keys(values).flatMap((name) => /^gpu\.(\d+)\./.exec(name)?.[1] ?? []))];
}
