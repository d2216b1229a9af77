import { describe, expect, it } from "vitest";
import { arpaModel, TINY_MODEL } from "../../../test/recognition/arpa-fixture.js";
import { Random } from "../../data/random.js";
import { CtcTokenizer } from "../tokenizer.js";
import { Vocabulary } from "../vocabulary.js";
import { CtcDecoder, type Hypothesis } from "./ctc-decoder.js";
import type { DecodingOptions } from "./decoding-options.js";
import { greedyDecode } from "./greedy.js";

const TOKENIZER = new CtcTokenizer(new Vocabulary(["<pad>", "|", "a", "b"]));
const CASES: Record<string, DecodingOptions> = {
  greedy: { beamWidth: 1 },
  "alignments alone": {},
  "a language model": { languageModel: TINY_MODEL, unknownScore: -1 },
  "known words alone": { languageModel: TINY_MODEL, unknownScore: Number.NEGATIVE_INFINITY },
  hotwords: { hotwords: ["ab", "ba"], beamWidth: 7 },
};

function noise(random: Random, frames: number, vocabulary = 4): Float32Array {
  return Float32Array.from({ length: frames * vocabulary }, () => 6 * random.uniform());
}

/** Frames of 4 tokens that are nearly sure of the given ones. */
function sure(ids: number[], other = -8): Float32Array {
  return Float32Array.from(ids.flatMap((best) => [0, 1, 2, 3].map((id) => (id === best ? 0 : other))));
}

function plain({ labels, ...rest }: Hypothesis) {
  return { ...rest, labels: [...labels] };
}

describe("CtcDecoder", () => {
  it("takes the likeliest token of each frame where the beam has one prefix and no words count", () => {
    const random = new Random(1, "greedy");
    const logits = noise(random, 80);
    const { labels, blankShare } = greedyDecode(logits, 80, 4, 0);
    const decoded = new CtcDecoder(TOKENIZER, { beamWidth: 1 }).decode(logits, 80);
    expect([...decoded.labels]).toEqual([...labels]);
    expect(decoded.blankShare).toBe(blankShare);
    expect(decoded.text).toBe(TOKENIZER.decode(labels, { groupTokens: false }));
    const best = Array.from({ length: 80 }, (_, frame) => {
      const row = logits.subarray(4 * frame, 4 * frame + 4);
      return Math.max(...row) - Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
    });
    expect(decoded.acousticScore).toBeCloseTo(best.reduce((a, b) => a + b));
    expect(decoded.score).toBe(decoded.acousticScore);
  });

  it("keeps a label that is spread over frames, each of which prefers the blank", () => {
    const row = [Math.log(0.6), -50, Math.log(0.4), -50];
    const decoder = new CtcDecoder(TOKENIZER);
    expect(decoder.decode(Float32Array.from([...row, ...row]), 2).text).toBe("a");
  });

  it("adds up word delimiters in a row, at the beginning and at the end", () => {
    const { labels, acousticScore } = new CtcDecoder(TOKENIZER).decode(sure([1, 0, 1, 2, 1, 0, 1, 3, 1]), 9);
    expect([...labels]).toEqual([2, 1, 3]);
    expect(acousticScore).toBeGreaterThan(-0.1);
  });

  for (const [name, options] of Object.entries(CASES))
    it(`decodes a stream in any pieces as it decodes the whole, with ${name}`, () => {
      const random = new Random(2, "stream", name);
      const decoder = new CtcDecoder(TOKENIZER, options);
      for (const frames of [0, 1, 40, 2000]) {
        const logits = noise(random, frames);
        const stream = decoder.stream();
        for (let from = 0; from < frames; ) {
          const to = Math.min(frames, from + random.integer(30));
          stream.push(logits.subarray(4 * from, 4 * to), to - from);
          from = to;
        }
        expect(plain(stream.finish())).toEqual(plain(decoder.decode(logits, frames)));
      }
    });

  it("goes on behind a cut as if there were none where the best is sure", () => {
    // ab|a|b with silence between
    const ids = [0, 2, 0, 3, 3, 1, 0, 2, 2, 0, 1, 0, 3, 0];
    for (const [name, options] of Object.entries(CASES)) {
      const decoder = new CtcDecoder(TOKENIZER, { ...options, hotwordWeight: 1 });
      const whole = decoder.decode(sure(ids, -40), ids.length);
      expect(whole.text, name).toBe(name === "known words alone" ? "ab a" : "ab a b");
      for (let place = 0; place <= ids.length; place++) {
        const stream = decoder.stream();
        stream.push(sure(ids.slice(0, place), -40), place);
        const partial = stream.partial();
        const first = stream.cut();
        expect(plain(first)).toEqual(plain(partial));
        stream.push(sure(ids.slice(place), -40), ids.length - place);
        const second = stream.finish();
        if (name !== "known words alone")
          expect([...first.labels, ...second.labels].join(), `${name} ${place}`).toMatch(
            /^2,3,1,2,1,3(,1)?$/u,
          );
        expect(first.score + second.score).toBeCloseTo(whole.score, 9);
        expect(first.lmScore + second.lmScore).toBeCloseTo(whole.lmScore, 9);
      }
    }
  });

  it("counts blanks since the last cut", () => {
    for (const beamWidth of [1, 8]) {
      const stream = new CtcDecoder(TOKENIZER, { beamWidth }).stream();
      expect(stream.partial().blankShare).toBe(0);
      stream.push(sure([0, 2, 0, 0]), 4);
      expect(stream.cut().blankShare).toBe(0.75);
      stream.push(sure([2, 0]), 2);
      expect(stream.finish().blankShare).toBe(0.5);
      expect(stream.finish().text).toBe("a");
    }
  });

  it("finds other texts, best first, each once", () => {
    const random = new Random(5, "n-best");
    const decoder = new CtcDecoder(TOKENIZER, CASES["a language model"]);
    const found = decoder.nBest(noise(random, 12), 12, 20);
    expect(found).toHaveLength(20);
    expect(new Set(found.map(({ text }) => text)).size).toBe(20);
    for (const [i, { score }] of found.entries())
      if (i > 0) expect(score).toBeLessThanOrEqual(found[i - 1]!.score);
    expect(new CtcDecoder(TOKENIZER, { beamWidth: 1 }).nBest(noise(random, 12), 12, 20)).toHaveLength(1);
  });

  it("refuses sizes that do not fit and frames that are no numbers", () => {
    for (const options of [{ beamWidth: 1 }, { beamWidth: 4 }]) {
      const decoder = new CtcDecoder(TOKENIZER, options);
      expect(() => decoder.decode(new Float32Array(7), 2)).toThrow("2 x 4 values, but hold 7");
      const logits = sure([1, 2, 3]);
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        logits[9] = bad;
        const stream = decoder.stream();
        stream.push(logits.subarray(0, 4), 1);
        expect(() => stream.push(logits.subarray(4), 2)).toThrow("those of frame 2 are not");
      }
      expect(() => decoder.decode(new Float32Array(4).fill(Number.NEGATIVE_INFINITY), 1)).toThrow("frame 0");
      expect(decoder.decode(Float32Array.of(0, -1 / 0, -1 / 0, -1 / 0), 1).text).toBe("");
    }
  });

  it("refuses options out of range by their names", () => {
    const refused: [DecodingOptions, string][] = [
      [{ beamWidth: 0 }, "beamWidth must be a whole number from 1 to 100,000, but is 0"],
      [{ beamWidth: 2.5 }, "beamWidth"],
      [{ lmWeight: -1 }, "lmWeight must be a number of at least 0, but is -1"],
      [{ lmWeight: Number.NaN }, "lmWeight"],
      [{ wordScore: Number.POSITIVE_INFINITY }, "wordScore"],
      [{ hotwordWeight: Number.NaN }, "hotwordWeight"],
      [{ unknownScore: 1 }, "unknownScore must be at most 0"],
      [{ tokenMinLogp: 1 }, "tokenMinLogp"],
      [{ beamPruneLogp: Number.NaN }, "beamPruneLogp"],
      [
        { hotwords: "ab" as unknown as string[] },
        'hotwords of decoding must be a list of words, but is "ab".',
      ],
      [{ hotwords: ["ab abc"] }, '"abc" cannot be'],
      [
        { languageModel: arpaModel("\\1-grams:\n-1\tA\n-1\tB\n") },
        "another case: make one of a text in lower case",
      ],
    ];
    for (const [options, message] of refused)
      expect(() => new CtcDecoder(TOKENIZER, options)).toThrow(message);
  });
});

describe("known words alone", () => {
  const decoder = new CtcDecoder(TOKENIZER, CASES["known words alone"]);

  it("has no other word in any text", () => {
    const random = new Random(6, "lexicon");
    const known = ["a", "ab", "bb"];
    for (let trial = 0; trial < 12; trial++) {
      const frames = 1 + random.integer(40);
      for (const { text } of decoder.nBest(noise(random, frames), frames, 5))
        for (const word of text.split(" ").filter(Boolean)) expect(known).toContain(word);
    }
  });

  it("leaves out a word that is cut off at the end", () => {
    const { text, labels } = decoder.decode(sure([2, 1, 3], -40), 3);
    expect({ text, labels: [...labels] }).toEqual({ text: "a", labels: [2] });
  });
});

describe("words of a language model", () => {
  it.each([
    ["é", ["<pad>", "|", "e", "\u0301", "é̂"], "e\u0301"],
    ["e\u0301", ["<pad>", "|", "x", "é", "è"], "é"],
  ])("in the form %j are those of a vocabulary in another", (word, tokens, spelled) => {
    const languageModel = arpaModel(`\\1-grams:\n-9\t<unk>\n0\t${word}\n-5\t</s>\n`);
    const tokenizer = new CtcTokenizer(new Vocabulary(tokens));
    const decoder = new CtcDecoder(tokenizer, { languageModel, unknownScore: Number.NEGATIVE_INFINITY });
    const ids = [...tokenizer.encode(spelled)];
    const logits = Float32Array.from(ids.flatMap((best) => tokens.map((_, id) => (id === best ? 0 : -8))));
    expect(decoder.decode(logits, ids.length).text).toBe(spelled);
  });

  it("that are in both forms are each its own", () => {
    const languageModel = arpaModel("\\1-grams:\n-3\te\u0301\n-1\té\n-5\t</s>\n");
    const tokenizer = new CtcTokenizer(new Vocabulary(["<pad>", "|", "é"]));
    const { lmScore } = new CtcDecoder(tokenizer, { languageModel }).decode(Float32Array.of(-9, -9, 0), 1);
    expect(lmScore).toBeCloseTo(-6 * Math.LN10, 6); // é and the end
  });
});

describe("hotwords", () => {
  // "a" and "b" are equally likely in the second letter.
  const logits = Float32Array.of(-9, -9, 0, -9, 0, -9, -9, -9, -9, -9, -1, -0.9);

  it("decide where the audio does not", () => {
    const text = (options: DecodingOptions) => new CtcDecoder(TOKENIZER, options).decode(logits, 3).text;
    expect(text({})).toBe("ab");
    expect(text({ hotwords: ["aa"] })).toBe("aa");
    expect(text({ hotwords: ["b aa"], hotwordWeight: 0.2 })).toBe("aa");
    expect(text({ hotwords: ["aa"], hotwordWeight: 0.05 })).toBe("ab");
    expect(text({ hotwords: ["aab"], hotwordWeight: 1 })).toBe("ab"); // only whole words count in the end
  });

  it("are looked for in the vocabulary's form, whatever theirs is", () => {
    const tokens = ["<pad>", "|", "e", "\u0301", "’"];
    const decomposed = new CtcTokenizer(new Vocabulary(tokens));
    // e, and an accent or an apostrophe that are as likely
    const logits = Float32Array.of(-9, -9, 0, -9, -9, 0, -9, -9, -9, -9, -9, -9, -9, -1, -0.9);
    const text = (hotwords: string[]) => new CtcDecoder(decomposed, { hotwords }).decode(logits, 3).text;
    expect(text(["e'"])).toBe("e’");
    expect(text(["é"])).toBe("e\u0301");
    expect(text(["e\u0301"])).toBe("e\u0301");
    expect(() => text(["É"])).toThrow('Write "e\u0301".'); // case is no form
  });

  it("lift a prefix that is on the way to one", () => {
    const stream = new CtcDecoder(TOKENIZER, { hotwords: ["aab"], hotwordWeight: 1 }).stream();
    stream.push(logits, 3);
    expect(stream.partial().text).toBe("aa");
  });

  it("may begin at any token where words are not divided", () => {
    const tokens = new CtcTokenizer(new Vocabulary(["[PAD]", "a", "b", "c"]));
    const random = new Random(8, "hotwords");
    const logits = noise(random, 4);
    const score = (text: string, hotwords: string[]) =>
      new CtcDecoder(tokens, { hotwords, hotwordWeight: 3, beamPruneLogp: -100, tokenMinLogp: -100 })
        .nBest(logits, 4, 99)
        .find((found) => found.text === text)!;
    for (const [text, hotwords, count] of [
      ["abc", ["bc"], 1],
      ["abab", ["ab"], 2],
      ["acab", ["acb", "ab"], 1], // the longest beginning that still fits is followed
      ["aaab", ["aab"], 1],
      ["abc", ["ac"], 0],
    ] as const) {
      const found = score(text, [...hotwords]);
      if (found) expect(found.score - found.acousticScore, text).toBeCloseTo(3 * count);
    }
    expect(score("abc", ["bc"])).toBeDefined();
  });
});
