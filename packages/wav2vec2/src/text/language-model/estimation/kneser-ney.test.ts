import { describe, expect, it } from "vitest";
import { golden } from "../../../../test/recognition/language-model-fixture.js";
import { Random } from "../../../data/random.js";
import { UserError } from "../../../errors.js";
import { NgramModel } from "../automaton/ngram-model.js";
import type { Discounts } from "./discounts.js";
import { estimatedAutomaton } from "./estimated-automaton.js";
import { estimateKneserNey, type KneserNeyOptions, type NgramEstimate } from "./kneser-ney.js";
import { TokenizedText } from "./tokenized-text.js";

async function estimate(lines: readonly string[], order: number, options?: KneserNeyOptions) {
  const text = new TokenizedText(order);
  for (const [i, line] of lines.entries()) text.add(line, () => `text:${i + 1}`);
  return estimateKneserNey(text, options);
}

function ngramsOf(estimated: NgramEstimate): Map<string, [logProbability: number, logBackoff: number]> {
  const ngrams = new Map<string, [number, number]>();
  for (let order = 1; order <= estimated.order; order++)
    for (const { words, logProbability, logBackoff } of estimated.ngrams(order))
      ngrams.set([...words].map((id) => estimated.words[id]).join(" "), [logProbability, logBackoff]);
  return ngrams;
}

function readArpa(arpa: string): Map<string, [number, number]> {
  const lines = arpa.split("\n").filter((line) => line.includes("\t"));
  return new Map(
    lines.map((line) => {
      const [logProbability, words, logBackoff = "0"] = line.split("\t");
      return [words!, [Number(logProbability), Number(logBackoff)]];
    }),
  );
}

/** Values of a given discount, as lmplz fills them up. */
function fallbackOf(values: number[] | undefined): Discounts | undefined {
  if (!values) return undefined;
  return [0, 1, 2].map((i) => Math.fround(values[Math.min(i, values.length - 1)]!)) as unknown as Discounts;
}

describe("estimateKneserNey", () => {
  const made = Object.entries(golden.models).filter(([, { arpa }]) => arpa !== null);
  it.each(made)("is lmplz's model: %s", async (_, { options, arpa }) => {
    const { order, prune, fallback, vocabulary } = options;
    const estimated = await estimate(golden.text, order, {
      prune,
      fallback: fallbackOf(fallback),
      vocabulary: vocabulary && new Set(vocabulary),
    });
    const [ours, theirs] = [ngramsOf(estimated), readArpa(arpa!)];
    expect([...ours.keys()]).toEqual([...theirs.keys()]);
    for (const [words, [logProbability, logBackoff]] of theirs) {
      const [p, b] = ours.get(words)!;
      // float32's last digit, in which log10f of C libraries differ
      expect(Math.abs(p - logProbability), words).toBeLessThan(1e-6);
      expect(Math.abs(b - logBackoff), words).toBeLessThan(1e-6);
    }
    const sizes = [...arpa!.matchAll(/^ngram \d=(\d+)$/gm)].map(([, count]) => Number(count));
    expect(estimated.counts).toEqual(sizes);
  });

  it("refuses what lmplz refuses, and says what to do", async () => {
    expect(golden.models["too small"]!.arpa).toBeNull();
    await expect(estimate(golden.text, 3)).rejects.toThrow(
      /discounts of 2-grams must be estimated.*adjusted count of 3 would be -0\.805, outside 0 to 3.*--discount-fallback/,
    );
    await expect(estimate(["a b", "a b"], 2)).rejects.toThrow("no 1-gram has an adjusted count of 3");
    await expect(estimate(["a b", "a b"], 2)).rejects.toBeInstanceOf(UserError);
  });

  it("counts as worked out by hand", async () => {
    // Two sentences: a b / a. Before a: <s>; before b: a; before </s>: a and b. Discounts 0.5, 1, 1.5.
    const estimated = ngramsOf(await estimate(["a b", "a"], 2, { fallback: [0.5, 1, 1.5] }));
    const probability = (words: string) => 10 ** estimated.get(words)![0];
    // Adjusted counts: a 1, b 1, </s> 2, of 4. Left: (0.5 + 0.5 + 1) / 4, for <unk>, a, b and </s> alike.
    expect(probability("<unk>")).toBeCloseTo(0.5 / 4, 6);
    expect(probability("a")).toBeCloseTo(0.5 / 4 + 0.5 / 4, 6);
    expect(probability("</s>")).toBeCloseTo(1 / 4 + 0.5 / 4, 6);
    expect(probability("<s>")).toBe(1);
    // Behind a: b once, </s> once; left (0.5 + 0.5) / 2.
    expect(10 ** estimated.get("a")![1]).toBeCloseTo(0.5, 6);
    expect(probability("a b")).toBeCloseTo(0.5 / 2 + 0.5 * 0.25, 6);
    expect(probability("a </s>")).toBeCloseTo(0.5 / 2 + 0.5 * 0.375, 6);
    // <s> a occurs twice.
    expect(probability("<s> a")).toBeCloseTo(1 / 2 + 0.5 * 0.25, 6);
    expect([...estimated.keys()]).toHaveLength(5 + 4);
  });

  it("gives all words and the end of the sentence together a probability of 1 in every state", async () => {
    for (let seed = 0; seed < 12; seed++) {
      const random = new Random(6, `kneser-ney ${seed}`);
      const lines = Array.from({ length: 40 }, () =>
        Array.from({ length: Math.floor(8 * random.uniform()) }, () =>
          String.fromCharCode(97 + Math.floor(12 * random.uniform() ** 2)),
        ).join(" "),
      );
      const order = 1 + (seed % 5);
      const estimated = await estimate(lines, order, {
        prune: seed % 2 === 0 ? undefined : [0, 1, 2].slice(0, order),
        vocabulary: seed % 3 === 0 ? new Set("abcdefz") : undefined,
        fallback: [0.5, 1, 1.5],
      });
      const model = new NgramModel(estimatedAutomaton(estimated));
      const words = [...model.words()].map((word) => model.wordId(word));
      const states = new Set([model.empty, model.begin]);
      for (const line of lines) {
        let state = model.begin;
        for (const word of line.split(" ")) {
          state = model.next(state, model.wordId(word));
          states.add(state);
        }
      }
      expect(states.size).toBeGreaterThan(order === 1 ? 0 : 5);
      for (const state of states) {
        const all = [...words, model.unknownWord].reduce(
          (sum, word) => sum + Math.exp(model.score(state, word)),
          Math.exp(model.end(state)),
        );
        expect(all, `seed ${seed}, state ${state}`).toBeCloseTo(1, 4);
      }
    }
  });

  it("does not take the model's own marks for words", () => {
    const text = new TokenizedText(2);
    expect(() => text.add("a </s> b", () => "my.txt:7")).toThrow(/^my\.txt:7: .* has <\/s>/);
  });

  it("ends when it is interrupted", async () => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(estimate(["a b", "a"], 2, { fallback: [0.5, 1, 1.5], signal })).rejects.toBe(reason);
  });
});
