import { join } from "node:path";
import type { ListChange, RunNow } from "./protocol.js";
import { RunList } from "./run-list.js";
import { RunReader } from "./run-reader.js";
import type { RunsRoot } from "./runs-root.js";
import { watchDirectory } from "./watch.js";

/** The list is looked at so often while anyone sees it. */
const LIST_MS = 1_000;
/** Runs that nobody looks at now are kept in memory up to so many lines of metrics together. */
const MOST_ROWS = 4_000_000;
const MOST_READERS = 200;

/** The runs of a directory for all who look: each is read once, and followed while anyone listens. */
export class LiveRuns {
  readonly list: RunList;
  /** The one used last stands last. */
  readonly #readers = new Map<string, RunReader>();
  readonly #followed = new Map<string, { listeners: Set<(now: RunNow | null) => void>; end: () => void }>();
  readonly #listListeners = new Set<() => void>();
  #listTimer: NodeJS.Timeout | undefined;

  constructor(readonly root: RunsRoot) {
    this.list = new RunList(root);
  }

  /** undefined where no run has this id; one that is new is found. */
  async reader(id: string): Promise<RunReader | undefined> {
    if (!this.list.has(id)) await this.list.look();
    if (!this.list.has(id) && !this.#readers.has(id)) return undefined;
    const reader = this.#readers.get(id) ?? new RunReader(this.root, id);
    this.#readers.delete(id);
    this.#readers.set(id, reader);
    this.#forget(id);
    return reader;
  }

  /** Tells how a run is now, and whenever that changes. @returns ends it */
  follow(reader: RunReader, listener: (now: RunNow | null) => void): () => void {
    const { id } = reader;
    let followed = this.#followed.get(id);
    if (!followed) {
      let before: string | undefined;
      const listeners = new Set<(now: RunNow | null) => void>();
      const end = watchDirectory(join(this.root.path, id), async () => {
        const now = await reader.refresh();
        const text = JSON.stringify(now);
        if (text === before) return;
        before = text;
        for (const one of listeners) one(now);
      });
      followed = { listeners, end };
      this.#followed.set(id, followed);
    }
    const { listeners, end } = followed;
    listeners.add(listener);
    void reader.refresh().then((now) => listeners.has(listener) && listener(now));
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#followed.get(id) !== followed) return;
      end();
      this.#followed.delete(id);
    };
  }

  /** Tells what is in the list behind `sequence`, and whenever that changes. @returns ends it */
  followList(sequence: number, listener: (change: ListChange, sequence: number) => void): () => void {
    let [told, isFirst] = [sequence, true];
    const tell = async (): Promise<void> => {
      const newest = await this.list.look();
      if (!this.#listListeners.has(tell) || (newest === told && !isFirst)) return;
      listener(this.list.since(told), newest);
      [told, isFirst] = [newest, false];
    };
    this.#listListeners.add(tell);
    void tell();
    this.#listTimer ??= setInterval(() => {
      for (const one of this.#listListeners) one();
    }, LIST_MS);
    return () => {
      this.#listListeners.delete(tell);
      if (this.#listListeners.size > 0) return;
      clearInterval(this.#listTimer);
      this.#listTimer = undefined;
    };
  }

  close(): void {
    for (const { end } of this.#followed.values()) end();
    this.#followed.clear();
    clearInterval(this.#listTimer);
  }

  #forget(used: string): void {
    let rows = [...this.#readers.values()].reduce((sum, reader) => sum + reader.rows, 0);
    for (const [id, reader] of this.#readers) {
      if (rows <= MOST_ROWS && this.#readers.size <= MOST_READERS) return;
      if (id === used || this.#followed.has(id)) continue;
      this.#readers.delete(id);
      rows -= reader.rows;
    }
  }
}
