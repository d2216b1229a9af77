/**
 * Makes a clip louder or quieter. What exceeds full scale is clipped, as in a recording that was set too loud: for a
 * model whose input is normalised this is the only effect that is left, because normalising undoes the rest.
 *
 * @param samples [n], full scale [-1, 1]
 * @param db decibels: 6 doubles the amplitude, -6 halves it
 * @returns [n], a new array
 */
export function changeVolume(samples: Float32Array, db: number): Float32Array {
  const gain = 10 ** (db / 20);
  const changed = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i++) changed[i] = Math.min(1, Math.max(-1, gain * samples[i]!));
  return changed;
}
