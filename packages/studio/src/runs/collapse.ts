import { isPerplexityOfCollapse, type RunOverview } from "../shared.js";

/** Whether the newest validation of a pre-training was of collapsed codebooks, whose loss and accuracy say nothing. */
export function endsCollapsed({ metrics, recipeValues }: RunOverview): boolean {
  const perplexity = metrics["eval/codevector_perplexity"]?.latest;
  if (perplexity === undefined) return false;
  const groups = Object.keys(metrics).filter((name) => /^eval\/codevector_perplexity_\d+$/.test(name)).length;
  const entries = Number(recipeValues["model.num_codevectors_per_group"] ?? Number.POSITIVE_INFINITY);
  return isPerplexityOfCollapse(perplexity, groups, entries);
}
