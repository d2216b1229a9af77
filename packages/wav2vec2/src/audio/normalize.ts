/**
 * Zero mean and unit variance over the whole clip: (x - mean) / sqrt(variance + 1e-7), the variance biased.
 * Sums run in float64. `zero_mean_unit_var_norm` of
 * https://github.com/huggingface/transformers/blob/main/src/transformers/models/wav2vec2/feature_extraction_wav2vec2.py
 * @param samples [samples], without padding
 * @returns [samples], a new array
 */
export function normalize(samples: Float32Array): Float32Array {
  const mean = sum(samples, 0, 1) / samples.length;
  const scale = 1 / Math.sqrt(sum(samples, mean, 2) / samples.length + 1e-7);
  const normalized = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i++) normalized[i] = (samples[i]! - mean) * scale;
  return normalized;
}

/** The sum of (x - shift)^power. Four sums run beside each other, so that no addition waits for the last one. */
function sum(samples: Float32Array, shift: number, power: 1 | 2): number {
  const whole = samples.length - (samples.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    const w = samples[i]! - shift;
    const x = samples[i + 1]! - shift;
    const y = samples[i + 2]! - shift;
    const z = samples[i + 3]! - shift;
    a += power === 1 ? w : w * w;
    b += power === 1 ? x : x * x;
    c += power === 1 ? y : y * y;
    d += power === 1 ? z : z * z;
  }
  for (let i = whole; i < samples.length; i++) a += (samples[i]! - shift) ** power;
  return a + b + (c + d);
}
