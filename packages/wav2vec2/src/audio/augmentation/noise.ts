import { power } from "./power.js";

/**
 * Adds noise at a signal-to-noise ratio: 10 log10 of the clip's power over the power of the noise that is added, both
 * over the whole clip, as torchaudio's `add_noise` has it
 * (https://docs.pytorch.org/audio/stable/generated/torchaudio.functional.add_noise.html). The sum may exceed full scale.
 *
 * @param samples [n]
 * @param noise [any length]; repeated where it is shorter than the clip, cut where it is longer
 * @param snrDb decibels
 * @param offset the sample of the noise that the clip begins at
 * @returns [n], a new array; `samples` itself where the clip or that part of the noise is silent, for which there is no
 * such ratio
 */
export function addNoise(
  samples: Float32Array,
  noise: Float32Array,
  snrDb: number,
  offset: number,
): Float32Array {
  if (!(Number.isInteger(offset) && offset >= 0))
    throw new RangeError(`offset must be a whole number of at least 0, but is ${offset}.`);
  if (noise.length === 0) return samples;
  const part = repeat(noise, offset % noise.length, samples.length);
  const gain = Math.sqrt(power(samples) / power(part) / 10 ** (snrDb / 10));
  if (!(gain > 0 && gain < Number.POSITIVE_INFINITY)) return samples;
  for (let i = 0; i < part.length; i++) part[i] = samples[i]! + gain * part[i]!;
  return part;
}

/** [length]: the noise from `offset` on, from its beginning again wherever it ends. */
function repeat(noise: Float32Array, offset: number, length: number): Float32Array {
  const repeated = new Float32Array(length);
  let from = offset;
  for (let filled = 0; filled < length; from = 0) {
    const piece = noise.subarray(from, from + length - filled);
    repeated.set(piece, filled);
    filled += piece.length;
  }
  return repeated;
}
