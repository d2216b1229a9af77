import { describe, expect, test } from "vitest";
import { CtcTokenizer, type TokenizerOptions } from "../tokenizer.js";
import { Vocabulary } from "../vocabulary.js";
import { alignableText } from "./alignable-text.js";
import { WILDCARD } from "./forced-alignment.js";

function tokenizerOf(tokens: string, options: TokenizerOptions = {}): CtcTokenizer {
  return new CtcTokenizer(new Vocabulary(["<pad>", ...tokens.split(" ")]), options);
}

/** Labels as tokens, and words with their characters. */
function read(tokenizer: CtcTokenizer, text: string, respell = false) {
  const { labels, words, ...rest } = alignableText(tokenizer, text, { name: "a.wav", respell });
  const tokens = [...labels].map((label) => (label === WILDCARD ? "*" : tokenizer.vocabulary.tokens[label]!));
  return {
    tokens: tokens.join(" "),
    words: words.map((word) => [word.text, word.characters.map(({ text: character }) => character)]),
    spelled: words.map(({ characters }) =>
      characters.map(({ first, behind }) => tokens.slice(first, behind).join("")).join("-"),
    ),
    ...rest,
  };
}

const upper = tokenizerOf("| ' A B C D E É");

describe("an alignable text", () => {
  test("is spelled by labels with delimiters between its words", () => {
    expect(read(upper, "  AB\tC\n")).toEqual({
      text: "AB C",
      tokens: "A B | C",
      words: [
        ["AB", ["A", "B"]],
        ["C", ["C"]],
      ],
      spelled: ["A-B", "C"],
    });
  });

  test("has wildcards as words and within them", () => {
    const { tokens, words } = read(upper, "* AB* ** *C");
    expect(tokens).toBe("* | A B * | * | * C");
    expect(words.map(([text]) => text)).toEqual(["*", "AB*", "**", "*C"]);
    expect(read(tokenizerOf("| A *"), "A * A").words[1]).toEqual(["*", ["*"]]);
    expect(alignableText(tokenizerOf("| A *"), "*", { name: "" }).labels).toEqual(Int32Array.from([3]));
  });

  test("normalized is looked up in the vocabulary's case without punctuation and keeps its words", () => {
    const { text, tokens, words, spelled } = read(upper, "« Abc, d’e — e\u0301\u{1F600}a! »", true);
    expect(text).toBe("« Abc, d’e — e\u0301\u{1F600}a! »");
    expect(tokens).toBe("A B C | D ' E | É A");
    expect(spelled).toEqual(["A-B-C", "D-'-E", "É-A"]);
    expect(words).toEqual([
      ["« Abc,", ["A", "b", "c"]],
      ["d’e —", ["d", "’", "e"]],
      ["e\u0301\u{1F600}a! »", ["e\u0301", "a"]],
    ]);
    expect(words.map(([word]) => word).join(" ")).toBe(text);
    expect(read(tokenizerOf("| a b"), "AB", true).tokens).toBe("a b");
  });

  test("names all characters that the vocabulary lacks, and says what to do", () => {
    expect(() => read(upper, "Ab, ACXA")).toThrow(
      'characters of the text of a.wav must be in the vocabulary, but "b", ",", "X" are not. ' +
        "Normalize the text (--normalize), which changes its case to the vocabulary's, or write it as the vocabulary does.",
    );
    expect(() => read(upper, "A 21", true)).toThrow(
      'but "2", "1" are not. Write numbers as words, as they were said, or put * for',
    );
    expect(() => read(upper, "A 5")).toThrow('but "5" is not. Write numbers as words'); // which --normalize does not
    expect(() => read(upper, "A X", true)).toThrow(
      'but "X" is not. Write them as the vocabulary does, or put *',
    );
    // Letters that it cannot help with.
    for (const letter of ["五", "ж", "ა"])
      expect(() => read(upper, `A ${letter}`)).toThrow(
        `but "${letter}" is not. Write them as the vocabulary does, or put * for`,
      );
    expect(() => read(upper, "A|B")).toThrow('but "|" is not. Normalize the text (--normalize) or');
  });

  test("must hold something to look for", () => {
    expect(() => read(upper, " \n")).toThrow("the text of a.wav must hold a word, but is empty.");
    expect(() => read(upper, "- !", true)).toThrow('letters that the vocabulary has, but is "- !".');
  });

  test("may be spelled by tokens of several characters, and by several tokens a character", () => {
    const long = read(tokenizerOf("| SCH SS A E"), "ASCHE");
    expect(long.words).toEqual([["ASCHE", ["A", "SCH", "E"]]]);
    const lower = read(tokenizerOf("| S A", { lowerCase: true }), "aßa");
    expect(lower.tokens).toBe("A S S A");
    expect(lower.words).toEqual([["aßa", ["a", "ß", "a"]]]);
    expect(lower.spelled).toEqual(["A-SS-A"]);
  });

  test("has no delimiters where the vocabulary has none", () => {
    expect(read(tokenizerOf("A B"), "AB A").tokens).toBe("A B A");
  });
});

test("without a word delimiter each character is a word, with what was left out beside it", () => {
  const kana = new CtcTokenizer(new Vocabulary(["<pad>", "あ", "い", "う"], { wordDelimiter: null }));
  const { text, words } = alignableText(kana, "「あい」 う。\n*い", { name: "a.wav", respell: true });
  expect(text).toBe("「あい」 う。 *い");
  expect(words.map((word) => word.text)).toEqual(["「あ", "い」", "う。", "*", "い"]);
  expect(words.flatMap(({ characters }) => characters.map(({ first }) => first))).toEqual([0, 1, 2, 3, 4]);
});
