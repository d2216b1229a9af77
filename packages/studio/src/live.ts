import { useEffect, useState } from "preact/hooks";
import type { DashboardEvent, RunNow, RunSummary } from "./shared.js";

/** Whether the page is told of changes. */
export type Connection = "connecting" | "open" | "lost";

export interface Live {
  connection: Connection;
  /** The list of runs; undefined until it has come. */
  runs: ReadonlyMap<string, RunSummary> | undefined;
  /** The runs that are looked at; null where one is gone. */
  now: ReadonlyMap<string, RunNow | null>;
}

/** A hidden page stops to listen after so long, and catches up when it is seen again. */
const HIDDEN_MS = 10_000;
/** Where the browser gives up trying, as after an error of the server, it is tried again after so long. */
const AGAIN_MS = 2_000;

/**
 * Listens to the server's events of the list and of runs. The browser connects again where a connection breaks, and tells the
 * server the last event that it has.
 */
export function useLive(list: boolean, ids: readonly string[]): Live {
  const [live, setLive] = useState<Live>({ connection: "connecting", runs: undefined, now: new Map() });
  const key = JSON.stringify([list, ids]);
  useEffect(() => {
    let source: EventSource | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    let hiding: ReturnType<typeof setTimeout> | undefined;
    const query = new URLSearchParams(ids.map((id) => ["run", id]));
    if (list) query.set("list", "");
    const close = (): void => {
      source?.close();
      source = undefined;
    };
    const open = (): void => {
      clearTimeout(again);
      close();
      source = new EventSource(`/api/events?${query}`);
      source.onopen = () => setLive((before) => ({ ...before, connection: "open" }));
      source.onerror = () => {
        setLive((before) => ({ ...before, connection: "lost" }));
        if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS);
      };
      source.onmessage = ({ data }: MessageEvent<string>) => {
        const event = JSON.parse(data) as DashboardEvent;
        setLive((before) => ({ ...take(before, event), connection: "open" }));
      };
    };
    const seen = (): void => {
      clearTimeout(hiding);
      if (document.hidden) hiding = setTimeout(close, HIDDEN_MS);
      else if (source === undefined) open();
    };
    open();
    document.addEventListener("visibilitychange", seen);
    return () => {
      document.removeEventListener("visibilitychange", seen);
      clearTimeout(again);
      clearTimeout(hiding);
      close();
    };
  }, [key]);
  return live;
}

/** What is known after an event. */
export function take(live: Live, event: DashboardEvent): Live {
  if ("id" in event) return { ...live, now: new Map(live.now).set(event.id, event.run) };
  const { whole, runs, removed } = event.list;
  const known = new Map(whole ? [] : live.runs);
  for (const id of removed) known.delete(id);
  for (const run of runs) known.set(run.id, run);
  return { ...live, runs: known };
}
