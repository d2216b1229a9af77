/**
 * Plays a clip faster (factor above 1) or slower, pitch and formants with it, as Ko et al. 2015 do to train on more
 * voices than there are ("Audio augmentation for speech recognition", Interspeech).
 *
 * @param samples [n]
 * @param factor 0.9 makes n / 0.9 samples
 * @returns [round(n / factor)], by cubic interpolation (Catmull-Rom)
 */
export function changeSpeed(samples: Float32Array, factor: number): Float32Array {
  if (!(factor > 0)) throw new RangeError(`factor must be positive, but is ${factor}.`);
  const result = new Float32Array(Math.round(samples.length / factor));
  const last = samples.length - 1;
  for (let i = 0; i < result.length; i++) {
    const position = Math.min(i * factor, last);
    const index = Math.floor(position);
    const t = position - index;
    const before = samples[Math.max(index - 1, 0)]!;
    const here = samples[index]!;
    const next = samples[Math.min(index + 1, last)]!;
    const after = samples[Math.min(index + 2, last)]!;
    const curve = 2 * before - 5 * here + 4 * next - after;
    const bend = 3 * (here - next) + after - before;
    result[i] = here + 0.5 * t * (next - before + t * (curve + t * bend));
  }
  return result;
}
