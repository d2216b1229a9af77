import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { LiveRuns } from "./live-runs.js";
import type { DashboardEvent } from "./protocol.js";

/** A browser that lost its connection tries again after so long. */
const RETRY_MS = 1_000;
/** Connections that carry nothing are closed by what lies between. */
const PULSE_MS = 15_000;
/** Numbers of changes are those of this process: another one begins anew. */
const SERVER = randomUUID().slice(0, 8);

/** What a page listens to. */
export interface Wanted {
  list: boolean;
  /** Ids of runs. */
  runs: readonly string[];
}

/**
 * Tells a page what changes, as server-sent events that it takes up where it lost them (`Last-Event-ID`): of the list only
 * what is new since; how the runs are is told whole.
 */
export async function serveEvents(
  context: Context,
  live: LiveRuns,
  { list, runs }: Wanted,
): Promise<Response> {
  const [server, number] = (context.req.header("last-event-id") ?? "").split(".");
  let sequence = server === SERVER && /^\d+$/.test(number ?? "") ? Number(number) : 0;
  const readers = await Promise.all(runs.map((id) => live.reader(id)));
  context.header("X-Accel-Buffering", "no");
  return streamSSE(context, async (stream) => {
    const send = (event: DashboardEvent): void => {
      void stream.writeSSE({ data: JSON.stringify(event), id: `${SERVER}.${sequence}`, retry: RETRY_MS });
    };
    const ends: (() => void)[] = [];
    if (list) {
      ends.push(
        live.followList(sequence, (change, newest) => {
          sequence = newest;
          send({ list: change });
        }),
      );
    }
    for (const [index, reader] of readers.entries()) {
      const id = runs[index]!;
      if (reader === undefined) send({ id, run: null });
      else ends.push(live.follow(reader, (run) => send({ id, run })));
    }
    const pulse = setInterval(() => void stream.write(": \n\n"), PULSE_MS);
    await new Promise<void>((done) => stream.onAbort(done));
    clearInterval(pulse);
    for (const end of ends) end();
  });
}
