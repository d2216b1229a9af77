import { BEGIN, END, type TokenizedText, UNKNOWN } from "./tokenized-text.js";

/** The different n-grams of one order, sorted by their last word, then the one before it and so on. */
export interface NgramCounts {
  readonly order: number;
  readonly size: number;
  /** Where in the text's tokens each one's last word is. Of unigrams: the word itself. */
  readonly last: Int32Array;
  /**
   * Adjusted counts (Kneser and Ney 1995): how many different words stand before it. How often it occurs where it is of
   * the highest order or begins with `<s>`, before which nothing stands.
   */
  readonly adjusted: Int32Array;
  /** Which n-gram of the order below each one is without its first word. */
  readonly suffix: Int32Array;
  /** Which n-gram of the order below each one is without its last word. */
  readonly context: Int32Array;
  /** 1 where the n-gram is left out of the model. */
  readonly pruned: Uint8Array;
  /** How many n-grams have an adjusted count of 1, 2, 3 and 4; the first number is not used. */
  readonly countsOfCounts: readonly number[];
}

export interface CountOptions {
  /** Of each order: n-grams that occur so often at most are left out. */
  prune: readonly number[];
  /** Whether the word of this number may be in n-grams of the model. */
  allowed: (word: number) => boolean;
  /** Is called before each part of the work; what it throws ends it. */
  turn: () => Promise<void>;
}

/**
 * Counts the n-grams of a text, of each order from 1 to the text's.
 *
 * All orders come from one sorting of the text's places by the words that end there, last words first: n-grams that are
 * the same lie side by side in every order, and those that are parts of others (their suffixes) around them.
 */
export async function countNgrams(text: TokenizedText, options: CountOptions): Promise<NgramCounts[]> {
  const places = await sortPlaces(text, options.turn);
  await options.turn();
  const shared = sharedWords(text, places);
  const orders: NgramCounts[] = [unigramCounts(text, places, shared, options)];
  // Which n-gram of the order before ends at each place, and which one that was at the sorted place.
  let endingAt: Int32Array = text.tokens;
  let current: Int32Array = Int32Array.from(places, (place) => text.tokens[place]!);
  for (let order = 2; order <= text.order; order++) {
    await options.turn();
    const counted = countOrder(text, places, shared, order, endingAt, current, options);
    orders.push(counted.counts);
    ({ endingAt, current } = counted);
  }
  return orders;
}

/** Places of words and sentence ends, sorted by the words that end there: a radix sort, a word a pass. */
async function sortPlaces(
  { tokens, order, words, wordCount, sentences }: TokenizedText,
  turn: () => Promise<void>,
): Promise<Int32Array> {
  let places = new Int32Array(wordCount + sentences);
  for (let place = 0, i = 0; place < tokens.length; place++) if (tokens[place] !== BEGIN) places[i++] = place;
  let sorted = new Int32Array(places.length);
  for (let back = order - 1; back >= 0; back--) {
    await turn();
    const starts = new Int32Array(words.length + 1);
    for (let i = 0; i < places.length; i++) starts[tokens[places[i]! - back]! + 1]!++;
    for (let word = 0; word < words.length; word++) starts[word + 1]! += starts[word]!;
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      sorted[starts[tokens[place - back]!]!++] = place;
    }
    [places, sorted] = [sorted, places];
  }
  return places;
}

/** How many of its last words, the order at most, each sorted place has in common with the one before. */
function sharedWords({ tokens, order }: TokenizedText, places: Int32Array): Uint8Array {
  const shared = new Uint8Array(places.length);
  for (let i = 1; i < places.length; i++) {
    const [a, b] = [places[i - 1]!, places[i]!];
    let same = 0;
    while (same < order && tokens[a - same] === tokens[b - same]) same++;
    shared[i] = same;
  }
  return shared;
}

function unigramCounts(
  { words, tokens, order }: TokenizedText,
  places: Int32Array,
  shared: Uint8Array,
  { prune, allowed }: CountOptions,
): NgramCounts {
  const size = words.length;
  const adjusted = new Int32Array(size);
  const occurrences = new Int32Array(size);
  for (let i = 0; i < places.length; i++) {
    const word = tokens[places[i]!]!;
    occurrences[word]!++;
    if (order === 1 || shared[i]! < 2) adjusted[word]!++;
  }
  const pruned = new Uint8Array(size);
  const countsOfCounts = [0, 0, 0, 0, 0];
  for (let word = 0; word < size; word++) {
    if (word > END && (occurrences[word]! <= prune[0]! || !allowed(word))) pruned[word] = 1;
    if (word !== UNKNOWN && word !== BEGIN) tally(countsOfCounts, adjusted[word]!);
  }
  if (order > 1 && places.length > 0)
    tallyLast(countsOfCounts, adjusted[size - 1]!, occurrences[tokens[places.at(-1)!]!]!);
  return {
    order: 1,
    size,
    last: Int32Array.from({ length: size }, (_, word) => word),
    adjusted,
    suffix: new Int32Array(size),
    context: new Int32Array(size),
    pruned,
    countsOfCounts,
  };
}

function countOrder(
  { tokens, order: highest }: TokenizedText,
  places: Int32Array,
  shared: Uint8Array,
  order: number,
  contextEndingAt: Int32Array,
  suffixAt: Int32Array,
  { prune, allowed }: CountOptions,
): { counts: NgramCounts; endingAt: Int32Array; current: Int32Array } {
  const capacity = places.length;
  const columns = () => new Int32Array(capacity);
  const [last, adjusted, suffix, context] = [columns(), columns(), columns(), columns()];
  const pruned = new Uint8Array(capacity);
  const countsOfCounts = [0, 0, 0, 0, 0];
  const endingAt = new Int32Array(tokens.length).fill(-1);
  const current = new Int32Array(places.length).fill(-1);
  let size = 0;
  let lastOccurrences = 0;
  for (let start = 0, end = 0; start < places.length; start = end) {
    let different = 1;
    for (end = start + 1; end < places.length && shared[end]! >= order; end++)
      if (shared[end] === order) different++;
    const place = places[start]!;
    const first = place - order + 1;
    lastOccurrences = 0;
    if (tokens[first + 1] === BEGIN) continue; // more than one mark before the sentence's first word
    const occurrences = end - start;
    lastOccurrences = occurrences;
    last[size] = place;
    adjusted[size] = order === highest || tokens[first] === BEGIN ? occurrences : different;
    suffix[size] = suffixAt[start]!;
    context[size] = contextEndingAt[place - 1]!;
    if (occurrences <= prune[order - 1]! || !allWords(tokens, first, place, allowed)) pruned[size] = 1;
    tally(countsOfCounts, adjusted[size]!);
    for (let i = start; i < end; i++) {
      endingAt[places[i]!] = size;
      current[i] = size;
    }
    size++;
  }
  if (order < highest && lastOccurrences > 0) tallyLast(countsOfCounts, adjusted[size - 1]!, lastOccurrences);
  return {
    counts: {
      order,
      size,
      last: last.slice(0, size),
      adjusted: adjusted.slice(0, size),
      suffix: suffix.slice(0, size),
      context: context.slice(0, size),
      pruned: pruned.slice(0, size),
      countsOfCounts,
    },
    endingAt,
    current,
  };
}

function allWords(
  tokens: Int32Array,
  first: number,
  last: number,
  allowed: (word: number) => boolean,
): boolean {
  for (let place = first; place <= last; place++) if (!allowed(tokens[place]!)) return false;
  return true;
}

function tally(countsOfCounts: number[], count: number): void {
  if (count < countsOfCounts.length) countsOfCounts[count]!++;
}

/**
 * lmplz takes the last n-gram of a lower order into its statistics as often as it occurs, not by its adjusted count
 * (adjust_counts.cc, behind its loop). One n-gram of all is hardly seen in the discounts, but without it they would not
 * be lmplz's to the last digit.
 */
function tallyLast(countsOfCounts: number[], adjusted: number, occurrences: number): void {
  if (adjusted < countsOfCounts.length) countsOfCounts[adjusted]!--;
  tally(countsOfCounts, occurrences);
}
