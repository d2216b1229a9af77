import { formatDuration } from "../../tracking/duration.js";
import type { TerminalStream } from "../../tracking/sinks/live-line.js";
import { isLive } from "../../tracking/sinks/terminal-style.js";
import { cutToWidth } from "../../unicode/display-width.js";

const REDRAW_MS = 100;
/** Without a terminal, at most one line in this time. */
const PLAIN_INTERVAL_MS = 10_000;

export interface ShownProgress {
  /** What is downloaded. */
  id: string;
  /** Bytes that are there, those of an earlier attempt included. */
  received: number;
  /** How many of these were on the disk before, where they are only told of one after another. */
  resumed?: number;
  total: number;
}

/**
 * Shows a download on stderr: bytes, share, speed and time left in one line that is rewritten in place and goes away at
 * the end, or in plain lines at intervals where stderr is not a terminal.
 */
export function downloadProgress(
  stream: TerminalStream = process.stderr,
  now: () => number = Date.now,
): (progress: ShownProgress) => void {
  const live = isLive(stream);
  let first: { fetched: number; time: number } | undefined;
  let last = Number.NEGATIVE_INFINITY;
  return ({ id, received, resumed = 0, total }) => {
    const fetched = received - resumed;
    first ??= { fetched, time: now() };
    const done = received === total;
    if (!done && now() - last < (live ? REDRAW_MS : PLAIN_INTERVAL_MS)) return;
    last = now();
    const seconds = (now() - first.time) / 1000;
    const speed = (fetched - first.fetched) / seconds;
    const parts = [
      `Downloading ${id}: ${megabytes(received)} of ${megabytes(total)} MB (${Math.floor((received / total) * 100)} %)`,
      // The first moments say nothing about a connection.
      ...(seconds >= 1 && speed > 0 && !done
        ? [`${megabytes(speed)} MB/s`, `time left ${formatDuration((total - received) / speed)}`]
        : []),
    ];
    const line = parts.join(", ");
    if (!live) stream.write(`${line}\n`);
    else stream.write(`\r\x1b[2K${done ? "" : cutToWidth(line, (stream.columns ?? 80) - 1)}`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
