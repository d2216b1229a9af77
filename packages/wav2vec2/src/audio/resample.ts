// Kaiser window: https://ccrma.stanford.edu/~jos/sasp/Kaiser_Window.html. The transition band is the last tenth below
// the lower Nyquist frequency: all that could alias is in the stopband.
const ATTENUATION = 120; // dB
const TRANSITION = 0.1; // of the lower Nyquist frequency
const BETA = 0.1102 * (ATTENUATION - 8.7);

export const LOWEST_RATE = 1000;
export const HIGHEST_RATE = 768_000;

// Coefficients kept at most, 8 bytes each: only ratios as odd as 16000 / 95999 need more and compute them anew.
const MAX_KEPT = 2 ** 22;

/**
 * Changes the sample rate by a windowed sinc: a polyphase filter of linear phase, aligned so that nothing is delayed.
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
  const filter = filterOf(from, to);
  const { up, down, half } = filter;
  const padded = new Float64Array(samples.length + 2 * half + 1);
  padded.set(samples, half);
  const resampled = new Float32Array(resampledLength(samples.length, from, to));
  let phase = 0;
  let at = 1; // of the first sample under the filter in `padded`
  for (let i = 0; i < resampled.length; i++) {
    resampled[i] = product(padded, at, filter.row(phase));
    phase += down;
    at += Math.floor(phase / up);
    phase %= up;
  }
  return resampled;
}

/** How many samples `resample` makes of n. */
export function resampledLength(n: number, from: number, to: number): number {
  const divisor = greatestCommonDivisor(from, to);
  return Math.ceil((n * (to / divisor)) / (from / divisor));
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
  /** Of the pass band's edge, in cycles an input sample, doubled. */
  readonly #cutoff: number;
  readonly #width: number;
  readonly #rows = new Map<number, Float64Array>();

  constructor(
    readonly up: number,
    readonly down: number,
  ) {
    const nyquist = Math.min(1, up / down); // of the lower rate, relative to the input's
    this.#cutoff = nyquist * (1 - TRANSITION / 2);
    // Kaiser's estimate of the length, (A - 7.95) / (2.285 * transition in radians a sample), halved.
    this.#width = (ATTENUATION - 7.95) / (2.285 * Math.PI * TRANSITION * nyquist) / 2;
    this.half = Math.ceil(this.#width);
  }

  row(phase: number): Float64Array {
    return this.#rows.get(phase) ?? this.#makeRow(phase);
  }

  /** [2 * half]: the filter at the input samples around an output sample of this phase. */
  #makeRow(phase: number): Float64Array {
    const row = new Float64Array(2 * this.half);
    let sum = 0;
    for (let k = 0; k < row.length; k++) {
      const time = k + 1 - this.half - phase / this.up;
      row[k] = sinc(this.#cutoff * time) * kaiser(time / this.#width);
      sum += row[k]!;
    }
    // Each phase passes a constant unchanged: no phase is louder than another.
    for (let k = 0; k < row.length; k++) row[k]! /= sum;
    if ((this.#rows.size + 1) * row.length <= MAX_KEPT) this.#rows.set(phase, row);
    return row;
  }
}

// One filter a ratio serves all clips.
const filters = new Map<string, Filter>();
const MAX_FILTERS = 16;

function filterOf(from: number, to: number): Filter {
  const divisor = greatestCommonDivisor(from, to);
  const [up, down] = [to / divisor, from / divisor];
  const key = `${up}/${down}`;
  let filter = filters.get(key);
  if (!filter) {
    if (filters.size === MAX_FILTERS) filters.clear();
    filter = new Filter(up, down);
    filters.set(key, filter);
  }
  return filter;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The window at x in [-1, 1], 0 outside. */
function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(BETA * Math.sqrt(1 - x * x)) / besselI0(BETA);
}

/** The modified Bessel function of order 0, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
