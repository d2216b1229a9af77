import { describe, expect, it } from "vitest";
import { arpaModel } from "../../../../test/recognition/arpa-fixture.js";
import { CtcTokenizer } from "../../tokenizer.js";
import { Vocabulary } from "../../vocabulary.js";
import { languageModelFit } from "./language-model-fit.js";

const modelOf = (words: string[]) =>
  arpaModel(`\\1-grams:\n${words.map((word) => `-1\t${word}\n`).join("")}`);
const tokenizerOf = (tokens: string[], lowerCase = false) =>
  new CtcTokenizer(new Vocabulary(tokens), { lowerCase });
const CAPITALS = ["<pad>", "<s>", "|", "A", "B", "C"];

describe("languageModelFit", () => {
  it("counts the words that the vocabulary spells", () => {
    const fit = languageModelFit(tokenizerOf(CAPITALS), modelOf(["AB", "CAB", "DAB", "A"]));
    expect(fit).toEqual({
      words: 4,
      spelled: 3,
      problem: undefined,
      remark:
        '1 of the 4 words of the language model cannot be spelled with the model\'s vocabulary, "DAB" for example, and are never recognised.',
    });
  });

  it("sees another case, and none where the tokenizer changes it", () => {
    const { spelled, problem } = languageModelFit(tokenizerOf(CAPITALS), modelOf(["ab", "cab", "A"]));
    expect(spelled).toBe(1);
    expect(problem).toMatch(/only 1 of them \(33\.3 %\) can be, "ab" for example not.*in upper case/u);
    expect(languageModelFit(tokenizerOf(CAPITALS, true), modelOf(["ab", "cab"])).problem).toBeUndefined();
    expect(languageModelFit(tokenizerOf(CAPITALS, true), modelOf(["AB"])).problem).toMatch(/in lower case/u);
  });

  it("sees other letters, and words that are not what the vocabulary divides text into", () => {
    expect(languageModelFit(tokenizerOf(CAPITALS), modelOf(["да", "нет"])).problem).toMatch(
      /none of them can be/u,
    );
    expect(languageModelFit(tokenizerOf(CAPITALS), modelOf([])).problem).toMatch(/knows none/u);
    const characters = tokenizerOf(["[PAD]", "你", "好"]);
    expect(languageModelFit(characters, modelOf(["你", "好"])).problem).toBeUndefined();
    expect(languageModelFit(characters, modelOf(["你好"])).problem).toMatch(/spaces between the tokens/u);
  });

  it("takes words in whatever form they are encoded", () => {
    const composed = tokenizerOf(["<pad>", "|", "c", "a", "f", "é", "'"]);
    const fit = languageModelFit(composed, modelOf(["cafe\u0301", "c’a", "ca\u00adf", "Ａ"]));
    expect([fit.spelled, fit.remark]).toEqual([3, expect.stringContaining('"Ａ" for example')]); // another case
    const decomposed = tokenizerOf(["<pad>", "|", "c", "a", "f", "e", "\u0301", "’"]);
    expect(languageModelFit(decomposed, modelOf(["café", "c'a"])).spelled).toBe(2);
  });

  it("takes words that the tokenizer's change of case spells in another way", () => {
    const greek = tokenizerOf(["<pad>", "|", "Ο", "Δ", "Σ", "ß", "T", "R", "A", "S", "E"], true);
    expect(languageModelFit(greek, modelOf(["οδος", "straße"])).spelled).toBe(2);
    expect(languageModelFit(tokenizerOf(["<pad>", "|", "S", "T"], true), modelOf(["ßt"])).spelled).toBe(1);
  });

  it("spells with long tokens", () => {
    const tokenizer = tokenizerOf(["<pad>", "|", "sh", "s", "ea"]);
    expect(languageModelFit(tokenizer, modelOf(["shea", "ssea", "she", "seash", "a"])).spelled).toBe(3);
  });
});
