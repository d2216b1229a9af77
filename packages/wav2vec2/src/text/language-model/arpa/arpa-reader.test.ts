import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/fixtures/temporary-directory.js";
import { golden } from "../../../../test/recognition/language-model-fixture.js";
import { UserError } from "../../../errors.js";
import type { NgramModel } from "../automaton/ngram-model.js";
import { loadLanguageModel } from "../load-language-model.js";

const ARPA = `\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-2	<unk>
-99	<s>	-0.5
-0.8	</s>
-0.6	A	-0.4
-0.7	B	-0.3

\\2-grams:
-0.2	<s> A	-0.1
-0.3	A B
-0.4	B </s>

\\3-grams:
-0.05	<s> A B

\\end\\
`;

async function load(contents: string | Uint8Array, name = "model.arpa"): Promise<NgramModel> {
  const path = join(await temporaryDirectory("arpa"), name);
  await writeFile(path, contents);
  return loadLanguageModel(path);
}

function scores(model: NgramModel): number[] {
  const words = ["A", "B", "C"].map((word) => model.wordId(word));
  const states = [
    model.empty,
    model.begin,
    model.next(model.begin, words[0]!),
    model.next(model.empty, words[1]!),
  ];
  return states.flatMap((state) => [
    ...words.map((word) => model.score(state, word) / Math.LN10),
    model.end(state) / Math.LN10,
  ]);
}

/** By hand: behind nothing, `<s>`, `<s> A` and `B`. */
const EXPECTED = [
  [-0.6, -0.7, -2, -0.8],
  [-0.2, -1.2, -2.5, -1.3],
  [-0.1 - 0.4 - 0.6, -0.05, -0.1 - 0.4 - 2, -0.1 - 0.4 - 0.8],
  [-0.9, -1, -2.3, -0.4],
].flat();

function close(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i], `score ${i}`).toBeCloseTo(value, 5);
}

describe("readArpa", () => {
  it.each<[string, string | Uint8Array]>([
    ["KenLM's", ARPA],
    ["gzipped", gzipSync(ARPA)],
    ["gzipped in two parts", Buffer.concat([gzipSync(ARPA.slice(0, 90)), gzipSync(ARPA.slice(90))])],
    ["with Windows' line ends", ARPA.replaceAll("\n", "\r\n")],
    ["with a byte order mark", `\ufeff${ARPA}`],
    ["with spaces for tabs", ARPA.replaceAll("\t", " ")],
    ["with tabs for spaces between words", ARPA.replace(/^(-.*) (.*)$/gm, "$1\t$2")],
    ["with spaces at the ends of lines", ARPA.replaceAll("\n", "  \n")],
    ["behind a preamble", `# made by hand\nany text\n\\remark\n\n${ARPA}`],
    ["with SRILM's count lines", ARPA.replace(/ngram (\d)=/g, "ngram  $1=      ")],
    ["without line end at its end", ARPA.trimEnd()],
    ["with text behind its end", `${ARPA}and more\n`],
    ["with zero back-offs written out", ARPA.replace("A B\n", "A B\t0\n").replace("</s>\n", "</s>\t-0\n")],
    ["with more blank lines", ARPA.replaceAll("\n\n", "\n\n\n")],
    ["without blank lines", ARPA.replaceAll("\n\n", "\n")],
    ["with <UNK>", ARPA.replace("<unk>", "<UNK>")],
    ["with exponents", ARPA.replace("-0.05", "-5.0e-02")],
    ["with -inf for -99", ARPA.replace("-99", "-inf")],
  ])("reads a model %s", async (_, contents) => {
    close(scores(await load(contents)), EXPECTED);
  });

  it("refuses words that are not in UTF-8", async () => {
    const latin = Buffer.from(ARPA.replace("\tB\t", "\t\u00dcB\t"), "latin1");
    expect(latin.includes(0xdc)).toBe(true);
    await expect(load(latin)).rejects.toThrow("a word must be UTF-8 text, but is not.");
  });

  it("gives unknown words -100 in a model without <unk>, as KenLM", async () => {
    const model = await load(ARPA.replace("ngram 1=5", "ngram 1=4").replace("-2\t<unk>\n", ""));
    expect(model.score(model.empty, model.wordId("C")) / Math.LN10).toBeCloseTo(-100, 4);
    expect(model.score(model.begin, model.unknownWord) / Math.LN10).toBeCloseTo(-100.5, 4);
    expect(model.next(model.begin, model.unknownWord)).toBe(model.empty);
    expect([...model.words()]).toEqual(["A", "B"]);
  });

  it("reads models of one order, and orders without n-grams", async () => {
    const unigrams = "\\data\\\nngram 1=3\n\n\\1-grams:\n-1 <s>\n-0.5 </s>\n-0.25 A -0.3\n\n\\end\\\n";
    const model = await load(unigrams);
    expect(model.next(model.begin, model.wordId("A"))).toBe(model.empty);
    expect(model.score(model.begin, model.wordId("A")) / Math.LN10).toBeCloseTo(-0.25, 5);
    const empty = await load(ARPA.replace("ngram 3=1", "ngram 3=0").replace("-0.05\t<s> A B\n", ""));
    expect(empty.order).toBe(3);
    const state = empty.next(empty.begin, empty.wordId("A"));
    expect(empty.score(state, empty.wordId("B")) / Math.LN10).toBeCloseTo(-0.1 - 0.3, 5);
  });

  it("takes an n-gram whose suffix is not in the model", async () => {
    const model = await load(ARPA.replace("ngram 2=3", "ngram 2=2").replace("-0.3\tA B\n", ""));
    const a = model.next(model.begin, model.wordId("A"));
    const b = model.wordId("B");
    expect(model.score(a, b) / Math.LN10).toBeCloseTo(-0.05, 5);
    expect(model.next(a, b)).toBe(model.next(model.empty, b));
  });

  const TWICE = ARPA.replace("ngram 1=5", "ngram 1=6");
  const [BEGIN, END] = ["-99\t<s>\t-0.5\n", "-0.8\t</s>\n"];
  const COPY = "-99\t</s>\t-0.5\n";

  it.each([
    ["before its own line", TWICE.replace(BEGIN, BEGIN + COPY), 9, 10],
    ["behind it", TWICE.replace(END, END + COPY), 10, 9],
  ])("leaves out a copy of <s> that is called </s>, %s, and says so", async (_, text, copy, own) => {
    const notes: string[] = [];
    const path = join(await temporaryDirectory("arpa"), "twice.arpa");
    await writeFile(path, text);
    const model = await loadLanguageModel(path, { onNote: (note) => notes.push(note) });
    scores(model).forEach((score, i) => {
      expect(score).toBeCloseTo(EXPECTED[i]!, 5);
    });
    expect(model.automaton.counts).toEqual([5, 3, 1]);
    expect(notes).toEqual([
      `${path} has </s> twice: line ${copy} repeats <s> and is left out, line ${own} counts.`,
    ]);
  });

  it.each<[string, string, RegExp]>([
    [
      "</s> twice, neither as <s>",
      TWICE.replace(END, `${END}-0.9\t</s>\n`),
      /:10: each word must come once, but "<\/s>" comes at line 9 and again\. Remove one of the two lines and write 'ngram 1=5'/,
    ],
    [
      "<s> twice",
      TWICE.replace(BEGIN, BEGIN + BEGIN),
      /:9: each word must come once, but "<s>" comes at line 8 and again/,
    ],
    ["too few n-grams", ARPA.replace("-0.3\tA B\n", ""), /:17: there must be 3 2-grams .* but there are 2\./],
    [
      "too many n-grams",
      ARPA.replace("ngram 2=3", "ngram 2=2"),
      /:16: there must be 2 2-grams .* there are more/,
    ],
    [
      "a word that is no unigram",
      ARPA.replace("A B\n", "A X\n"),
      /:15: the words of an n-gram must be among the 1-grams, but "X" is not/,
    ],
    [
      "a missing context",
      ARPA.replace("<s> A B", "B A B"),
      /:19: the context "B A" of an n-gram must be among the 2-grams/,
    ],
    ["a positive probability", ARPA.replace("-0.6\tA", "0.6\tA"), /:10: log10 .* at most 0, but is 0\.6/],
    ["a probability that is no number", ARPA.replace("-0.6\tA", "x\tA"), /:10: .* number, but is "x"/],
    ["an infinite back-off", ARPA.replace("A\t-0.4", "A\tinf"), /:10: .* number, but is "inf"/],
    [
      "a word twice",
      ARPA.replace("-0.7\tB", "-0.7\tA"),
      /:11: each word must come once, but "A" comes again/,
    ],
    [
      "an n-gram twice",
      ARPA.replace("A B\n", "<s> A\n"),
      /:15: each n-gram must come once, but "<s> A" comes again/,
    ],
    ["too many words", ARPA.replace("A B\n", "A B A B\n"), /:15: a line of 2-grams must have .* 2 words/],
    ["too few words", ARPA.replace("<s> A B", "A"), /:19: a line of 3-grams must have .* 3 words/],
    [
      "a back-off of the highest order",
      ARPA.replace("<s> A B", "<s> A B -0.5"),
      /:19: .* no back-off, but has -0\.5/,
    ],
    ["no <s>", ARPA.replace("<s>\t", "S\t").replaceAll("<s> A", "S A"), /must have <s> among its 1-grams/],
    ["no </s>", ARPA.replaceAll("</s>", "E"), /must have <\/s> among its 1-grams/],
    ["no order 2", ARPA.replace("\\2-grams:", "\\3-grams:"), /:13: this line must be '\\2-grams:', but is/],
    [
      "n-grams before a section",
      ARPA.replace("\\1-grams:\n", ""),
      /:6: this line must be '\\1-grams:', but is/,
    ],
    ["a wrong count line", ARPA.replace("ngram 2=3", "ngram 4=3"), /:3: this line must be 'ngram 2=COUNT'/],
    ["no counts", "\\data\\\n\\1-grams:\n", /:2: lines 'ngram N=COUNT' must come before/],
    [
      "no end",
      ARPA.slice(0, ARPA.indexOf("\n\\end")),
      /must end with a line '\\end\\', but ends at line 19 .*cut/,
    ],
    ["half a line at its end", ARPA.slice(0, -40), /must have|must end/],
    ["counts beyond the file", ARPA.replace("3=1", "3=999999999999"), /is too short for them/],
    ["nothing", "", /has no line '\\data\\'/],
    [
      "another text",
      "all the words\nthat there are\n",
      /ARPA's format or a compiled one, but has no line '\\data\\'/,
    ],
    ["KenLM's binary", "mmap lm http://kheafield.com/code format version 5\n\0", /KenLM's binary format/],
    ["a binary file", "\0\x01\x02\n\0", /is of another kind/],
  ])("says what is wrong: %s", async (_, contents, message) => {
    const loading = load(contents);
    await expect(loading).rejects.toBeInstanceOf(UserError);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow("model.arpa");
  });

  it("says that a gzipped file is cut, or no model", async () => {
    await expect(load(gzipSync(ARPA).subarray(0, 100))).rejects.toThrow(/complete gzip file, but is not/);
    await expect(load(gzipSync("words\n"))).rejects.toThrow(/has no line '\\data\\'/);
    await expect(loadLanguageModel("/nowhere/model.arpa")).rejects.toThrow(
      /a language model, but does not exist/,
    );
  });

  it("fails at every place where a file is cut", async () => {
    for (let length = 0; length < ARPA.length - 7; length += 3)
      await expect(load(ARPA.slice(0, length)), `${length} bytes`).rejects.toBeInstanceOf(UserError);
  });

  it("reads lines that lie in two parts of the file", async () => {
    // More than a part of a megabyte, with a gap of spaces that shifts all lines.
    const { arpa } = golden.models["order 3"]!;
    const model = await load(arpa!);
    const padded = await load(`${" ".repeat(2 ** 20 - 1000)}\n${arpa}`);
    expect(padded.automaton.ngrams.array).toEqual(model.automaton.ngrams.array);
    expect(padded.automaton.states.array).toEqual(model.automaton.states.array);
  });

  it("ends when it is interrupted", async () => {
    const path = join(await temporaryDirectory("arpa"), "model.arpa");
    await writeFile(path, ARPA);
    const reason = new Error("enough");
    await expect(loadLanguageModel(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
