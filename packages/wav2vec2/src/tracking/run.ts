import { BOOLEAN, FUNCTION, listOf, OBJECT, PATH, requireArguments } from "../argument-kinds.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { DEFAULT_SERVICE_OPTIONS, type ServiceOptions, serviceThread } from "./service-thread.js";
import type { Chosen } from "./services.js";
import { logFile } from "./sinks/log-file.js";
import { metricsFile } from "./sinks/metrics-file.js";
import { runFile } from "./sinks/run-file.js";
import { TERMINAL_OPTIONS, type TerminalOptions, terminalProgress } from "./sinks/terminal.js";
import { sinkThread } from "./threads/sink-thread.js";
import { combineTrackers, type Sink, type Tracker } from "./tracker.js";

export interface TrackRunOptions extends TerminalOptions {
  /** Whether the files of the directory go on from an earlier run's. Default: false */
  resume?: boolean | undefined;
  /** Where else the run is shown. Default: nowhere */
  services?: readonly Chosen[];
  /** What the recipe says of them. */
  serviceOptions?: ServiceOptions;
  /** Ends the run as Ctrl+C does. Default: nothing does */
  stop?: (reason: string) => void;
}

const OPTIONS = {
  ...TERMINAL_OPTIONS,
  resume: BOOLEAN,
  services: listOf("services", OBJECT.holds),
  serviceOptions: OBJECT,
  stop: FUNCTION,
} satisfies KnownOptions<TrackRunOptions>;

/**
 * What a training command tracks to: the terminal, in `directory` `log.txt`, `run.json`, the files of `metricsFile`, clips and
 * `report.html`, and services, each in a thread of its own.
 */
export function trackRun(directory: string, options: TrackRunOptions = {}): Tracker {
  requireArguments("trackRun", { directory: [directory, PATH] });
  requireOptions("trackRun", options, OPTIONS);
  const { services = [], serviceOptions = DEFAULT_SERVICE_OPTIONS, stop = () => {} } = options;
  const terminal = terminalProgress(options);
  const log = logFile(directory);
  const note = (text: string): void => {
    terminal.note(text);
    log.note(text);
  };
  // Its thread is not woken for what it does not show.
  const { transcripts, codedClips, close } = sinkThread({
    name: "clips/",
    module: new URL("./sinks/clip-files.js", import.meta.url),
    options: { directory },
    note,
    stop,
  });
  const report = sinkThread({
    name: "report.html",
    module: new URL("./sinks/report-file.js", import.meta.url),
    options: { directory },
    note: terminal.note,
    stop,
  });
  const threads = services.map((chosen) =>
    serviceThread(chosen, { ...serviceOptions, directory }, { note, stop }),
  );
  return combineTrackers([
    runFile(directory),
    metricsFile(directory, options),
    { transcripts, codedClips, close } as Sink,
    behindOthers(report),
    log,
    terminal,
    ...threads,
  ]);
}

/** A sink that reads the files of others: told when all of them have been told of a step, and closed behind them. */
function behindOthers({ log, end, close }: Sink): Sink {
  return {
    log: (...values) => queueMicrotask(() => void log?.(...values)),
    end: (...values) => queueMicrotask(() => void end?.(...values)),
    close: async () => await close?.(),
  };
}
