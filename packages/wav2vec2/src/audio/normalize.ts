import { optional, requireArguments, SAMPLES } from "../argument-kinds.js";

/**
 * Zero mean and unit variance over the whole clip: (x - mean) / sqrt(variance + 1e-7), the variance biased.
 * Sums run in float64. `zero_mean_unit_var_norm` of
 * https://github.com/huggingface/transformers/blob/main/src/transformers/models/wav2vec2/feature_extraction_wav2vec2.py
 * @param samples [samples], without padding
 * @param given where the result goes, for example `samples` itself; a new array when left out
 * @returns [samples], `given`
 */
export function normalize(samples: Float32Array, given?: Float32Array): Float32Array {
  requireArguments("normalize", { samples: [samples, SAMPLES], out: [given, optional(SAMPLES)] });
  const out = given ?? new Float32Array(samples.length);
  const { mean, variance } = moments(samples);
  const scale = 1 / Math.sqrt(variance + 1e-7);
  const whole = samples.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    out[i] = (samples[i]! - mean) * scale;
    out[i + 1] = (samples[i + 1]! - mean) * scale;
    out[i + 2] = (samples[i + 2]! - mean) * scale;
    out[i + 3] = (samples[i + 3]! - mean) * scale;
  }
  for (let i = whole; i < samples.length; i++) out[i] = (samples[i]! - mean) * scale;
  return out;
}

/** Two sums of each kind run beside each other, so that no addition waits for the last one. */
function moments(samples: Float32Array): { mean: number; variance: number } {
  const count = samples.length;
  let [sumA, sumB, squaresA, squaresB] = [0, 0, 0, 0];
  for (let i = 0; i + 1 < count; i += 2) {
    const a = samples[i]!;
    const b = samples[i + 1]!;
    sumA += a;
    sumB += b;
    squaresA += a * a;
    squaresB += b * b;
  }
  if (count % 2 === 1) {
    const last = samples[count - 1]!;
    sumA += last;
    squaresA += last * last;
  }
  const mean = (sumA + sumB) / count;
  return { mean, variance: Math.max((squaresA + squaresB) / count - mean * mean, 0) };
}
