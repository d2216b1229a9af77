import { requireArguments, SAMPLES, whole } from "../argument-kinds.js";
import { describeValue } from "../describe-type.js";
import { ConfigurationError } from "../errors.js";
import { filterOf, greatestCommonDivisor, type PolyphaseFilter } from "./polyphase-filter.js";

// The transition band is the last tenth below the lower Nyquist frequency: all that could alias is in the stopband.
const ATTENUATION = 107; // dB
const ATTENUATION_BEFORE = 130; // of a first stage, which is short anyway and should add nothing to the second
const PASS = 0.45; // cycles a sample of the lower rate
const STOP = 0.5;

export const LOWEST_RATE = 1000;
export const HIGHEST_RATE = 768_000;

// Samples that are filtered at once, so that what lies between two stages stays in the processor's cache.
const STEP = 2 ** 13;

const RATE = {
  ...whole(LOWEST_RATE, HIGHEST_RATE),
  must: `a whole number from ${LOWEST_RATE} to ${HIGHEST_RATE} Hz`,
};

/**
 * Changes the sample rate by a windowed sinc: a polyphase filter of linear phase, aligned so that nothing is delayed.
 * Up to 0.9 of the lower Nyquist frequency no tone changes by more than 0.0001 dB; what would alias is suppressed by
 * 105 dB. Sums run in float64. benchmarks/resample.mjs measures it beside soxr.
 * @param samples [n]; silence is assumed before and behind them
 * @param from Hz, a whole number from 1000 to 768000
 * @param to Hz, likewise
 * @returns [ceil(n * to / from)]; `samples` itself where the rates are equal
 * @throws ConfigurationError on a rate out of range
 */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  requireArguments("resample", { samples: [samples, SAMPLES], from: [from, RATE], to: [to, RATE] });
  const resampler = new Resampler(from, to);
  if (from === to) return samples;
  const result = new Float32Array(resampledLength(samples.length, from, to));
  let length = 0;
  const append = (part: Float32Array) => {
    result.set(part, length);
    length += part.length;
  };
  for (let at = 0; at < samples.length; at += STEP) append(resampler.push(samples.subarray(at, at + STEP)));
  append(resampler.end());
  return result;
}

/** How many samples `resample` makes of n. */
export function resampledLength(n: number, from: number, to: number): number {
  const divisor = greatestCommonDivisor(from, to);
  return Math.ceil((n * (to / divisor)) / (from / divisor));
}

/**
 * `resample` of a signal that comes in parts: what `push` and `end` return is, one behind the other, to the bit what
 * `resample` returns for the parts behind one another, wherever they are divided.
 */
export class Resampler {
  readonly #stages: Stage[];
  #taken = 0;
  #given = 0;

  /** @throws ConfigurationError on a rate out of range, as `resample` */
  constructor(
    readonly from: number,
    readonly to: number,
  ) {
    for (const rate of [from, to])
      if (!(Number.isInteger(rate) && rate >= LOWEST_RATE && rate <= HIGHEST_RATE))
        throw new ConfigurationError(
          `rates must be whole numbers from ${LOWEST_RATE} to ${HIGHEST_RATE} Hz, but one is ${describeValue(rate)}.`,
        );
    this.#stages = stagesOf(from, to);
  }

  /** @returns a new array, or `samples` itself where the rates are equal */
  push(samples: Float32Array): Float32Array {
    this.#taken += samples.length;
    const resampled = this.#filter(samples);
    this.#given += resampled.length;
    return resampled;
  }

  /** What silence behind the last sample brings out of the filters. */
  end(): Float32Array {
    const rest = new Float32Array(resampledLength(this.#taken, this.from, this.to) - this.#given);
    for (let at = 0; at < rest.length; ) {
      const part = this.#filter(new Float32Array(SILENCE)).subarray(0, rest.length - at);
      rest.set(part, at);
      at += part.length;
    }
    return rest;
  }

  #filter(samples: Float32Array): Float32Array {
    if (this.#stages.length === 0) return samples;
    let signal: Float32Array | Float64Array = samples;
    for (const stage of this.#stages) signal = stage.push(signal);
    return new Float32Array(signal);
  }
}

const SILENCE = 256;

interface Stage {
  /** @returns what can be said by now; overwritten by the next call */
  push(signal: Float32Array | Float64Array): Float64Array;
}

function stagesOf(from: number, to: number): Stage[] {
  if (from === to) return [];
  const lower = Math.min(1, to / from);
  if (from < 2 * to) return [new Conversion(filterOf(from, to, PASS * lower, STOP * lower, ATTENUATION), 0)];
  // The sharp filter is short at twice the target's rate, and the way there needs no sharp one: what aliases there to
  // above the target's Nyquist frequency is taken away by the second.
  const sharp = filterOf(2, 1, PASS / 2, STOP / 2, ATTENUATION);
  if (from === 2 * to) return [new Halving(sharp, sharp.half)];
  const before = filterOf(from, 2 * to, (PASS * to) / from, (1.5 * to) / from, ATTENUATION_BEFORE);
  return [new Conversion(before, -sharp.half), new Halving(sharp, 0)];
}

/** Any change of the rate. */
class Conversion implements Stage {
  readonly #input: Stretch;
  #output = new Float64Array(0);
  /** Of the next output sample. */
  #phase: number;

  /** @param first the place of the first output sample; before 0, silence is assumed */
  constructor(
    readonly filter: PolyphaseFilter,
    first: number,
  ) {
    const { up, down, half } = filter;
    const begin = Math.floor((first * down) / up);
    this.#phase = first * down - begin * up;
    this.#input = new Stretch(half - 1 - begin);
  }

  push(signal: Float32Array | Float64Array): Float64Array {
    const { filter } = this;
    const { up, down, half } = filter;
    const input = this.#input.append(signal);
    // Places at which the whole filter lies within the input, and the output samples there.
    const places = this.#input.length - 2 * half + 1;
    const count = Math.max(0, Math.ceil((places * up - this.#phase) / down));
    if (this.#output.length < count) this.#output = new Float64Array(count);
    const output = this.#output;
    let phase = this.#phase;
    let at = 0; // of the first sample under the filter
    for (let i = 0; i < count; i++) {
      output[i] = product(input, at, filter.row(phase));
      phase += down;
      at += Math.floor(phase / up);
      phase %= up;
    }
    this.#phase = phase;
    this.#input.drop(at);
    return output.subarray(0, count);
  }
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

/** Every second sample behind a filter, whose symmetry saves half the products. */
class Halving implements Stage {
  readonly #half: number;
  /** [half + 1], beginning with the middle. */
  readonly #right: Float64Array;
  readonly #input: Stretch;
  #output = new Float64Array(0);

  /** @param before samples of silence; the first output sample lies `filter.half` behind the input's beginning */
  constructor(filter: PolyphaseFilter, before: number) {
    this.#half = filter.half;
    this.#right = filter.row(0).slice(filter.half - 1);
    this.#input = new Stretch(before);
  }

  push(signal: Float32Array | Float64Array): Float64Array {
    const middle = this.#input.append(signal);
    const half = this.#half;
    const right = this.#right;
    // Four results at once use each coefficient that was loaded; fewer wait for more input.
    const count = 4 * Math.max(0, Math.floor((this.#input.length - 2 * half + 1) / 8));
    if (this.#output.length < count) this.#output = new Float64Array(count);
    const output = this.#output;
    for (let i = 0; i < count; i += 4) {
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
      output[i] = a;
      output[i + 1] = b;
      output[i + 2] = c;
      output[i + 3] = d;
    }
    this.#input.drop(2 * count);
    return output.subarray(0, count);
  }
}

/** The part of a signal that a filter still needs. */
class Stretch {
  length: number;
  #samples: Float64Array;

  /** @param silence samples of it, before the signal */
  constructor(silence: number) {
    this.length = silence;
    this.#samples = new Float64Array(silence);
  }

  /** @returns the stretch, followed by what is not to be read */
  append(signal: Float32Array | Float64Array): Float64Array {
    const length = this.length + signal.length;
    if (length > this.#samples.length) {
      const longer = new Float64Array(2 * length);
      longer.set(this.#samples.subarray(0, this.length));
      this.#samples = longer;
    }
    this.#samples.set(signal, this.length);
    this.length = length;
    return this.#samples;
  }

  /** Forgets the first samples. */
  drop(count: number): void {
    this.#samples.copyWithin(0, count, this.length);
    this.length -= count;
  }
}
