import type { Wav2Vec2Config } from "./configuration.js";

export interface SpanOptions {
  /** Share of steps that spans would cover if they did not overlap. */
  probability: number;
  /** Steps of one span. */
  length: number;
  minSpans: number;
}

/** The configuration's spans over time. */
export function timeSpans(
  config: Pick<Wav2Vec2Config, "maskTimeProb" | "maskTimeLength" | "maskTimeMinMasks">,
): SpanOptions {
  return {
    probability: config.maskTimeProb,
    length: config.maskTimeLength,
    minSpans: config.maskTimeMinMasks,
  };
}

/** The configuration's spans over channels. */
export function featureSpans(config: Wav2Vec2Config): SpanOptions {
  return {
    probability: config.maskFeatureProb,
    length: config.maskFeatureLength,
    minSpans: config.maskFeatureMinMasks,
  };
}

/**
 * Spans to mask, as Hugging Face's `_compute_mask_indices`: for a row of L steps floor(p L / M + e) spans of M
 * steps with one draw e for the whole batch, at least `minSpans`, at most as fit into the longest row side by side;
 * starts without replacement, so spans may overlap. A span longer than a row is cut to the row, where Hugging Face throws (pitfalls: datasets#3640).
 *
 * @param lengths each row's own steps
 * @param uniform draws from [0, 1)
 * @returns [rows, width] of 0 and 1, row by row; padding is never masked
 */
export function sampleSpans(
  lengths: readonly number[],
  width: number,
  { probability, length, minSpans }: SpanOptions,
  uniform: () => number,
): Uint8Array {
  const mask = new Uint8Array(lengths.length * width);
  const epsilon = uniform();
  for (const [row, steps] of lengths.entries()) {
    const span = Math.min(length, steps);
    if (span === 0) continue;
    const wanted = Math.max(Math.floor((probability * steps) / span + epsilon), minSpans);
    const starts = steps - span + 1;
    const count = Math.min(wanted, Math.floor(width / span), starts);
    for (const start of sampleWithoutReplacement(starts, count, uniform)) {
      mask.fill(1, row * width + start, row * width + start + span);
    }
  }
  return mask;
}

/** `count` different integers below `size`: the first steps of a Fisher-Yates shuffle, kept sparse. */
function sampleWithoutReplacement(size: number, count: number, uniform: () => number): number[] {
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_, i) => {
    const j = i + Math.floor(uniform() * (size - i));
    const chosen = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    return chosen;
  });
}
