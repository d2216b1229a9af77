import { exitCodes } from "./command.js";

/** Where Ctrl+C ends a command in good order. */
export interface Interruption {
  signal: AbortSignal;
  /** Gives Ctrl+C its usual meaning back. */
  release(): void;
}

/** A signal that the first Ctrl+C (or SIGTERM) aborts, after a word about it; the second ends the process at once. */
export function interruptible(text: string): Interruption {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
    process.stderr.write(`\n${text}\n`);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const name of signals) process.on(name, interrupt);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of signals) process.off(name, interrupt);
    },
  };
}
