import { logFile } from "./sinks/log-file.js";
import { metricsFile } from "./sinks/metrics-file.js";
import { reportFile } from "./sinks/report-file.js";
import { type TerminalOptions, terminalProgress } from "./sinks/terminal.js";
import { combineTrackers, type Tracker } from "./tracker.js";

/**
 * What a training command tracks to: the terminal, and in `directory` `log.txt`, the files of {@link metricsFile} and
 * `report.html`.
 */
export function trackRun(directory: string, options: TerminalOptions & { resume: boolean }): Tracker {
  const terminal = terminalProgress(options);
  const report = reportFile(directory, terminal.note);
  return combineTrackers([report, metricsFile(directory, options), logFile(directory), terminal]);
}
