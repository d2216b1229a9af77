/**
 * Zero mean and unit variance over the whole clip: (x - mean) / sqrt(variance + 1e-7), the variance biased.
 * Sums run in float64. `zero_mean_unit_var_norm` of
 * https://github.com/huggingface/transformers/blob/main/src/transformers/models/wav2vec2/feature_extraction_wav2vec2.py
 * @param samples [samples], without padding
 * @returns [samples], a new array
 */
export function normalize(samples: Float32Array): Float32Array {
  let sum = 0;
  for (const sample of samples) sum += sample;
  const mean = sum / samples.length;
  let squares = 0;
  for (const sample of samples) squares += (sample - mean) ** 2;
  const scale = 1 / Math.sqrt(squares / samples.length + 1e-7);
  return samples.map((sample) => (sample - mean) * scale);
}
