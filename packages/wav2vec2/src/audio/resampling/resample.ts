import { requireArguments, SAMPLES, whole } from "../../argument-kinds.js";
import { filterOf, greatestCommonDivisor, type PolyphaseFilter } from "./polyphase-filter.js";
import { applyFilter } from "./polyphase-kernel.js";

// The transition band is the last tenth below the lower Nyquist frequency: all that could alias is in the stopband.
const ATTENUATION = 107; // dB
const ATTENUATION_BEFORE = 130; // of a first stage, which is short anyway and should add nothing to the second
const PASS = 0.45; // cycles a sample of the lower rate
const STOP = 0.5;

export const LOWEST_RATE = 1000;
export const HIGHEST_RATE = 768_000;

// Samples that are filtered at once, so that what lies between two stages stays in the processor's cache.
const STEP = 2 ** 14;

const RATE = {
  ...whole(LOWEST_RATE, HIGHEST_RATE),
  must: `a whole number from ${LOWEST_RATE} to ${HIGHEST_RATE} Hz`,
};

/**
 * Changes the sample rate by a windowed sinc: a polyphase filter of linear phase, aligned so that nothing is delayed.
 * Up to 0.9 of the lower Nyquist frequency no tone changes by more than 0.0001 dB; what would alias is suppressed by
 * 105 dB. Sums run in float32, of at most some hundred products. benchmarks/resample.mjs measures it beside soxr.
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
  readonly #stages: Conversion[];
  #taken = 0;
  #given = 0;

  /** @throws ConfigurationError on a rate out of range, as `resample` */
  constructor(
    readonly from: number,
    readonly to: number,
  ) {
    requireArguments("new Resampler", { from: [from, RATE], to: [to, RATE] });
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
    let signal = samples;
    for (const stage of this.#stages) signal = stage.push(signal);
    return signal;
  }
}

const SILENCE = 256;

function stagesOf(from: number, to: number): Conversion[] {
  if (from === to) return [];
  const lower = Math.min(1, to / from);
  if (from < 2 * to) return [new Conversion(filterOf(from, to, PASS * lower, STOP * lower, ATTENUATION), 0)];
  // The sharp filter is short at twice the target's rate, and the way there needs no sharp one: what aliases there to
  // above the target's Nyquist frequency is taken away by the second.
  const sharp = filterOf(2, 1, PASS / 2, STOP / 2, ATTENUATION);
  if (from === 2 * to) return [new Conversion(sharp, 0)];
  const before = filterOf(from, 2 * to, (PASS * to) / from, (1.5 * to) / from, ATTENUATION_BEFORE);
  const begin = 1 - sharp.half;
  return [new Conversion(before, begin), new Conversion(sharp, 0, begin)];
}

/** A change of the rate by a filter. */
class Conversion {
  readonly #input: Stretch;
  /** Of the next output sample. */
  #phase: number;

  /**
   * @param first the place of the first output sample
   * @param begin the place of the first input sample; before it, silence is assumed
   */
  constructor(
    readonly filter: PolyphaseFilter,
    first: number,
    begin = 0,
  ) {
    const { up, down, half } = filter;
    const at = Math.floor((first * down) / up);
    this.#phase = first * down - at * up;
    this.#input = new Stretch(begin - (at + 1 - half));
  }

  /** @returns what can be said by now */
  push(signal: Float32Array): Float32Array {
    const { up, down, half } = this.filter;
    const input = this.#input.append(signal);
    // Places at which the whole filter lies within the input, and the output samples there.
    const places = input.length - 2 * half + 1;
    const count = Math.max(0, Math.ceil((places * up - this.#phase) / down));
    const output = new Float32Array(count);
    applyFilter(this.filter, this.#phase, input, output);
    const end = this.#phase + count * down;
    this.#phase = end % up;
    this.#input.drop(Math.floor(end / up));
    return output;
  }
}

/** The part of a signal that a filter still needs. */
class Stretch {
  #length: number;
  #samples: Float32Array;

  /** @param silence samples of it, before the signal */
  constructor(silence: number) {
    this.#length = silence;
    this.#samples = new Float32Array(silence);
  }

  /** @returns the stretch, until it is changed */
  append(signal: Float32Array): Float32Array {
    const length = this.#length + signal.length;
    if (length > this.#samples.length) {
      const longer = new Float32Array(2 * length);
      longer.set(this.#samples.subarray(0, this.#length));
      this.#samples = longer;
    }
    this.#samples.set(signal, this.#length);
    this.#length = length;
    return this.#samples.subarray(0, length);
  }

  /** Forgets the first samples. */
  drop(count: number): void {
    this.#samples.copyWithin(0, count, this.#length);
    this.#length -= count;
  }
}
