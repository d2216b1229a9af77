import { useEffect, useRef, useState } from "preact/hooks";

/** That the server asks for its token. */
export class TokenNeeded extends Error {}

const listeners = new Set<() => void>();

/** Calls `listener` where the server begins to ask for its token. @returns ends it */
export function onTokenNeeded(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What the server answers to a path with its query. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(path, { ...(signal && { signal }) });
  if (answer.ok) return (await answer.json()) as T;
  if (answer.status === 401) {
    for (const listener of listeners) listener();
    throw new TokenNeeded();
  }
  const { error } = (await answer.json().catch(() => ({}))) as { error?: string };
  throw new Error(error ?? `The server answers with ${answer.status}.`);
}

/** A path below the server's, with a query. Lists give their name several times. */
export function path(
  name: string,
  query: Record<string, string | number | readonly string[] | undefined>,
): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(key, String(one));
  }
  return `/api/${name}?${parameters}`;
}

/** A run that changes all the time is asked for no more often. */
const LEAST_MS = 250;

export interface Fetched<T> {
  data?: T;
  error?: string;
}

/**
 * What `load` gives, loaded anew whenever `version` is another. What was there stays until then; only with another `key`
 * does it go. One request at a time: changes meanwhile wait for its end.
 *
 * @param key undefined loads nothing
 * @param versionOf the version of what was loaded, where it tells; by default the one that was asked for
 */
export function useLoaded<T>(
  key: string | undefined,
  version: string,
  load: (signal: AbortSignal) => Promise<T>,
  versionOf?: (data: T) => string,
): Fetched<T> {
  const [state, setState] = useState<Fetched<T> & { key?: string | undefined }>({});
  const wanted = useRef({ version, load });
  wanted.current = { version, load };
  const wake = useRef(() => {});
  useEffect(() => {
    if (key === undefined) return;
    const controller = new AbortController();
    let loaded: string | undefined;
    let isBusy = false;
    const run = async (): Promise<void> => {
      if (isBusy || controller.signal.aborted || loaded === wanted.current.version) return;
      isBusy = true;
      let { version, load: current } = wanted.current;
      try {
        const data = await current(controller.signal);
        version = versionOf?.(data) ?? version;
        if (!controller.signal.aborted) setState({ key, data });
      } catch (error) {
        if (!controller.signal.aborted && !(error instanceof TokenNeeded))
          setState((before) => ({
            ...(before.key === key && before),
            key,
            error: String((error as Error).message),
          }));
      }
      loaded = version;
      setTimeout(() => {
        isBusy = false;
        void run();
      }, LEAST_MS);
    };
    wake.current = () => void run();
    void run();
    return () => controller.abort();
  }, [key]);
  useEffect(() => wake.current(), [version]);
  return state.key === key ? state : {};
}
