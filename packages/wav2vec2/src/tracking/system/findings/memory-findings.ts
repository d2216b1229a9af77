import { type MachineFinding, ofHost, valuesOf } from "./seen.js";

/** Intervals between readings that all must show it, and how much in each of them, in MB a second. */
const SWAPS_FOR = 4;
const SWAP_RATE = 1;

/** Pages that go out once are of no interest; those that come and go all the time stop everything. */
export const swapping: MachineFinding = {
  name: "swapping",
  find: (seen) =>
    seen.processes.flatMap((readings) => {
      const last = readings.slice(-SWAPS_FOR - 1);
      const moved = last.map(
        ({ values }) => (values["swap.inMB"] ?? Number.NaN) + (values["swap.outMB"] ?? 0),
      );
      const rates = last
        .slice(1)
        .map(({ time }, index) => (moved[index + 1]! - moved[index]!) / ((time - last[index]!.time) / 1000));
      if (rates.length < SWAPS_FOR || !rates.every((rate) => rate >= SWAP_RATE)) return [];
      const newest = last.at(-1)!;
      const least = Math.min(...rates);
      const text =
        `The machine${ofHost(newest, seen)} moves at least ${least.toPrecision(2)} MB/s between memory and disk (swap), as its memory is ` +
        `too small for what runs on it. Everything is slow then. ${REMEDY}`;
      return [{ about: newest.host, text }];
    }),
};

const REMEDY =
  "End other programs, lower data.workers, or make batches smaller (data.batch_seconds, with more gradient_accumulation).";

/** A share of the memory, and how many readings in a row. */
const LITTLE = 0.04;
const LITTLE_FOR = 3;

/** Before the system ends a process for it. */
export const memoryFull: MachineFinding = {
  name: "memory",
  find: (seen) =>
    seen.processes.flatMap((readings) => {
      const last = readings.slice(-LITTLE_FOR);
      const used = valuesOf(last, "memory_percent");
      if (used.length < LITTLE_FOR || !used.every((percent) => percent >= 100 * (1 - LITTLE))) return [];
      const newest = last.at(-1)!;
      const available = newest.values["proc.memory.availableMB"];
      const own = newest.values["proc.memory.rssMB"];
      const text =
        `The memory${ofHost(newest, seen)} is nearly full: ${used.at(-1)!.toFixed(1)} % is used` +
        `${available === undefined ? "" : `, ${Math.round(available)} MB are left`}` +
        `${own === undefined ? "" : ` (this process: ${Math.round(own)} MB)`}. The system ends a process when nothing is left. ${REMEDY}`;
      return [{ about: newest.host, text }];
    }),
};
