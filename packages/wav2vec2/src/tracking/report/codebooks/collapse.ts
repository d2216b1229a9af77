/**
 * Whether all frames get nearly the same codes. Distractors with the target's own codes do not count, so a collapsed
 * model's contrastive loss is 0 and its accuracy 1 (huggingface/transformers#14387).
 *
 * @param perplexity summed over codebooks
 * @param entries of each codebook
 */
export function isPerplexityOfCollapse(perplexity: number, codebooks: number, entries: number): boolean {
  // With few entries even a healthy codebook's perplexity is that low.
  return entries >= 20 && perplexity <= 2 * codebooks;
}
