/** Zero crossings of the sinc on each side of its centre, and its Hann window's half width. */
const CROSSINGS = 16;
/** Share of the lower rate's band that is kept; the rest is the filter's slope. */
const ROLLOFF = 0.95;

/**
 * Changes the sampling rate with a windowed sinc, one filter for each of the few positions that a new sample can
 * have between two old ones (https://ccrma.stanford.edu/~jos/resample/).
 * @param {Float32Array} samples
 * @param {number} from Hz
 * @param {number} to Hz
 * @returns {Float32Array}
 */
export function resample(samples, from, to) {
  const divisor = greatestCommonDivisor(from, to);
  const up = to / divisor;
  const down = from / divisor;
  const cutoff = (Math.min(from, to) / from) * ROLLOFF;
  const reach = Math.ceil(CROSSINGS / cutoff);
  const filters = Array.from({ length: up }, (_, phase) =>
    Float32Array.from({ length: 2 * reach }, (_, tap) => {
      const t = (tap - reach + 1 - phase / up) * cutoff;
      if (Math.abs(t) >= CROSSINGS) return 0;
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
      return cutoff * sinc * Math.cos((Math.PI * t) / (2 * CROSSINGS)) ** 2;
    }),
  );
  const result = new Float32Array(Math.floor((samples.length * up) / down));
  for (let i = 0; i < result.length; i++) {
    const position = i * down;
    const filter = filters[position % up];
    const start = Math.floor(position / up) - reach + 1;
    const first = Math.max(0, -start);
    const last = Math.min(filter.length, samples.length - start);
    let sum = 0;
    for (let tap = first; tap < last; tap++) sum += filter[tap] * samples[start + tap];
    result[i] = sum;
  }
  return result;
}

/** @param {number} a @param {number} b @returns {number} */
function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
