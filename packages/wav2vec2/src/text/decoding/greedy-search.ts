import { FrameReader } from "./frame-reader.js";
import type { Path, Search } from "./search.js";

/** Best path decoding, fed piece by piece: https://www.cs.toronto.edu/~graves/icml_2006.pdf, section 3.2. */
export class GreedySearch implements Search {
  readonly #frames: FrameReader;
  #labels: number[] = [];
  #score = 0;
  #previous = -1;

  constructor(vocabularySize: number, blankId: number) {
    this.#frames = new FrameReader(vocabularySize, blankId);
  }

  get blankShare(): number {
    return this.#frames.blankShare;
  }

  push(logits: Float32Array, frames: number): void {
    const reader = this.#frames;
    reader.check(logits, frames);
    for (let row = 0; row < frames; row++) {
      reader.read(logits, row);
      this.#score += reader.logp[reader.best]!;
      if (reader.best !== reader.blankId && reader.best !== this.#previous) this.#labels.push(reader.best);
      this.#previous = reader.best;
    }
  }

  best(): Path {
    const labels = Int32Array.from(this.#labels);
    return { labels, score: this.#score, acousticScore: this.#score, lmScore: 0 };
  }

  cut(): void {
    this.#labels = [];
    this.#score = 0;
    this.#frames.restart();
  }

  finish(): Path[] {
    return [this.best()];
  }
}
