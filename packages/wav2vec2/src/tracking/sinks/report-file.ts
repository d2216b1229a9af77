import { writeReport } from "../report/report.js";
import type { RunEnd } from "../run-description.js";
import type { Sink } from "../tracker.js";

/**
 * Keeps `report.html` in a run directory up to date: it is written after each validation and, where more was logged
 * since, at the end. One that cannot be written never stops a run.
 *
 * @param onProblem is told once why it cannot be written
 */
export function reportFile(directory: string, onProblem: (text: string) => void) {
  let behind = false;
  let logged = false;
  let due = false;
  let writing: Promise<void> | undefined;
  let told = false;

  const writeWhileDue = async (): Promise<void> => {
    await undefined; // what other trackers are told of this step belongs in the report too
    while (due) {
      behind = due = false;
      try {
        await writeReport(directory);
      } catch (error) {
        if (!told) onProblem(`Training goes on without a new report: ${(error as Error).message}`);
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
      if (Object.keys(metrics).some((name) => name.startsWith("eval/"))) void write();
    },
    end(_end: RunEnd) {
      behind = logged; // the last report says how the run ended
    },
    async close() {
      await (behind ? write() : writing);
    },
  } satisfies Sink;
}
