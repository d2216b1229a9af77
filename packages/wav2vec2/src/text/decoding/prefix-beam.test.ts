import { describe, expect, it } from "vitest";
import { TINY_MODEL as LM } from "../../../test/recognition/arpa-fixture.js";
import { Random } from "../../data/random.js";
import { CtcTokenizer } from "../tokenizer.js";
import { Vocabulary } from "../vocabulary.js";
import { CtcDecoder } from "./ctc-decoder.js";
import type { DecodingOptions } from "./decoding-options.js";

/** Everything is followed. */
const WIDE = {
  beamWidth: 5000,
  tokenMinLogp: Number.NEGATIVE_INFINITY,
  beamPruneLogp: Number.NEGATIVE_INFINITY,
};

/** ln P of each text: all alignments of so many frames added up. */
function textProbabilities(
  logits: Float32Array,
  frames: number,
  tokenizer: CtcTokenizer,
): Map<string, number> {
  const { size, blankId } = tokenizer.vocabulary;
  const sums = new Map<string, number>();
  for (let path = 0; path < size ** frames; path++) {
    let [probability, previous, rest] = [1, -1, path];
    const labels: number[] = [];
    for (let frame = 0; frame < frames; frame++) {
      const row = logits.subarray(frame * size, (frame + 1) * size);
      const id = rest % size;
      rest = Math.floor(rest / size);
      probability *= Math.exp(row[id]!) / row.reduce((sum, value) => sum + Math.exp(value), 0);
      if (id !== previous && id !== blankId) labels.push(id);
      previous = id;
    }
    const text = tokenizer.decode(labels, { groupTokens: false }).replace(/ +/gu, " ");
    sums.set(text, (sums.get(text) ?? 0) + probability);
  }
  return new Map([...sums].map(([text, sum]) => [text, Math.log(sum)]));
}

/** What the words of a text add, as pyctcdecode counts. */
function wordsScore(words: string[], options: DecodingOptions): number {
  const { languageModel: lm, lmWeight = 0.5, wordScore = 1.5, unknownScore = -10 } = options;
  let score = 0;
  for (const word of words) if (options.hotwords?.includes(word)) score += options.hotwordWeight ?? 10;
  if (!lm) return score;
  const known = new Set(lm.words());
  let state = lm.begin;
  for (const word of words) {
    const id = known.has(word) ? lm.wordId(word) : lm.unknownWord;
    score += lmWeight * lm.score(state, id) + wordScore;
    const allowed =
      known.has(word) || (unknownScore === Number.NEGATIVE_INFINITY && options.hotwords?.includes(word));
    if (!allowed) score += lmWeight * Math.LN10 * unknownScore;
    state = lm.next(state, id);
  }
  return score + lmWeight * lm.end(state);
}

function compareWithAll(
  random: Random,
  tokenizer: CtcTokenizer,
  options: DecodingOptions,
  wordsOf = (text: string) => text.split(" ").filter(Boolean),
): void {
  const frames = 1 + random.integer(5);
  const logits = Float32Array.from(
    { length: frames * tokenizer.vocabulary.size },
    () => 4 * random.uniform(),
  );
  const ranked = [...textProbabilities(logits, frames, tokenizer)]
    .map(([text, acoustic]) => ({ text, acoustic, score: acoustic + wordsScore(wordsOf(text), options) }))
    .sort((a, b) => b.score - a.score);
  const found = new CtcDecoder(tokenizer, { ...WIDE, ...options }).nBest(logits, frames, 8);
  const finite = ranked.filter(({ score }) => score > Number.NEGATIVE_INFINITY).slice(0, 8);
  expect(found.length).toBe(finite.length);
  for (const [i, { text, score, acousticScore }] of found.entries()) {
    expect(text).toBe(finite[i]!.text);
    expect(score).toBeCloseTo(finite[i]!.score, 9);
    expect(acousticScore).toBeCloseTo(finite[i]!.acoustic, 9);
  }
  // The search for one alone gives up what another beats for now, and with it a little of its alignments.
  const { text, score } = new CtcDecoder(tokenizer, { ...WIDE, ...options }).decode(logits, frames);
  expect(score).toBeLessThanOrEqual(ranked.find((entry) => entry.text === text)!.score + 1e-9);
  expect(score).toBeGreaterThan(ranked[0]!.score - 0.25);
}

const LETTERS = new CtcTokenizer(new Vocabulary(["<pad>", "|", "a", "b"]));
const CASES: Record<string, DecodingOptions> = {
  "alignments alone": {},
  "a language model": { languageModel: LM },
  "a heavy language model": { languageModel: LM, lmWeight: 2.5, wordScore: 0.5, unknownScore: -0.3 },
  "a language model without weight": { languageModel: LM, lmWeight: 0, wordScore: -1 },
  hotwords: { hotwords: ["ba", "b"], hotwordWeight: 1.7 },
  "known words alone": { languageModel: LM, unknownScore: Number.NEGATIVE_INFINITY },
  "known words and hotwords alone": {
    languageModel: LM,
    unknownScore: Number.NEGATIVE_INFINITY,
    hotwords: ["ba"],
    hotwordWeight: 2,
  },
  "a language model and hotwords": {
    languageModel: LM,
    hotwords: ["ba", "ab"],
    unknownScore: -2,
    hotwordWeight: 3,
  },
};

describe("prefix beam search", () => {
  for (const [name, options] of Object.entries(CASES))
    it(`finds what an exhaustive search finds, with ${name}`, () => {
      const random = new Random(3, "beam", name);
      for (let trial = 0; trial < 25; trial++) compareWithAll(random, LETTERS, options);
    });

  it("does so for other vocabularies: no delimiter, long tokens, tokens without text, lower case", () => {
    const random = new Random(4, "beam");
    const singles = (text: string) => [...text];
    for (let trial = 0; trial < 12; trial++) {
      const letters = new CtcTokenizer(new Vocabulary(["a", "[PAD]", "b"]));
      compareWithAll(random, letters, {});
      compareWithAll(random, letters, { languageModel: LM, unknownScore: -0.5 }, singles);
      const long = new CtcTokenizer(new Vocabulary(["<pad>", "ab", "|", "b"]));
      compareWithAll(random, long, { languageModel: LM, unknownScore: -1, hotwords: ["bab"] });
      const capitals = new CtcTokenizer(new Vocabulary(["<pad>", "A", "|", "B"]), { lowerCase: true });
      compareWithAll(random, capitals, { languageModel: LM, hotwords: ["ba"] });
    }
  });
});
