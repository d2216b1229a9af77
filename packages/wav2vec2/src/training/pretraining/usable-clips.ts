import { divideLong, filterByDuration } from "../../data/corpus/filter.js";
import type { Utterance } from "../../data/utterance.js";
import { UserError } from "../../errors.js";
import type { Recipe } from "../recipe/recipe.js";

/**
 * The clips that pre-training can learn from, long ones in parts.
 *
 * @param onNote is told what was left out and why
 * @throws UserError where none is left
 */
export function usableClips(
  { data }: Pick<Recipe, "data">,
  all: readonly Utterance[],
  onNote?: (text: string) => void,
): Utterance[] {
  const { min_seconds: minSeconds, max_seconds: maxSeconds } = data;
  const { kept, tooShort } = filterByDuration(all, { minSeconds, maxSeconds: Number.POSITIVE_INFINITY });
  if (tooShort > 0) onNote?.(`${tooShort} clips shorter than ${minSeconds} s were left out.`);
  if (kept.length > 0) return divideLong(kept, maxSeconds);
  throw new UserError(
    `${data.train_split} must hold clips of at least ${minSeconds} s, but all ${all.length} are shorter. Lower ` +
      "data.min_seconds, or give longer clips.",
  );
}
