import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/fixtures/temporary-directory.js";
import { alignableText } from "./alignment/alignable-text.js";
import { timedWords } from "./alignment/word-times.js";
import { CtcTokenizer } from "./tokenizer.js";
import { Vocabulary } from "./vocabulary.js";

// As https://huggingface.co/facebook/wav2vec2-lv-60-espeak-cv-ft has them, with fewer tokens.
const VOCABULARY = { "<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, n: 4, aɪ: 5, tʃ: 6, ɪ: 7, a: 8, "ɔ:": 9 };
const SETTINGS = {
  unk_token: "<unk>",
  bos_token: "<s>",
  eos_token: "</s>",
  pad_token: "<pad>",
  do_phonemize: true,
  phonemizer_lang: "en-us",
  phonemizer_backend: "espeak",
  phone_delimiter_token: " ",
  word_delimiter_token: null,
  tokenizer_class: "Wav2Vec2PhonemeCTCTokenizer",
};

async function read(settings: object = SETTINGS, vocabulary: object = VOCABULARY): Promise<CtcTokenizer> {
  const directory = await temporaryDirectory("phonemes");
  await writeFile(join(directory, "vocab.json"), JSON.stringify(vocabulary));
  await writeFile(join(directory, "tokenizer_config.json"), JSON.stringify(settings));
  return await CtcTokenizer.read(directory);
}

describe("a vocabulary of phonemes", () => {
  it("reads and writes texts with spaces between them, each a token", async () => {
    const tokenizer = await read();
    expect(tokenizer.phonemes).toBe(true);
    expect([...tokenizer.encode("n aɪ  n tʃ")]).toEqual([4, 5, 4, 6]);
    expect(tokenizer.decode([4, 4, 1, 5, 1, 1, 4, 6], { groupTokens: true })).toBe("n aɪ n tʃ");
    expect(tokenizer.unknownIn("n ŋ aɪ")).toEqual(["ŋ"]);
    expect([...tokenizer.encode("a ɪ")]).toEqual([8, 7]); // not the diphthong
    expect(() => tokenizer.encode("naɪn", { utterance: "one" })).toThrow(
      'phonemes of utterance one must be in the vocabulary, but "naɪn" is not. Write the vocabulary\'s phonemes with spaces ' +
        "between them, not words.",
    );
  });

  it("leaves a delimiter of words out, as transformers does", async () => {
    const tokenizer = await read({ ...SETTINGS, word_delimiter_token: "|" }, { ...VOCABULARY, "|": 10 });
    expect(tokenizer.vocabulary.delimiterId).toBeUndefined();
    expect(tokenizer.decode([4, 10, 5], { groupTokens: true })).toBe("n aɪ");
  });

  it("is aligned and timed a phoneme a word", async () => {
    const tokenizer = await read();
    const { words, labels } = alignableText(tokenizer, "n aɪ * n", { name: "clip", respell: true });
    expect(words.map(({ text }) => text)).toEqual(["n", "aɪ", "*", "n"]);
    expect(words[1]!.characters).toEqual([{ text: "aɪ", first: 1, behind: 2 }]);
    expect([labels[0], labels[1], labels[3]]).toEqual([4, 5, 4]);
    expect(() => alignableText(tokenizer, "nine", { name: "clip" })).toThrow(
      'phonemes of the text of clip must be in the vocabulary, but "nine" is not. Write the vocabulary\'s phonemes',
    );
    const spans = [0, 1].map((start) => ({ start, end: start + 1, probability: 1 }));
    const range = { secondsPerFrame: 1, startSeconds: 0, endSeconds: 9 };
    const timed = timedWords(tokenizer, Int32Array.of(4, 5), spans, range);
    expect(timed.map(({ text, start }) => [text, start])).toEqual([
      ["n", 0],
      ["aɪ", 1],
    ]);
  });

  it("is written for transformers, which is not to make phonemes of phonemes", async () => {
    const directory = await temporaryDirectory("phonemes");
    const tokenizer = new CtcTokenizer(Vocabulary.fromPhonemes(["n aɪ n", "tʃ n"]), { phonemes: true });
    expect(tokenizer.vocabulary.tokens).toEqual(["<pad>", "<s>", "</s>", "<unk>", "aɪ", "n", "tʃ"]);
    await tokenizer.write(directory);
    const written = JSON.parse(await readFile(join(directory, "tokenizer_config.json"), "utf8"));
    expect(written).toMatchObject({
      tokenizer_class: "Wav2Vec2PhonemeCTCTokenizer",
      do_phonemize: false,
      phone_delimiter_token: " ",
      word_delimiter_token: null,
    });
    const again = await CtcTokenizer.read(directory);
    expect(again.phonemes).toBe(true);
    expect(again.vocabulary.tokens).toEqual(tokenizer.vocabulary.tokens);
    expect(() => Vocabulary.fromPhonemes([" "])).toThrow(/must hold at least one phoneme/);
  });
});
