import { power } from "./augmentation/power.js";

/** Samples over which loudness is measured, 50 ms: shorter than a pause between words, longer than a closed plosive. */
const SPAN = 800;
/** Samples between two places that are compared, 10 ms. */
const HOP = 160;

/**
 * Where speech is the least likely to be cut in two: the middle of the quietest 50 ms.
 *
 * @param samples at 16 kHz
 * @param from the first and
 * @param to the last place allowed, indices into the samples
 * @returns a place from `from` to `to`; `to` where no 50 ms lie between
 */
export function quietPlace(samples: Float32Array, from: number, to: number): number {
  let place = to;
  let quietest = Number.POSITIVE_INFINITY;
  for (let start = from - SPAN / 2; start + SPAN / 2 <= to; start += HOP) {
    if (start < 0 || start + SPAN > samples.length) continue;
    const loudness = power(samples.subarray(start, start + SPAN));
    if (loudness >= quietest) continue;
    quietest = loudness;
    place = start + SPAN / 2;
  }
  return place;
}
