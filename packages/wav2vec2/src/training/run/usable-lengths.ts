import { counted } from "../../counted.js";
import { filterByDuration } from "../../data/corpus/filter.js";
import type { Utterance } from "../../data/utterance.js";
import { UserError } from "../../errors.js";
import type { Tracker } from "../../tracking/tracker.js";
import type { Recipe } from "../recipe/recipe.js";

/** The clips that are as long as the recipe wants them, with a note on those that are left out. */
export function usableLengths<T extends Pick<Utterance, "seconds">>(
  { data }: Pick<Recipe, "data">,
  clips: readonly T[],
  tracker: Pick<Tracker, "note">,
): T[] {
  const { min_seconds: minSeconds, max_seconds: maxSeconds } = data;
  const { kept } = filterByDuration(clips, { minSeconds, maxSeconds });
  const leftOut = clips.length - kept.length;
  if (leftOut > 0)
    tracker.note(
      `${counted(leftOut, "utterance")} outside ${minSeconds} to ${maxSeconds} s ${leftOut === 1 ? "was" : "were"} left out.`,
    );
  return kept;
}

/** @throws UserError where nothing is left of so many clips to train on */
export function requireUsable(
  { data }: Pick<Recipe, "data">,
  kept: readonly unknown[],
  all: readonly unknown[],
): void {
  if (kept.length > 0) return;
  throw new UserError(
    `${data.train_split} must hold utterances to train on, but all ${all.length} were left out.`,
  );
}
