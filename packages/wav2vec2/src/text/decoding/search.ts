/** A way through emissions. */
export interface Path {
  /** Tokens without blanks, repeats kept. */
  labels: Int32Array;
  /** What paths are ranked by, in nats. */
  score: number;
  /** ln P(labels | audio): of all alignments that the search followed, or of the best one. */
  acousticScore: number;
  /** ln P(text) by the language model, unweighted; 0 without one. */
  lmScore: number;
}

/** A search that is fed emissions and can be asked at any time. */
export interface Search {
  /** Share of frames since the beginning or the last cut whose likeliest token is the blank. */
  readonly blankShare: number;
  /** @param logits [frames * vocabulary], row by row; log-probabilities do as well */
  push(logits: Float32Array, frames: number): void;
  /** The best so far, since the last cut; its last word may be unfinished. */
  best(): Path;
  /** Gives up all but the best so far; what is pushed from now on goes on behind it. */
  cut(): void;
  /** The best paths where the utterance ends here, best first; changes nothing. */
  finish(count: number): Path[];
}
