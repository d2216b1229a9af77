import { besselI0, sinc } from "./windowed-sinc.js";

/**
 * A windowed sinc by phases, Kaiser's window: https://ccrma.stanford.edu/~jos/sasp/Kaiser_Window.html. Output sample i
 * lies at input sample i * down / up, of which the remainder is its phase.
 */
export class PolyphaseFilter {
  /** Input samples before and behind an output sample. */
  readonly half: number;
  /** Coefficients of a row: 2 * half, and zeros up to a multiple of 4. */
  readonly taps: number;
  readonly #cutoff: number;
  readonly #width: number;
  readonly #beta: number;

  /**
   * @param pass the last frequency that passes, in cycles an input sample
   * @param stop the first that does not
   * @param attenuation dB
   */
  constructor(
    readonly up: number,
    readonly down: number,
    pass: number,
    stop: number,
    attenuation: number,
  ) {
    this.#cutoff = pass + stop; // twice their middle
    // Kaiser's estimate of the length, (A - 7.95) / (2.285 * transition in radians a sample), halved.
    this.#beta = 0.1102 * (attenuation - 8.7);
    this.#width = (attenuation - 7.95) / (2.285 * 2 * Math.PI * (stop - pass)) / 2;
    this.half = Math.ceil(this.#width);
    this.taps = 4 * Math.ceil(this.half / 2);
  }

  /** [taps]: the filter at the input samples around an output sample of this phase, from 1 - half to half. */
  row(phase: number): Float64Array {
    const row = new Float64Array(this.taps);
    let sum = 0;
    for (let k = 0; k < 2 * this.half; k++) {
      const time = k + 1 - this.half - phase / this.up;
      row[k] = sinc(this.#cutoff * time) * kaiser(time / this.#width, this.#beta);
      sum += row[k]!;
    }
    // Each phase passes a constant unchanged: no phase is louder than another.
    for (let k = 0; k < row.length; k++) row[k]! /= sum;
    return row;
  }
}

// One filter a ratio serves all clips.
const filters = new Map<string, PolyphaseFilter>();
const MAX_FILTERS = 16;

/** The filter from one rate to another; see PolyphaseFilter's constructor. */
export function filterOf(
  from: number,
  to: number,
  pass: number,
  stop: number,
  attenuation: number,
): PolyphaseFilter {
  const divisor = greatestCommonDivisor(from, to);
  const [up, down] = [to / divisor, from / divisor];
  const key = `${up}/${down} ${stop}`;
  let filter = filters.get(key);
  if (!filter) {
    if (filters.size === MAX_FILTERS) filters.clear();
    filter = new PolyphaseFilter(up, down, pass, stop, attenuation);
    filters.set(key, filter);
  }
  return filter;
}

/** The window at x in [-1, 1], 0 outside. */
function kaiser(x: number, beta: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(beta * Math.sqrt(1 - x * x)) / besselI0(beta);
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
