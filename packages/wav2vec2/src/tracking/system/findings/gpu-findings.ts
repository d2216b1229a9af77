import { gpusOf, lastSeconds, type MachineFinding, ofHost, valuesOf } from "./seen.js";

/** Of the last readings, so many must tell of it: a single one may be a moment. */
const LAST = 5;
const MOST_OF_THEM = 3;

/** Heat and power brakes take speed that is paid for. At its power limit a GPU is as it should be. */
export const throttling: MachineFinding = {
  name: "GPU throttles",
  find: (seen) =>
    seen.processes.flatMap((readings) => {
      const last = readings.slice(-LAST);
      const newest = last.at(-1)!;
      return gpusOf(newest).flatMap((gpu) => {
        const times = (name: string) =>
          valuesOf(last, `gpu.${gpu}.${name}`).reduce((sum, value) => sum + value, 0);
        const shown = (name: string, unit: string): string[] => {
          const value = newest.values[`gpu.${gpu}.${name}`];
          return value === undefined ? [] : [`${Math.round(value)} ${unit}`];
        };
        const state = [...shown("temp", "°C"), ...shown("smClock", "MHz"), ...shown("powerWatts", "W")].join(
          ", ",
        );
        const about = `GPU ${gpu}${ofHost(newest, seen)}`;
        const start = `${about} has slowed itself down`;
        if (times("throttledByHeat") >= MOST_OF_THEM)
          return {
            about: `${about} heat`,
            text:
              `${start}, as it is too hot (${state}). Training goes on at less speed. Look whether its fans run and the air gets ` +
              "through; a lower power limit ('nvidia-smi -pl WATTS') costs less speed than the heat does.",
          };
        if (times("throttledByPowerBrake") >= MOST_OF_THEM)
          return {
            about: `${about} power brake`,
            text:
              `${start}, as the machine's power supply told it to (power brake; ${state}). Training goes on at less speed. Look ` +
              "for a power supply that failed or is too small; a lower power limit ('nvidia-smi -pl WATTS') may be enough.",
          };
        return [];
      });
    }),
};

/** Shares. */
const HIGH_WAIT = 0.3;
const IDLE_PERCENT = 30;
const IDLE_SECONDS = 120;

/** The GPU has nothing to do, and it is known what it waits for. */
export const idleGpu: MachineFinding = {
  name: "GPU idle",
  find(seen) {
    const { waitShare, workers } = seen.run;
    if (!(waitShare >= HIGH_WAIT)) return [];
    for (const readings of seen.processes) {
      const lately = lastSeconds(readings, 2 * IDLE_SECONDS);
      const newest = readings.at(-1)!;
      if (newest.time - lately[0]!.time < 1000 * IDLE_SECONDS) continue;
      for (const gpu of gpusOf(newest)) {
        const busy = valuesOf(lately, `gpu.${gpu}.gpu`);
        if (busy.length < LAST || mean(busy) > IDLE_PERCENT) continue;
        const text =
          `GPU ${gpu}${ofHost(newest, seen)} computes ${Math.round(mean(busy))} % of the time, as training waits for audio ` +
          `${Math.round(100 * waitShare)} % of it. Raise data.workers (now ${workers}), keep the audio on a faster disk, or leave ` +
          "out augmentation (data.speed_perturbation, data.noise, data.reverberation).";
        return [{ about: "", text }]; // the others wait for the same
      }
    }
    return [];
  },
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
