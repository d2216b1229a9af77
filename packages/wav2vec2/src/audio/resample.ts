import { besselI0, sinc } from "./windowed-sinc.js";

// Kaiser window: https://ccrma.stanford.edu/~jos/sasp/Kaiser_Window.html. The transition band is the last tenth below
// the lower Nyquist frequency: all that could alias is in the stopband.
const ATTENUATION = 107; // dB
const ATTENUATION_BEFORE = 130; // of a first stage, which is short anyway and should add nothing to the second
const PASS = 0.45; // cycles a sample of the lower rate
const STOP = 0.5;

export const LOWEST_RATE = 1000;
export const HIGHEST_RATE = 768_000;

// Coefficients kept at most, 8 bytes each: only ratios as odd as 16000 / 31999 need more and compute them anew.
const MAX_KEPT = 2 ** 22;

/**
 * Changes the sample rate by a windowed sinc: a polyphase filter of linear phase, aligned so that nothing is delayed.
 * Up to 0.9 of the lower Nyquist frequency no tone changes by more than 0.0001 dB; what would alias is suppressed by
 * 105 dB. Sums run in float64. benchmarks/resample.mjs measures it beside soxr.
 * @param samples [n]; silence is assumed before and behind them
 * @param from Hz, a whole number from 1000 to 768000
 * @param to Hz, likewise
 * @returns [ceil(n * to / from)]; `samples` itself where the rates are equal
 * @throws RangeError on a rate out of range
 */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  for (const rate of [from, to])
    if (!(Number.isInteger(rate) && rate >= LOWEST_RATE && rate <= HIGHEST_RATE))
      throw new RangeError(
        `rates must be whole numbers from ${LOWEST_RATE} to ${HIGHEST_RATE} Hz, but one is ${rate}.`,
      );
  if (from === to) return samples;
  const length = resampledLength(samples.length, from, to);
  if (from < 2 * to) {
    const lower = Math.min(1, to / from);
    const filter = filterOf(from, to, PASS * lower, STOP * lower, ATTENUATION);
    return new Float32Array(filter.apply(samples, 0, length));
  }
  // The sharp filter is short at twice the target's rate, and the way there needs no sharp one: what aliases there to
  // above the target's Nyquist frequency is taken away by the second.
  const sharp = filterOf(2, 1, PASS / 2, STOP / 2, ATTENUATION);
  const [first, count] = [-sharp.half, 2 * length + 2 * sharp.half + 8];
  const middle =
    from === 2 * to
      ? padded(samples, first, count)
      : filterOf(from, 2 * to, (PASS * to) / from, (1.5 * to) / from, ATTENUATION_BEFORE).apply(
          samples,
          first,
          count,
        );
  return halved(middle, sharp, length);
}

/** How many samples `resample` makes of n. */
export function resampledLength(n: number, from: number, to: number): number {
  const divisor = greatestCommonDivisor(from, to);
  return Math.ceil((n * (to / divisor)) / (from / divisor));
}

/** samples[first, first + count), silence around them. */
function padded(samples: Float32Array, first: number, count: number): Float64Array {
  const result = new Float64Array(count);
  const begin = Math.max(0, first);
  result.set(samples.subarray(begin, Math.max(begin, first + count)), begin - first);
  return result;
}

/**
 * Every second sample behind a filter, whose symmetry saves half the products.
 * @param middle what to halve, from `filter.half` samples before the first result to 8 more than that behind the last
 */
function halved(middle: Float64Array, filter: Filter, length: number): Float32Array {
  const { half } = filter;
  const right = filter.row(0).slice(half - 1); // [half + 1], beginning with the middle
  const result = new Float32Array(length);
  for (let i = 0; i < length; i += 4) {
    // Four results at once use each coefficient that was loaded.
    const at = half + 2 * i;
    let a = right[0]! * middle[at]!;
    let b = right[0]! * middle[at + 2]!;
    let c = right[0]! * middle[at + 4]!;
    let d = right[0]! * middle[at + 6]!;
    for (let k = 1; k < half; k++) {
      const coefficient = right[k]!;
      a += coefficient * (middle[at - k]! + middle[at + k]!);
      b += coefficient * (middle[at + 2 - k]! + middle[at + 2 + k]!);
      c += coefficient * (middle[at + 4 - k]! + middle[at + 4 + k]!);
      d += coefficient * (middle[at + 6 - k]! + middle[at + 6 + k]!);
    }
    // What lies behind the end is not written.
    result[i] = a;
    result[i + 1] = b;
    result[i + 2] = c;
    result[i + 3] = d;
  }
  return result;
}

/** The inner product of `row`, whose length is even, and as much of `signal` from `at` on. */
function product(signal: Float64Array, at: number, row: Float64Array): number {
  // Four sums run beside each other, so that no addition waits for the last one.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = row.length & ~3;
  for (let k = 0; k < whole; k += 4) {
    a += signal[at + k]! * row[k]!;
    b += signal[at + k + 1]! * row[k + 1]!;
    c += signal[at + k + 2]! * row[k + 2]!;
    d += signal[at + k + 3]! * row[k + 3]!;
  }
  for (let k = whole; k < row.length; k++) a += signal[at + k]! * row[k]!;
  return a + b + (c + d);
}

/** Output sample i lies at input sample i * down / up, of which the remainder is its phase. */
class Filter {
  /** Input samples before and behind an output sample. */
  readonly half: number;
  readonly #cutoff: number;
  readonly #width: number;
  readonly #beta: number;
  /** By phase. */
  readonly #rows: (Float64Array | undefined)[];
  #kept = 0;

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
    this.#rows = new Array(up).fill(undefined);
  }

  /** Output samples [first, first + count). */
  apply(samples: Float32Array, first: number, count: number): Float64Array {
    const { up, down, half } = this;
    const begin = Math.floor((first * down) / up);
    const end = Math.floor(((first + count) * down) / up);
    const signal = padded(samples, begin - half + 1, end - begin + 2 * half);
    const result = new Float64Array(count);
    let phase = first * down - begin * up;
    let at = 0; // of the first sample under the filter in `signal`
    for (let i = 0; i < count; i++) {
      result[i] = product(signal, at, this.row(phase));
      phase += down;
      at += Math.floor(phase / up);
      phase %= up;
    }
    return result;
  }

  /** [2 * half]: the filter at the input samples around an output sample of this phase, from 1 - half to half. */
  row(phase: number): Float64Array {
    return this.#rows[phase] ?? this.#makeRow(phase);
  }

  #makeRow(phase: number): Float64Array {
    const row = new Float64Array(2 * this.half);
    let sum = 0;
    for (let k = 0; k < row.length; k++) {
      const time = k + 1 - this.half - phase / this.up;
      row[k] = sinc(this.#cutoff * time) * kaiser(time / this.#width, this.#beta);
      sum += row[k]!;
    }
    // Each phase passes a constant unchanged: no phase is louder than another.
    for (let k = 0; k < row.length; k++) row[k]! /= sum;
    if ((this.#kept + 1) * row.length <= MAX_KEPT) {
      this.#rows[phase] = row;
      this.#kept++;
    }
    return row;
  }
}

// One filter a ratio serves all clips.
const filters = new Map<string, Filter>();
const MAX_FILTERS = 16;

function filterOf(from: number, to: number, pass: number, stop: number, attenuation: number): Filter {
  const divisor = greatestCommonDivisor(from, to);
  const [up, down] = [to / divisor, from / divisor];
  const key = `${up}/${down} ${stop}`;
  let filter = filters.get(key);
  if (!filter) {
    if (filters.size === MAX_FILTERS) filters.clear();
    filter = new Filter(up, down, pass, stop, attenuation);
    filters.set(key, filter);
  }
  return filter;
}

/** The window at x in [-1, 1], 0 outside. */
function kaiser(x: number, beta: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(beta * Math.sqrt(1 - x * x)) / besselI0(beta);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
