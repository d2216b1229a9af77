import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CorpusProblem } from "../../data/corpus/corpus.js";
import { listLine, parseIdList } from "../../data/corpus/corpus-list.js";
import type { Tracker } from "../../tracking/tracker.js";

/** What is known of a clip that cannot be used. */
interface Unusable {
  id: string;
  /** Where another clip with the same id is good. */
  file?: string;
  message: string;
}

/**
 * The clips that a run leaves out because they cannot be used: said once each to people, and listed in a file that
 * the recipe's `data.exclude` takes.
 */
export class LeftOut {
  readonly #known = new Set<string>();

  constructor(
    private readonly path: string,
    private readonly tracker: Tracker,
  ) {
    const before = existsSync(path) ? parseIdList(readFileSync(path, "utf8")) : []; // of the run that goes on
    for (const { readings } of before) for (const reading of readings) this.#known.add(reading);
  }

  /** Clips of a corpus, before training. */
  addAll(clips: readonly CorpusProblem[], split: string): void {
    const [first, ...others] = clips;
    if (!first) return;
    const more = others.length === 0 ? "" : ` ${others.length} more are listed in ${this.path}.`;
    this.tracker.note(
      `${clips.length} ${others.length === 0 ? "clip" : "clips"} of ${split} left out. ${first.message}${more}`,
    );
    for (const { id, file, kind, message } of clips)
      this.#list(kind === "duplicate-id" ? { id, file, message } : { id, message });
  }

  /** A clip that turned out to be bad during training. */
  add(clip: Unusable): void {
    if (this.#list(clip)) this.tracker.note(`Left out: ${clip.message}`);
  }

  #list({ id, file, message }: Unusable): boolean {
    const entry = file === undefined ? id : resolve(file);
    if (this.#known.has(entry)) return false;
    this.#known.add(entry);
    appendFileSync(this.path, listLine(entry, message));
    return true;
  }
}
