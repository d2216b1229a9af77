import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { type ComparableResult, readResult } from "../result-file.js";
import { compareResults } from "./compare.js";
import { comparisonNotes } from "./comparison-text.js";

const result = (
  file: string,
  utterances: [string, string, string][],
  textNormalization: string[] = [],
): ComparableResult => ({
  file,
  model: file,
  textNormalization,
  utterances: utterances.map(([id, reference, hypothesis]) => ({ id, reference, hypothesis })),
});

describe("compareResults", () => {
  const random = new Random(6, "compare");
  const words = (count: number) => Array.from({ length: count }, () => "abcdefgh"[random.integer(8)]!);
  const distorted = (text: string[], rate: number) =>
    text.map((word) => (random.uniform() < rate ? "x" : word)).join(" ");
  const texts = Array.from({ length: 80 }, () => words(12));
  const heard = (file: string, rate: number) =>
    result(
      file,
      texts.map((text, i) => [String(i), text.join(" "), distorted(text, rate)]),
    );
  const [worse, better] = [heard("worse", 0.3), heard("better", 0.1)];

  it("finds the better of two", () => {
    const { difference, matchedPairs, systems, ...counts } = compareResults(worse, better, {
      resamples: 1000,
    });
    expect(systems[0].wer).toBeCloseTo(0.3, 1);
    expect(difference.wer).toBe(systems[1].wer - systems[0].wer);
    expect(difference.low).toBeLessThan(difference.wer);
    expect(difference.high).toBeGreaterThan(difference.wer);
    expect(difference.high).toBeLessThan(0);
    expect(difference.probabilityOfImprovement).toBe(1);
    expect(matchedPairs.z).toBeLessThan(-5);
    expect(matchedPairs.p).toBeLessThan(1e-6);
    expect(counts.better).toBeGreaterThan(50);
    expect(counts.better + counts.equal + counts.worse).toBe(80);
    const [most] = counts.utterances;
    expect(most!.firstErrors - most!.secondErrors).toBeGreaterThanOrEqual(3);
  });

  it("counts words that differ in form alone, and finds ids in another form", () => {
    const composed = result("composed", [["caf\u00e9/1", "caf\u00e9 don't x", "caf\u00e9 don't x"]]);
    const decomposed = result("decomposed", [["cafe\u0301/1", "caf\u00e9 don't x", "cafe\u0301 don’t y"]]);
    const comparison = compareResults(composed, decomposed);
    expect(comparison.systems.map(({ wer }) => wer)).toEqual([0, 1]); // counted as ever
    expect(comparison.formDifferences).toEqual([
      undefined,
      { count: 2, reference: "caf\u00e9", hypothesis: "cafe\u0301" },
    ]);
    expect(comparisonNotes(comparison)).toEqual([
      '2: 2 errors are of form alone, such as "cafe\u0301" for "caf\u00e9", where "\u00e9" is U+00E9 in the reference and ' +
        "U+0065 U+0301 in what was recognised. --normalize form takes such differences away.",
    ]);
    expect(() => compareResults(result("a", [["1", "é", ""]]), result("b", [["1", "e\u0301", ""]]))).toThrow(
      "They differ in the form of their letters alone; evaluate both with --normalize form.",
    );
    const twins = [
      ["a'", "x", "x"],
      ["a’", "y", "y"],
    ] as [string, string, string][];
    expect(compareResults(result("a", twins), result("b", twins)).systems[1].wer).toBe(0); // ids that are two stay two
    expect(() => compareResults(result("a", twins), result("b", twins.slice(1)))).toThrow();
  });

  it("says that words are sentences where there are no spaces", () => {
    const japanese = result("ja", [["1", "昨日は雨が降っていました", "昨日わ雨が降っていました"]]);
    expect(comparisonNotes(compareResults(japanese, japanese))).toEqual([
      "WER counts whole sentences: 1 of 1 references have no spaces between words. Go by CER.",
    ]);
    expect(comparisonNotes(compareResults(worse, better))).toEqual([]);
  });

  it("is the same the other way round", () => {
    const [there, back] = [compareResults(worse, better), compareResults(better, worse)];
    expect(back.difference.wer).toBe(-there.difference.wer);
    expect(back.matchedPairs.z).toBe(-there.matchedPairs.z);
    expect(back.difference.low).toBeCloseTo(-there.difference.high, 12);
    expect([back.better, back.worse]).toEqual([there.worse, there.better]);
  });

  it("does not depend on the order of the second's utterances", () => {
    const shuffled = { ...better, utterances: [...better.utterances].reverse() };
    expect(compareResults(worse, shuffled)).toEqual(compareResults(worse, better));
  });

  it("refuses results in which nothing was said", () => {
    const empty = result("a.json", [["1", "", "A"]]);
    expect(() => compareResults(empty, empty)).toThrow(
      "a.json must have references with words to be compared",
    );
  });

  it("refuses results of other data, naming the first utterance", () => {
    const other = result("b.json", [["1", "A B", "A"]]);
    expect(() => compareResults(result("a.json", [["1", "A C", "A"]]), other)).toThrow(
      'that of 1 is "A C" in a.json and "A B" in b.json. Evaluate both on the same data.',
    );
    expect(() => compareResults(result("a.json", [["1", "a b", "A"]], ["case"]), other)).toThrow(
      "Their --normalize differs (case and none)",
    );
    expect(() => compareResults(result("a.json", [["2", "A", "A"]]), other)).toThrow(
      "b.json lacks 2, which a.json has",
    );
    expect(() =>
      compareResults(
        other,
        result("c.json", [
          ["1", "A B", ""],
          ["2", "A", "A"],
        ]),
      ),
    ).toThrow("b.json lacks 2, which c.json has");
  });
});

describe("readResult", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "result-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it.each([
    ["no.txt", "reference", /must be JSON, but is not/],
    ["list.json", "[]", /must be a JSON object/],
    ["other.json", '{"vocab_size": 32}', /other.json must be a result .* but has no utterances\./],
    [
      "short.json",
      '{"utterances": [{"id": "a", "reference": "A"}]}',
      /utterance 1 lacks an id, a reference or a hypothesis/,
    ],
    [
      "twice.json",
      '{"utterances": [{"id": "a", "reference": "A", "hypothesis": ""}, {"id": "a", "reference": "A", "hypothesis": ""}]}',
      /has utterance a twice/,
    ],
  ])("refuses %s", async (name, text, message) => {
    await writeFile(join(directory, name), text);
    await expect(readResult(join(directory, name))).rejects.toThrow(message);
  });

  it("says where there is none", async () => {
    await expect(readResult(directory)).rejects.toThrow(
      /evaluation.json must be a result .* but does not exist/,
    );
  });

  it("needs no more than texts", async () => {
    const utterances = [{ id: "a", reference: "A", hypothesis: "B", score: 1 }];
    await writeFile(join(directory, "evaluation.json"), JSON.stringify({ utterances }));
    expect((await readResult(directory)).utterances).toEqual([{ id: "a", reference: "A", hypothesis: "B" }]);
  });
});
