import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Tracker } from "../tracking/tracker.js";

/** What is known of a clip that cannot be used. */
interface Unusable {
  id: string;
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
    const before = existsSync(path) ? readFileSync(path, "utf8").split("\n") : []; // of the run that goes on
    for (const line of before) this.#known.add(line.split(" # ")[0]!);
  }

  /** Clips of a corpus, before training. */
  addAll(clips: readonly Unusable[], split: string): void {
    const [first, ...others] = clips;
    if (!first) return;
    const more = others.length === 0 ? "" : ` ${others.length} more are listed in ${this.path}.`;
    this.tracker.note(
      `${clips.length} problems in ${split}; their clips are left out. ${first.message}${more}`,
    );
    for (const clip of clips) this.#list(clip);
  }

  /** A clip that turned out to be bad during training. */
  add(clip: Unusable): void {
    if (this.#list(clip)) this.tracker.note(`Left out: ${clip.message}`);
  }

  #list({ id, message }: Unusable): boolean {
    if (this.#known.has(id)) return false;
    this.#known.add(id);
    appendFileSync(this.path, `${id} # ${message.replaceAll("\n", " ")}\n`);
    return true;
  }
}
