import { exitCodes } from "./command.js";

/**
 * Does a command's work with a signal that the first Ctrl+C (or SIGTERM) aborts, after a word about it; the second
 * ends the process at once.
 *
 * @returns the work's result, undefined where it ended by throwing the signal's reason
 */
export async function interruptible<T>(
  text: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
    process.stderr.write(`\n${text}\n`);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
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
