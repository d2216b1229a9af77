import type { LanguageModel } from "../language-model/language-model.js";
import type { CtcTokenizer } from "../tokenizer.js";
import { CharacterTrie } from "./character-trie.js";
import { Speller } from "./speller.js";

/** The words of a language model that a vocabulary can spell. */
export interface Lexicon {
  /** Their numbers in the language model. */
  trie: CharacterTrie;
  /** How many the language model knows, and how many of them can be spelled. */
  words: number;
  spelled: number;
}

/** Decoders with other weights, of which tuning makes many, share it. */
const made = new WeakMap<LanguageModel, WeakMap<CtcTokenizer, Lexicon>>();

export function lexiconOf(tokenizer: CtcTokenizer, lm: LanguageModel): Lexicon {
  const ofModel = made.get(lm) ?? new WeakMap<CtcTokenizer, Lexicon>();
  made.set(lm, ofModel);
  const lexicon = ofModel.get(tokenizer) ?? makeLexicon(tokenizer, lm);
  ofModel.set(tokenizer, lexicon);
  return lexicon;
}

function makeLexicon(tokenizer: CtcTokenizer, lm: LanguageModel): Lexicon {
  const speller = new Speller(tokenizer);
  const spelled = new Map<string, number>();
  let words = 0;
  for (const word of lm.words()) {
    words++;
    if (speller.spells(word)) spelled.set(word, lm.wordId(word));
  }
  return { trie: new CharacterTrie(spelled), words, spelled: spelled.size };
}
