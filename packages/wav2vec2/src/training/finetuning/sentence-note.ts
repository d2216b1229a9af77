import type { TranscribedUtterance } from "../../data/utterance.js";
import { wholeSentences, wholeSentencesNote } from "../../text/scoring/whole-sentences.js";
import type { Recipe } from "../recipe/recipe.js";

/** Where words are whole sentences, which of them are wrong tells little of a model: undefined where they are none. */
export function sentenceNote(
  { metric_for_best_model: metric }: Pick<Recipe, "metric_for_best_model">,
  held: readonly TranscribedUtterance[],
): string | undefined {
  const count = wholeSentences(held.map(({ text }) => text));
  if (count === 0 || metric !== undefined) return undefined;
  return (
    `${wholeSentencesNote(count, held.length)} The best model is chosen by WER: metric_for_best_model: cer ` +
    "(--metric-for-best-model cer) chooses it by CER."
  );
}
