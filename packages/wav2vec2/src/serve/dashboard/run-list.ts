import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { mapConcurrent } from "../../data/map-concurrent.js";
import type { ListChange, RunSummary } from "./protocol.js";
import { filesOf, summarize } from "./run-summary.js";
import type { RunsRoot } from "./runs-root.js";

/** How far below the root a run may lie. */
const DEEPEST = 6;
const AT_ONCE = 32;
/** Parts of a run directory, in which no other runs are looked for. */
const PARTS: ReadonlySet<string> = new Set(["checkpoints", "best", "final", "clips", "node_modules"]);
/** Times of files are no finer than this on some file systems: a directory that changed so lately may do so again unseen. */
const COARSE_MS = 2_500;
/** A run that is looked at only for its directory's time has ended; it cannot go on without a change to that. */
const ENDED: ReadonlySet<string> = new Set(["finished", "interrupted", "failed"]);

interface Known {
  summary: RunSummary;
  mark: string;
  /** Of the directory, when it was last looked into. */
  changed: number;
  /** The number of the change that made it what it is. */
  sequence: number;
}

/** The runs below a directory, with what is new since a number. Only what has changed is read again. */
export class RunList {
  readonly #runs = new Map<string, Known>();
  readonly #directories = new Map<string, { changed: number; read: number; names: string[] }>();
  readonly #removed = new Map<string, number>();
  #sequence = 0;
  #looking: Promise<number> | undefined;

  constructor(readonly root: RunsRoot) {}

  has(id: string): boolean {
    return this.#runs.has(id);
  }

  /** What has changed behind `sequence`. @param sequence 0 for all */
  since(sequence: number): ListChange {
    const runs = [...this.#runs.values()]
      .filter((run) => run.sequence > sequence)
      .map(({ summary }) => summary);
    const removed = [...this.#removed].filter(([, at]) => at > sequence).map(([id]) => id);
    return { whole: sequence === 0, runs, removed: sequence === 0 ? [] : removed };
  }

  /** Looks at the directories. Calls that come meanwhile wait for the same look. @returns the number of the newest change */
  look(): Promise<number> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<number> {
    const next = this.#sequence + 1;
    const seen = new Set<string>();
    const directories = await this.#directoriesBelow(".", 0);
    // Each opens a few files, of which a process may have so many at once.
    await mapConcurrent(directories, AT_ONCE, ({ id, changed }) => this.#update(id, changed, seen, next));
    for (const id of this.#runs.keys()) {
      if (seen.has(id)) continue;
      this.#runs.delete(id);
      this.#removed.set(id, next);
      this.#sequence = next;
    }
    return this.#sequence;
  }

  /** All directories from one on, and when each last changed. */
  async #directoriesBelow(id: string, depth: number): Promise<{ id: string; changed: number }[]> {
    const directory = join(this.root.path, id);
    const status = await stat(directory).catch(() => undefined);
    if (status === undefined) {
      this.#directories.delete(id);
      return [];
    }
    const own = { id, changed: status.mtimeMs };
    if (depth === DEEPEST) return [own];
    const names = await this.#directoriesIn(id, directory, own.changed);
    const below = await Promise.all(
      names.map((name) => this.#directoriesBelow(id === "." ? name : `${id}/${name}`, depth + 1)),
    );
    return [own, ...below.flat()];
  }

  async #update(id: string, changed: number, seen: Set<string>, next: number): Promise<void> {
    const known = this.#runs.get(id);
    if (known?.changed === changed && ENDED.has(known.summary.state) && !isRecent(changed)) {
      seen.add(id);
      return;
    }
    const files = await filesOf(join(this.root.path, id));
    if (files === undefined) return;
    seen.add(id);
    const isSame = known?.mark === files.mark && known.summary.state !== "running";
    if (isSame) {
      known.changed = changed;
      return;
    }
    const summary = await summarize(this.root, id, files);
    if (JSON.stringify(summary) === JSON.stringify(known?.summary)) {
      this.#runs.set(id, { ...known!, mark: files.mark, changed });
      return;
    }
    this.#sequence = next;
    this.#removed.delete(id);
    this.#runs.set(id, { summary, mark: files.mark, changed, sequence: next });
  }

  /** Names of the directories in one; links are not followed. */
  async #directoriesIn(id: string, directory: string, changed: number): Promise<string[]> {
    const known = this.#directories.get(id);
    if (known?.changed === changed && known.read - changed > COARSE_MS) return known.names;
    const read = Date.now();
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    const names = entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !PARTS.has(entry.name))
      .map(({ name }) => name)
      .sort();
    this.#directories.set(id, { changed, read, names });
    return names;
  }
}

function isRecent(time: number): boolean {
  return Date.now() - time < COARSE_MS;
}
