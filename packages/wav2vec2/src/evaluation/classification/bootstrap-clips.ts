import { Random } from "../../data/random.js";
import { UserError } from "../../errors.js";
import { type Interval, middle } from "../comparison/bootstrap.js";
import type { BootstrapUnit } from "../summary.js";

/** What is drawn as a whole: places of clips in their list. */
export type ClipUnit = readonly number[];

const FEWEST_SPEAKERS = 10;

/**
 * What the bootstrap draws.
 *
 * @throws UserError where speakers are too few to draw, or those of some clips are not known
 */
export function clipUnits(
  clips: readonly { id: string; speaker?: string | undefined }[],
  by: BootstrapUnit,
): ClipUnit[] {
  if (by === "utterance") return clips.map((_, place) => [place]);
  const speakers = new Map<string, number[]>();
  for (const [place, { id, speaker }] of clips.entries()) {
    if (speaker === undefined)
      throw new UserError(
        `Speakers of all clips must be known to draw them, but that of ${id} is not. Draw clips: --bootstrap-by utterance.`,
      );
    speakers.set(speaker, [...(speakers.get(speaker) ?? []), place]);
  }
  if (speakers.size >= FEWEST_SPEAKERS) return [...speakers.values()];
  throw new UserError(
    `There must be ${FEWEST_SPEAKERS} speakers to draw them, but there are ${speakers.size}. Draw clips: --bootstrap-by utterance.`,
  );
}

/**
 * 95 % interval of statistics: as many units are drawn with replacement as there are, again and again, and the middle 95 %
 * of what the statistics are of these draws are taken (the percentile interval, as for word error rates).
 *
 * @param statistics of how often each clip was drawn, [clips]; those that are no number count in no interval
 * @returns an interval of each statistic; the same for the same seed
 */
export function bootstrapClips(
  units: readonly ClipUnit[],
  statistics: (weights: Float64Array) => readonly number[],
  { resamples, seed }: { resamples: number; seed: number },
): Interval[] {
  const random = new Random(seed, "bootstrap");
  const clips = units.reduce((sum, unit) => sum + unit.length, 0);
  const drawn: number[][] = [];
  for (let draw = 0; draw < resamples; draw++) {
    const weights = new Float64Array(clips);
    for (let i = 0; i < units.length; i++)
      for (const place of units[random.integer(units.length)]!) weights[place]!++;
    for (const [index, value] of statistics(weights).entries()) {
      const values = drawn[index] ?? [];
      if (Number.isFinite(value)) values.push(value);
      drawn[index] = values;
    }
  }
  return drawn.map((values) => middle(Float64Array.from(values)));
}
