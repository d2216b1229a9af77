import { UserError } from "../../errors.js";
/** Goes through emissions frame by frame: log-probabilities, the likeliest token, and how often it was the blank. */
export class FrameReader {
  /** [vocabularySize], ln P of each token in the frame read last. */
  readonly logp: Float64Array;
  /** The likeliest token of the frame read last, the first of equal ones. */
  best = 0;
  /** Since the last {@link restart}. */
  frames = 0;
  #blanks = 0;
  /** Of the whole stream, for messages. */
  #frame = 0;

  constructor(
    readonly vocabularySize: number,
    readonly blankId: number,
  ) {
    this.logp = new Float64Array(vocabularySize);
  }

  /** Share of frames whose likeliest token is the blank; 0 where there are no frames. */
  get blankShare(): number {
    return this.frames === 0 ? 0 : this.#blanks / this.frames;
  }

  restart(): void {
    this.frames = this.#blanks = 0;
  }

  /** @throws UserError where the sizes do not fit */
  check(logits: Float32Array, frames: number): void {
    const { vocabularySize } = this;
    if (logits.length !== frames * vocabularySize)
      throw new UserError(
        `logits must hold ${frames} x ${vocabularySize} values, but hold ${logits.length}.`,
      );
  }

  /**
   * Takes the softmax's logarithm of a row.
   * @throws UserError where the row has NaN, or no largest value
   */
  read(logits: Float32Array, row: number): void {
    const { logp, vocabularySize } = this;
    const start = row * vocabularySize;
    let best = 0;
    for (let id = 1; id < vocabularySize; id++) if (logits[start + id]! > logits[start + best]!) best = id;
    const highest = logits[start + best]!;
    let sum = 0;
    for (let id = 0; id < vocabularySize; id++) {
      logp[id] = logits[start + id]! - highest;
      sum += Math.exp(logp[id]!);
    }
    if (!(sum >= 1))
      throw new UserError(`logits must be finite numbers, but those of frame ${this.#frame} are not.`);
    const norm = Math.log(sum);
    for (let id = 0; id < vocabularySize; id++) logp[id]! -= norm;
    this.best = best;
    if (best === this.blankId) this.#blanks++;
    this.frames++;
    this.#frame++;
  }
}
