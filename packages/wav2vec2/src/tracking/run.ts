import { logFile } from "./log-file.js";
import { metricsFile } from "./metrics-file.js";
import { type TerminalOptions, terminalProgress } from "./terminal.js";
import { combineTrackers, type Tracker } from "./tracker.js";

/** What a training command tracks to: the terminal, and in `directory` `log.txt` and the files of {@link metricsFile}. */
export function trackRun(directory: string, options: TerminalOptions & { resume: boolean }): Tracker {
  return combineTrackers([metricsFile(directory, options), logFile(directory), terminalProgress(options)]);
}
