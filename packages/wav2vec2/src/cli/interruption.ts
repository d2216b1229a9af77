import { exitCodes, STOP_SIGNALS, signalExitCode } from "../exit-codes.js";
import { startedByNohup } from "../nohup.js";

type StopSignal = (typeof STOP_SIGNALS)[number];

/**
 * Two signals within this many milliseconds are one request: a terminal sends Ctrl+C to all processes of a command, and
 * those between it and this one (npx, torchrun, srun) send it on.
 */
const ONE_REQUEST_MS = 500;

let received: StopSignal | undefined;

/** The exit code of a command that was interrupted: by which signal decides. */
export function interruptedExitCode(): number {
  return received ? signalExitCode(received) : exitCodes.interrupted;
}

/**
 * Ends the process where SIGUSR1 comes and no work takes it, as other signals do by themselves: without, Node.js would
 * open its debugger's port.
 */
export function endAtUserSignal(): void {
  process.on("SIGUSR1", () => {
    if (process.listenerCount("SIGUSR1") === 1) process.exit(signalExitCode("SIGUSR1"));
  });
}

/** Lets a process that `nohup` started go on when its terminal is closed. */
export function goOnUnderNohup(): void {
  if (startedByNohup()) process.on("SIGHUP", () => {});
}

/**
 * Does a command's work with a signal that the first Ctrl+C (or another request to stop) aborts, after a word about it;
 * the second ends the process at once.
 *
 * @param options.except signals that mean something else to the command
 * @returns the work's result, undefined where it ended by throwing the signal's reason
 */
export async function interruptible<T>(
  text: string,
  work: (signal: AbortSignal) => Promise<T>,
  { except = [] }: { except?: readonly StopSignal[] } = {},
): Promise<T | undefined> {
  const controller = new AbortController();
  let first = 0;
  const interrupt = (name: StopSignal): void => {
    const now = performance.now();
    if (controller.signal.aborted) {
      if (now - first < ONE_REQUEST_MS) return;
      process.exit(signalExitCode(name));
    }
    first = now;
    received = name;
    controller.abort();
    const by = name === "SIGINT" ? text : text.replace(/^Interrupted/, `$& by ${name}`);
    process.stderr.write(`\n${by}\n`);
  };
  const signals = STOP_SIGNALS.filter(
    (name) => !except.includes(name) && (name !== "SIGHUP" || !startedByNohup()),
  );
  for (const name of signals) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (error !== controller.signal.reason) throw error;
    return undefined;
  } finally {
    for (const name of signals) process.off(name, interrupt);
  }
}
