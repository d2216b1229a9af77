import type { Steps } from "../../../in-turns.js";
import type { LanguageModel } from "../../language-model/language-model.js";
import type { CtcTokenizer } from "../../tokenizer.js";
import type { ResolvedDecodingOptions } from "../decoding-options.js";
import { labelText } from "../label-text.js";
import type { PrefixTree } from "../prefix-tree.js";
import { CharacterTrie } from "./character-trie.js";
import { Hotwords } from "./hotwords.js";
import { type Lexicon, lexiconOf } from "./lexicon.js";

/** Letters up to which an unknown beginning costs the same; pyctcdecode's AVG_TOKEN_LEN. */
const USUAL_WORD_LENGTH = 6;

/**
 * What words add to the score of a prefix. A word is what stands between two word delimiters; where the vocabulary has
 * no delimiter each token is one.
 *
 * The score is pyctcdecode's: for each finished word `lmWeight * ln P(word | words before) + wordScore`, for one that
 * the language model does not know `lmWeight * ln(10) * unknownScore` besides, and `hotwordWeight` for a hotword. What
 * the last word adds while it is unfinished decides which prefixes are kept, no more: its share of the shortest hotword
 * that begins so; where none does, `lmWeight * ln P` of the likeliest word that begins so (flashlight's "smearing", which
 * pyctcdecode has not); where none does either, `unknownScore`, and more for more than six letters.
 */
export class WordScorer {
  readonly #lm: LanguageModel | undefined;
  readonly #options: ResolvedDecodingOptions;
  readonly #texts: readonly string[];
  /** Letters (code points) of each token. */
  readonly #lengths: readonly number[];
  readonly #delimiter: number;
  readonly #lexicon: CharacterTrie;
  readonly #likeliest: Float64Array;
  readonly #hotwords: Hotwords | undefined;
  /** What {@link #finish} found. */
  #words = 0;
  #lmScore = 0;
  #state = 0;

  static *inSteps(tokenizer: CtcTokenizer, options: ResolvedDecodingOptions): Steps<WordScorer> {
    const { languageModel, hotwords, hotwordWeight } = options;
    const lexicon = languageModel && (yield* lexiconOf(tokenizer, languageModel));
    const favoured = hotwords.length > 0 ? yield* Hotwords.inSteps(hotwords, hotwordWeight) : undefined;
    return new WordScorer(tokenizer, options, lexicon, favoured);
  }

  private constructor(
    tokenizer: CtcTokenizer,
    options: ResolvedDecodingOptions,
    lexicon: Lexicon | undefined,
    hotwords: Hotwords | undefined,
  ) {
    this.#lm = options.languageModel;
    this.#options = options;
    this.#texts = labelText(tokenizer);
    this.#lengths = this.#texts.map((text) => [...text].length);
    this.#delimiter = tokenizer.vocabulary.delimiterId ?? -1;
    this.#lexicon = lexicon?.trie ?? new CharacterTrie(new Map());
    this.#likeliest = lexicon?.likeliest ?? new Float64Array(1);
    this.#hotwords = hotwords;
  }

  /** The most that one more label can add to what a prefix's finished words add. */
  get mostGain(): number {
    const { wordScore, hotwordWeight } = this.#options;
    return (this.#lm ? Math.max(0, wordScore) : 0) + (this.#hotwords ? 2 * Math.max(0, hotwordWeight) : 0);
  }

  /** Makes a node the beginning of a sentence. */
  begin(tree: PrefixTree, root: number): void {
    tree.length[root] = 0;
    tree.lexicon[root] = CharacterTrie.ROOT;
    tree.hotword[root] = CharacterTrie.ROOT;
    tree.state[root] = this.#lm?.begin ?? 0;
    tree.words[root] = 0;
    tree.partial[root] = 0;
    tree.lm[root] = 0;
  }

  /** Whether a label may go on from a node; false only where unknown words are not allowed. */
  allows(tree: PrefixTree, node: number, label: number): boolean {
    if (!this.#lm || this.#options.unknownScore > Number.NEGATIVE_INFINITY) return true;
    const [lexicon, hotword] = [tree.lexicon[node]!, tree.hotword[node]!];
    if (label === this.#delimiter) return tree.length[node] === 0 || this.#isKnown(lexicon, hotword);
    const text = this.#texts[label]!;
    if (text === "") return true;
    const next = this.#lexicon.walk(lexicon, text);
    if (this.#delimiter < 0) return this.#isKnown(next, this.#hotwords?.follow(hotword, text) ?? -1);
    return next >= 0 || (this.#hotwords?.walk(hotword, text) ?? -1) >= 0;
  }

  /** Fills a node in from its parent's and its last label. */
  extend(tree: PrefixTree, parent: number, node: number, label: number): void {
    tree.length[node] = tree.length[parent]!;
    tree.lexicon[node] = tree.lexicon[parent]!;
    tree.hotword[node] = tree.hotword[parent]!;
    tree.state[node] = tree.state[parent]!;
    tree.words[node] = tree.words[parent]!;
    tree.partial[node] = tree.partial[parent]!;
    tree.lm[node] = tree.lm[parent]!;
    if (label === this.#delimiter) {
      if (tree.length[node]! > 0) this.#nextWord(tree, node);
      return;
    }
    const text = this.#texts[label]!;
    if (text === "") return;
    tree.length[node]! += this.#lengths[label]!;
    tree.lexicon[node] = this.#lexicon.walk(tree.lexicon[node]!, text);
    if (this.#delimiter >= 0) {
      if (this.#hotwords) tree.hotword[node] = this.#hotwords.walk(tree.hotword[node]!, text);
      tree.partial[node] = this.#partialScore(tree, node);
    } else {
      if (this.#hotwords) tree.hotword[node] = this.#hotwords.follow(tree.hotword[node]!, text);
      this.#nextWord(tree, node);
    }
  }

  /** A prefix's score and ln P of its text where the sentence ends behind it. @param whole false leaves an unfinished word out */
  end(tree: PrefixTree, node: number, whole = true): { words: number; lm: number } {
    this.#words = tree.words[node]!;
    this.#lmScore = tree.lm[node]!;
    this.#state = tree.state[node]!;
    if (whole && tree.length[node]! > 0) this.#finish(tree, node);
    if (this.#lm) this.#addLogp(this.#lm.end(this.#state));
    return { words: this.#words, lm: this.#lmScore };
  }

  #partialScore(tree: PrefixTree, node: number): number {
    const { lmWeight, unknownScore } = this.#options;
    const hotword = tree.hotword[node]!;
    if (this.#hotwords && hotword >= 0) return this.#hotwords.bonus(hotword);
    if (!this.#lm) return 0;
    const lexicon = tree.lexicon[node]!;
    if (lexicon >= 0) return weighted(lmWeight, this.#likeliest[lexicon]!);
    return unknownScore * Math.max(1, tree.length[node]! / USUAL_WORD_LENGTH);
  }

  #nextWord(tree: PrefixTree, node: number): void {
    const phrase = this.#delimiter < 0 && this.#hotwords && !this.#hotwords.isWord(tree.hotword[node]!);
    this.#finish(tree, node);
    tree.words[node] = this.#words;
    tree.lm[node] = this.#lmScore;
    tree.state[node] = this.#state;
    tree.length[node] = 0;
    tree.lexicon[node] = CharacterTrie.ROOT;
    // Without delimiters a hotword may need more tokens.
    if (!phrase) tree.hotword[node] = CharacterTrie.ROOT;
    tree.partial[node] = phrase ? this.#hotwords!.bonus(tree.hotword[node]!) : 0;
  }

  /** What a node's finished words come to with its unfinished one. */
  #finish(tree: PrefixTree, node: number): void {
    const { wordScore, unknownScore, lmWeight, hotwordWeight } = this.#options;
    const isHotword = this.#hotwords?.isWord(tree.hotword[node]!) ?? false;
    this.#words = tree.words[node]! + (isHotword ? hotwordWeight : 0);
    this.#lmScore = tree.lm[node]!;
    this.#state = tree.state[node]!;
    const lm = this.#lm;
    if (!lm) return;
    const lexicon = tree.lexicon[node]!;
    const known = lexicon >= 0 ? this.#lexicon.values[lexicon]! : -1;
    const word = known >= 0 ? known : lm.unknownWord;
    this.#addLogp(lm.score(this.#state, word));
    this.#words += wordScore;
    if (known < 0 && !(isHotword && unknownScore === Number.NEGATIVE_INFINITY))
      this.#words +=
        unknownScore === Number.NEGATIVE_INFINITY ? unknownScore : lmWeight * Math.LN10 * unknownScore;
    this.#state = lm.next(this.#state, word);
  }

  /** Whether a word may be where only known ones are allowed. */
  #isKnown(lexicon: number, hotword: number): boolean {
    return (
      (lexicon >= 0 && this.#lexicon.values[lexicon]! >= 0) || (this.#hotwords?.isWord(hotword) ?? false)
    );
  }

  #addLogp(logp: number): void {
    this.#lmScore += logp;
    this.#words += weighted(this.#options.lmWeight, logp);
  }
}

/** The product, without the NaN of 0 times -Infinity. */
function weighted(weight: number, logp: number): number {
  return weight > 0 ? weight * logp : 0;
}
