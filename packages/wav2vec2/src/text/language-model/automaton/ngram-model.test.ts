import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/fixtures/temporary-directory.js";
import { golden } from "../../../../test/recognition/language-model-fixture.js";
import { Random } from "../../../data/random.js";
import { loadLanguageModel } from "../load-language-model.js";
import type { NgramModel } from "./ngram-model.js";

async function load(arpa: string): Promise<NgramModel> {
  const path = join(await temporaryDirectory("ngram-model"), "model.arpa");
  await writeFile(path, arpa);
  return loadLanguageModel(path);
}

/** log10 P(word | history), straight from the definition. */
function lookUp(ngrams: Map<string, [number, number]>, history: readonly string[], word: string): number {
  const found = ngrams.get([...history, word].join(" "));
  if (found) return found[0];
  if (history.length === 0) return ngrams.get("<unk>")?.[0] ?? -100;
  return (ngrams.get(history.join(" "))?.[1] ?? 0) + lookUp(ngrams, history.slice(1), word);
}

/** A model as no text would give it: of random n-grams, each behind a context, with suffixes that may be missing. */
function randomModel(random: Random): { order: number; ngrams: Map<string, [number, number]>; arpa: string } {
  const order = 1 + Math.floor(5 * random.uniform());
  const letters = "abcdef".slice(0, 2 + Math.floor(5 * random.uniform()));
  const weight = () => (random.uniform() < 0.3 ? 0 : Number((random.uniform() - 0.7).toFixed(5)));
  const probability = () => Number((-3 * random.uniform()).toFixed(5));
  const unigrams = [...letters, "<s>", "</s>", ...(random.uniform() < 0.5 ? ["<unk>"] : [])];
  const orders = [unigrams];
  for (let n = 2; n <= order; n++) {
    const contexts = orders.at(-1)!.filter((words) => !words.endsWith("</s>"));
    const all = contexts.flatMap((words) => [...letters, "</s>"].map((word) => `${words} ${word}`));
    orders.push(all.filter(() => random.uniform() < 0.35));
  }
  const ngrams = new Map<string, [number, number]>();
  let arpa = `\\data\\\n${orders.map((of, n) => `ngram ${n + 1}=${of.length}\n`).join("")}`;
  for (const [n, of] of orders.entries()) {
    arpa += `\n\\${n + 1}-grams:\n`;
    for (const words of of) {
      const entry: [number, number] = [probability(), n + 1 < order ? weight() : 0];
      ngrams.set(words, entry);
      arpa += `${entry[0]}\t${words}${entry[1] === 0 ? "" : `\t${entry[1]}`}\n`;
    }
  }
  return { order, ngrams, arpa: `${arpa}\n\\end\\\n` };
}

describe("NgramModel", () => {
  it("scores as the definition of back-off does", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = new Random(6, `ngram-model ${seed}`);
      const { order, ngrams, arpa } = randomModel(random);
      const model = await load(arpa);
      expect(model.order).toBe(order);
      for (let sentence = 0; sentence < 20; sentence++) {
        const begun = random.uniform() < 0.5;
        let state = begun ? model.begin : model.empty;
        const history = begun ? ["<s>"] : [];
        for (let i = 0; i < 12; i++) {
          const word = "abcdefg"[Math.floor(7 * random.uniform())]!;
          const known = ngrams.has(word);
          const context = order === 1 ? [] : history.slice(-(order - 1));
          const where = `seed ${seed}: ${context.join(" ")} | ${word}`;
          expect(model.end(state) / Math.LN10, where).toBeCloseTo(lookUp(ngrams, context, "</s>"), 5);
          const id = model.wordId(word);
          expect(id === model.unknownWord).toBe(!known);
          const spelled = known ? word : "<unk>";
          expect(model.score(state, id) / Math.LN10, where).toBeCloseTo(lookUp(ngrams, context, spelled), 5);
          state = model.next(state, id);
          history.push(spelled);
        }
      }
    }
  });

  it("has the same state for histories that all words behind them tell apart no more", async () => {
    const model = await load(golden.models["order 3"]!.arpa!);
    const after = (words: string) =>
      words.split(" ").reduce((state, word) => model.next(state, model.wordId(word)), model.begin);
    expect(after("the ship sees the")).toBe(after("Ada sees the"));
    expect(after("nonsense")).toBe(model.empty);
    expect(after("the nonsense")).toBe(model.empty);
    expect(after("the ship sees the")).not.toBe(after("the ship mends the"));
  });

  it("answers what follows whatever was asked before", async () => {
    const model = await load(golden.models["order 3"]!.arpa!);
    const [the, ship] = [model.wordId("the"), model.wordId("ship")];
    const direct = model.next(model.begin, the);
    model.score(model.begin, ship);
    expect(model.next(model.begin, the)).toBe(direct);
    model.score(direct, the);
    expect(model.next(model.begin, the)).toBe(direct);
    model.end(model.begin);
    expect(model.next(model.begin, the)).toBe(direct);
  });

  const asked = Object.entries(golden.models).filter(([, { scores }]) => scores !== null);
  it.each(asked)("scores as KenLM does: %s", async (_, { arpa, scores }) => {
    const model = await load(arpa!);
    for (const [i, sentence] of golden.sentences.entries()) {
      const words = sentence.split(" ").filter(Boolean);
      let state = model.begin;
      for (const [w, [logProbability, , unknown]] of scores![i]!.entries()) {
        const id = w < words.length ? model.wordId(words[w]!) : undefined;
        const score = id === undefined ? model.end(state) : model.score(state, id);
        expect(score / Math.LN10, `${sentence}, word ${w}`).toBeCloseTo(logProbability, 5);
        if (id === undefined) continue;
        expect(id === model.unknownWord).toBe(unknown);
        state = model.next(state, id);
      }
    }
  });

  it("lists its words without its own marks, and knows these as no words", async () => {
    const model = await load(golden.models["order 2"]!.arpa!);
    const words = [...model.words()];
    expect(words).toContain("Öykü");
    expect(words).not.toEqual(expect.arrayContaining(["<s>"]));
    expect(words).toHaveLength(model.automaton.words.size - 3);
    for (const mark of ["<s>", "</s>", "<unk>", "<UNK>", "nonsense", ""])
      expect(model.wordId(mark), mark).toBe(model.unknownWord);
    expect(new Set(words.map((word) => model.wordId(word))).size).toBe(words.length);
  });
});
