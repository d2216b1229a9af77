import {
  FINITE,
  FUNCTION,
  isObject,
  type Kind,
  listOf,
  OBJECT,
  requireArguments,
  whole,
} from "../argument-kinds.js";
import { UserError } from "../errors.js";
import type { Wav2Vec2Config } from "./configuration.js";

export interface SpanOptions {
  /** Share of steps that spans would cover if they did not overlap. */
  probability: number;
  /** Steps of one span. */
  length: number;
  minSpans: number;
}

/**
 * Chooses which steps of each row are masked: {@link sampleSpans} is the one of the paper.
 *
 * @param lengths each row's own steps
 * @param width steps of a padded row
 * @param options of the configuration
 * @param uniform draws from [0, 1), seeded
 * @returns [rows, width] of 0 and 1, row by row
 */
export type SpanSampler = (
  lengths: readonly number[],
  width: number,
  options: SpanOptions,
  uniform: () => number,
) => Uint8Array;

/**
 * What a sampler drew, once it is a mask.
 *
 * @throws UserError where it is not, such as of another size
 */
export function drawnSpans(
  sampler: SpanSampler,
  lengths: readonly number[],
  width: number,
  options: SpanOptions,
  uniform: () => number,
): Uint8Array {
  const mask: unknown = sampler(lengths, width, options, uniform);
  if (sampler === sampleSpans) return mask as Uint8Array;
  const wanted = lengths.length * width;
  if (!(mask instanceof Uint8Array) || mask.length !== wanted)
    throw new UserError(
      `A span sampler must return a Uint8Array of ${wanted} values, [${lengths.length}, ${width}], but returned ` +
        `${mask instanceof Uint8Array ? `${mask.length} values` : "something else"}.`,
    );
  const bad = mask.findIndex(
    (value, at) => value > 1 || (value > 0 && at % width >= lengths[Math.floor(at / width)]!),
  );
  if (bad < 0) return mask;
  throw new UserError(
    `A span sampler must return 1 on steps of a row itself and 0 elsewhere, but step ${bad % width} of row ` +
      `${Math.floor(bad / width)}, which has ${lengths[Math.floor(bad / width)]}, is ${mask[bad]}.`,
  );
}

/** The configuration's spans over time. */
export function timeSpans(
  config: Pick<Wav2Vec2Config, "maskTimeProb" | "maskTimeLength" | "maskTimeMinMasks">,
): SpanOptions {
  requireArguments("timeSpans", { config: [config, OBJECT] });
  return {
    probability: config.maskTimeProb,
    length: config.maskTimeLength,
    minSpans: config.maskTimeMinMasks,
  };
}

/** The configuration's spans over channels. */
export function featureSpans(config: Wav2Vec2Config): SpanOptions {
  requireArguments("featureSpans", { config: [config, OBJECT] });
  return {
    probability: config.maskFeatureProb,
    length: config.maskFeatureLength,
    minSpans: config.maskFeatureMinMasks,
  };
}

const STEPS = listOf("each row's own steps", whole(0).holds);

const SPANS: Kind = {
  must: "{ probability, length, minSpans }",
  holds: (value) =>
    isObject(value) && [value.probability, value.length, value.minSpans].every((each) => FINITE.holds(each)),
  advice: () => "Make them of a configuration with timeSpans or featureSpans.",
};

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
  options: SpanOptions,
  uniform: () => number,
): Uint8Array {
  requireArguments("sampleSpans", {
    lengths: [lengths, STEPS],
    width: [width, whole(0)],
    options: [options, SPANS],
    uniform: [uniform, FUNCTION],
  });
  const { probability, length, minSpans } = options;
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
