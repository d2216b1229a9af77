import { type Discounts, estimateDiscounts } from "./discounts.js";
import { type CountOptions, countNgrams, type NgramCounts } from "./ngram-counts.js";
import { BEGIN, END, type TokenizedText, UNKNOWN } from "./tokenized-text.js";

export interface KneserNeyOptions {
  /** Of each order: n-grams that occur so often at most are left out; not falling. Default: none are. */
  prune?: readonly number[] | undefined;
  /** Words that the model may know; default: all. */
  vocabulary?: ReadonlySet<string> | undefined;
  /** Where a text is too small to estimate discounts. */
  fallback?: Discounts | undefined;
  /** Is told what is done. */
  onProgress?: ((step: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** An n-gram model as it is estimated: log10 of probabilities and back-offs as float32. */
export interface NgramEstimate {
  readonly order: number;
  /** By number. */
  readonly words: readonly string[];
  /** N-grams of each order that the model has, unigrams first. */
  readonly counts: readonly number[];
  readonly discounts: readonly Discounts[];
  /** N-grams of an order, sorted by their last words; the object is one, filled anew for each. */
  ngrams(order: number): Generator<EstimatedNgram>;
}

export interface EstimatedNgram {
  /** Numbers of its words. */
  words: Int32Array;
  logProbability: number;
  /** 0 in the highest order. */
  logBackoff: number;
}

const f = Math.fround;

/**
 * Estimates an n-gram model by interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999, An Empirical Study of
 * Smoothing Techniques for Language Modeling), as lmplz of KenLM does (Heafield et al. 2013, Scalable Modified
 * Kneser-Ney Language Model Estimation):
 *
 * p(w | h) = (a(h w) - D(a(h w))) / a(h) + b(h) p(w | h without its first word)
 *
 * with adjusted counts a, a(h) their sum over all words behind h, and b(h) what the discounts leave and what pruned
 * n-grams had. Unigrams are interpolated with the uniform distribution over all words, `</s>` and `<unk>`, which has
 * nothing else; `<s>` has probability 1. All is computed in float32 in lmplz's order, so that models are the same.
 *
 * @throws UserError where discounts cannot be estimated and no fallback is given
 */
export async function estimateKneserNey(
  text: TokenizedText,
  { prune, vocabulary, fallback, onProgress, signal }: KneserNeyOptions = {},
): Promise<NgramEstimate> {
  const allowed =
    vocabulary && Uint8Array.from(text.words, (word, id) => +(id <= END || vocabulary.has(word)));
  const turn = async () => {
    await new Promise(setImmediate);
    signal?.throwIfAborted();
  };
  const options: CountOptions = {
    prune: Array.from({ length: text.order }, (_, n) => prune?.[Math.min(n, prune.length - 1)] ?? 0),
    allowed: allowed ? (word) => allowed[word] === 1 : () => true,
    turn,
  };
  onProgress?.("counting");
  const orders = await countNgrams(text, options);
  const discounts = orders.map(({ order, countsOfCounts }) =>
    estimateDiscounts(order, countsOfCounts, fallback),
  );
  const counts = orders.map(({ pruned }) => pruned.reduce((count, out) => count + 1 - out, 0));
  onProgress?.("smoothing");
  const probabilities: Float32Array[] = [];
  const backoffs: Float32Array[] = [];
  for (const [i, ngrams] of orders.entries()) {
    await turn();
    // Of the n-grams of the order below, in which each one's context is.
    const contexts = sumContexts(ngrams, i === 0 ? 1 : orders[i - 1]!.size, discounts[i]!);
    if (i === 0) probabilities.push(smoothUnigrams(ngrams, contexts, discounts[0]!, counts[0]!));
    else {
      backoffs.push(contexts.gammas);
      probabilities.push(smooth(ngrams, contexts, discounts[i]!, probabilities[i - 1]!));
    }
  }
  return {
    order: text.order,
    words: text.words,
    counts,
    discounts,
    *ngrams(order) {
      const { size, last, pruned } = orders[order - 1]!;
      const { tokens } = text;
      const ngram = { words: new Int32Array(order), logProbability: 0, logBackoff: 0 };
      for (let i = 0; i < size; i++) {
        if (pruned[i] === 1) continue;
        if (order === 1) ngram.words[0] = i;
        else for (let w = 0; w < order; w++) ngram.words[w] = tokens[last[i]! - order + 1 + w]!;
        ngram.logProbability = Math.min(0, log10(probabilities[order - 1]![i]!));
        const lastWord = ngram.words[order - 1];
        const isContext = order < text.order && lastWord !== END && lastWord !== UNKNOWN;
        ngram.logBackoff = isContext ? log10(backoffs[order - 1]![i]!) : 0;
        yield ngram;
      }
    },
  };
}

interface Contexts {
  /** Sums of the adjusted counts behind each context, those of pruned n-grams too. */
  denominators: Float32Array;
  /** What is left for the order below: the back-off. */
  gammas: Float32Array;
}

function sumContexts(
  { size, adjusted, context, pruned }: NgramCounts,
  contexts: number,
  discounts: Discounts,
): Contexts {
  const sums = new Float64Array(contexts);
  const lost = new Float64Array(contexts);
  const [one, two, more] = [new Int32Array(contexts), new Int32Array(contexts), new Int32Array(contexts)];
  for (let i = 0; i < size; i++) {
    const [c, count] = [context[i]!, adjusted[i]!];
    sums[c]! += count;
    if (pruned[i] === 1) lost[c]! += count;
    else if (count === 1) one[c]!++;
    else if (count === 2) two[c]!++;
    else if (count > 2) more[c]!++;
  }
  const denominators = Float32Array.from(sums);
  const gammas = Float32Array.from(denominators, (denominator, c) => {
    let mass = f(discounts[0] * one[c]!);
    mass = f(mass + f(discounts[1] * two[c]!));
    mass = f(mass + f(discounts[2] * more[c]!));
    return f(f(mass + f(lost[c]!)) / denominator);
  });
  return { denominators, gammas };
}

function smoothUnigrams(
  { size, adjusted }: NgramCounts,
  { denominators, gammas }: Contexts,
  discounts: Discounts,
  known: number,
): Float32Array {
  const uniform = f(1 / f(known - 1)); // over all but <s>
  const share = f(gammas[0]! * uniform);
  const probabilities = new Float32Array(size);
  for (let word = 0; word < size; word++)
    probabilities[word] = f(f(discounted(adjusted[word]!, discounts) / denominators[0]!) + share);
  probabilities[BEGIN] = 1;
  return probabilities;
}

function smooth(
  { size, adjusted, context, suffix }: NgramCounts,
  { denominators, gammas }: Contexts,
  discounts: Discounts,
  below: Float32Array,
): Float32Array {
  const probabilities = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const c = context[i]!;
    const own = f(discounted(adjusted[i]!, discounts) / denominators[c]!);
    probabilities[i] = f(own + f(gammas[c]! * below[suffix[i]!]!));
  }
  return probabilities;
}

function discounted(count: number, [one, two, more]: Discounts): number {
  if (count === 0) return 0;
  return f(f(count) - (count === 1 ? one : count === 2 ? two : more));
}

/** In float32. */
function log10(value: number): number {
  return f(Math.log10(value));
}
