import { constants } from "node:os";

/** What shells add to a signal's number for the exit code of a process that the signal ended. */
const SIGNAL_BASE = 128;

/**
 * What a user must mend is below 128. Above are ends by a signal, 130 that by Ctrl+C, and `disconnected`: another process
 * of the run is gone or does not answer.
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130, disconnected: 200 } as const;

/** Whether starting anew may help: launchers and Kubernetes start nothing anew for what a user must mend. */
export function mayHelpToRestart(exitCode: number): boolean {
  return exitCode > SIGNAL_BASE;
}

/**
 * What asks a process to stop: Ctrl+C, what ends jobs and containers, a terminal that is closed, and what schedulers such as
 * SLURM can be told to send some time before they end a job (`--signal=USR1@120`).
 */
export const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

/** That of a process which a signal ended, as shells count: 130 for Ctrl+C, 143 for SIGTERM, on Linux 138 for SIGUSR1. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return SIGNAL_BASE + constants.signals[signal];
}
