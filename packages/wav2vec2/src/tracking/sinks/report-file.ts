import { writeReport } from "../report/report.js";
import type { RunEnd } from "../run-description.js";
import type { MakeSink } from "../threads/sink-worker.js";
import { areOfValidation } from "../tracker.js";

/**
 * Keeps `report.html` in a run directory up to date: it is written after each validation and, where more was logged
 * since, at the end. One that cannot be written never stops a run. In a thread of its own, as a long run's takes seconds.
 */
const reportFile: MakeSink<{ directory: string }> = ({ note }, { directory }) => {
  let behind = false;
  let logged = false;
  let due = false;
  let writing: Promise<void> | undefined;
  let told = false;

  const writeWhileDue = async (): Promise<void> => {
    while (due) {
      behind = due = false;
      try {
        await writeReport(directory);
      } catch (error) {
        if (!told) note(`Training goes on without a new report: ${(error as Error).message}`);
        told = true;
      }
    }
    writing = undefined;
  };
  const write = (): Promise<void> => {
    due = true;
    writing ??= writeWhileDue();
    return writing;
  };

  return {
    log(metrics: Readonly<Record<string, number>>, _step: number) {
      behind = logged = true;
      if (areOfValidation(metrics)) void write();
    },
    end(_end: RunEnd) {
      behind = logged; // the last report says how the run ended
    },
    async close() {
      await (behind ? write() : writing);
    },
  };
};

export default reportFile;
