import type { Steps } from "../../../in-turns.js";
import type { LanguageModel } from "../../language-model/language-model.js";
import type { CtcTokenizer } from "../../tokenizer.js";
import { CharacterTrie } from "./character-trie.js";
import { Speller } from "./speller.js";

/** The words of a language model that a vocabulary can spell, some in another form than the model has. */
export interface Lexicon {
  /** Their numbers in the language model, by the vocabulary's spelling. */
  trie: CharacterTrie;
  /** Of each node, ln P of the likeliest word that begins so, whatever stands before. */
  likeliest: Float64Array;
  /** How many the language model knows, and how many of them can be spelled. */
  words: number;
  spelled: number;
}

/** Decoders with other weights, of which tuning makes many, share it. */
const made = new WeakMap<LanguageModel, WeakMap<CtcTokenizer, Lexicon>>();

/** Words, or beginnings of words, that are looked at in one step. */
const WORDS = 2 ** 11;

export function* lexiconOf(tokenizer: CtcTokenizer, lm: LanguageModel): Steps<Lexicon> {
  const ofModel = made.get(lm) ?? new WeakMap<CtcTokenizer, Lexicon>();
  made.set(lm, ofModel);
  const lexicon = ofModel.get(tokenizer) ?? (yield* makeLexicon(tokenizer, lm));
  ofModel.set(tokenizer, lexicon);
  return lexicon;
}

function* makeLexicon(tokenizer: CtcTokenizer, lm: LanguageModel): Steps<Lexicon> {
  const speller = new Speller(tokenizer);
  const numbers = new Map<string, number>();
  const others: string[] = [];
  let words = 0;
  for (const word of lm.words()) {
    if (++words % WORDS === 0) yield;
    if (speller.spells(word)) numbers.set(word, lm.wordId(word));
    else others.push(word);
  }
  let spelled = numbers.size;
  // A word that the model has in the vocabulary's form goes before the same in another.
  for (const [index, word] of others.entries()) {
    if (index % WORDS === WORDS - 1) yield;
    const spelling = speller.spelling(word);
    if (spelling === undefined) continue;
    spelled++;
    if (!numbers.has(spelling)) numbers.set(spelling, lm.wordId(word));
  }
  const trie = yield* CharacterTrie.inSteps(numbers);
  return { trie, likeliest: yield* likeliestWords(trie, lm), words, spelled };
}

function* likeliestWords(trie: CharacterTrie, lm: LanguageModel): Steps<Float64Array> {
  const likeliest = new Float64Array(trie.size).fill(Number.NEGATIVE_INFINITY);
  // Nodes stand level by level: children behind their parents.
  for (let node = trie.size - 1; node > 0; node--) {
    const word = trie.values[node]!;
    if (word >= 0) likeliest[node] = Math.max(likeliest[node]!, lm.score(lm.empty, word));
    const parent = trie.parents[node]!;
    likeliest[parent] = Math.max(likeliest[parent]!, likeliest[node]!);
    if (node % WORDS === 0) yield;
  }
  return likeliest;
}
