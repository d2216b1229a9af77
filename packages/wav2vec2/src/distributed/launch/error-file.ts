import { readFileSync, writeFileSync } from "node:fs";

/** Why a process failed, as it wrote it for its launcher. */
export interface RecordedError {
  /** Its kind and message: `UserError: …`. */
  message: string;
  /** The message, with the stack trace where it has one that helps. */
  detail: string;
  /** When it failed, in milliseconds since 1970. */
  time: number;
  /** What it is about to exit with, where it says so. */
  exitCode?: number;
}

/**
 * Writes an error where the launcher of this process looks for it, in torchrun's format, whose seconds are too coarse
 * to tell which of several errors was the first. Where that cannot be written, the launcher shows the exit code.
 *
 * @see https://pytorch.org/docs/stable/elastic/errors.html
 */
export function writeErrorFile(path: string, { message, detail, time, exitCode }: RecordedError): void {
  const extraInfo = {
    py_callstack: detail,
    timestamp: String(Math.floor(time / 1_000)),
    milliseconds: String(time),
    ...(exitCode !== undefined && { exit_code: String(exitCode) }),
  };
  try {
    writeFileSync(path, JSON.stringify({ message: { message, extraInfo } }));
  } catch {
    // the error itself has been printed
  }
}

/** What {@link writeErrorFile} or Python's `record` wrote; undefined where there is nothing that can be read. */
export function readErrorFile(path: string): RecordedError | undefined {
  try {
    const { message } = JSON.parse(readFileSync(path, "utf8")) as {
      message: { message: string; extraInfo: Record<string, string | undefined> };
    };
    const { py_callstack: detail = message.message, timestamp, milliseconds, exit_code } = message.extraInfo;
    const time = milliseconds === undefined ? Number(timestamp) * 1_000 : Number(milliseconds);
    if (!Number.isFinite(time)) return undefined;
    const exitCode = Number(exit_code);
    return {
      message: String(message.message),
      detail: String(detail),
      time,
      ...(exitCode > 0 && { exitCode }),
    };
  } catch {
    return undefined;
  }
}
