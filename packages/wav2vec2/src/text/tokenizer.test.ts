import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { tensor } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/fixtures/temporary-directory.js";
import { Random } from "../data/random.js";
import { UserError } from "../errors.js";
import { CtcTokenizer } from "./tokenizer.js";
import { Vocabulary } from "./vocabulary.js";

// <pad> 0, <s> 1, </s> 2, <unk> 3, | 4, ' 5, A 6, C 7, E 8, H 9, L 10, O 11, R 12, Y 13
const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["HELLO", "CARRY", "'A"]));

describe("encode", () => {
  it("keeps double letters and turns spaces into the delimiter", () => {
    expect(tokenizer.encode("CARRY HELLO")).toEqual(Int32Array.of(7, 6, 12, 12, 13, 4, 9, 8, 10, 10, 11));
    expect(tokenizer.encode("")).toEqual(Int32Array.of());
  });

  it("names an unknown character and its utterance", () => {
    const encode = () => tokenizer.encode("HELLÖ", { utterance: "84-121123-0001" });
    expect(encode).toThrow(UserError);
    expect(encode).toThrow(
      'characters of utterance 84-121123-0001 must be in the vocabulary, but "Ö" (U+00D6) is not.',
    );
    expect(() => tokenizer.encode("A\tA")).toThrow(
      'characters of "A\\tA" must be in the vocabulary, but "\\t" (U+0009)',
    );
    expect(() => tokenizer.encode("A|A")).toThrow('"|" (U+007C)');
  });

  it("gives the unknown token where asked", () => {
    expect(tokenizer.encode("AÖ😀|A", { unknown: "token" })).toEqual(Int32Array.of(6, 3, 3, 3, 6));
  });
});

describe("a vocabulary without some of the tokens, or with more than characters", () => {
  it("takes spaces for characters that it lacks where it has no word delimiter", () => {
    const characters = new CtcTokenizer(new Vocabulary(["<pad>", "<unk>", "你", "好"]));
    expect([...characters.encode("你 好", { unknown: "token" })]).toEqual([2, 1, 3]);
    expect(() => characters.encode("你 好")).toThrow('but " " (U+0020) is not');
    expect(characters.decode([2, 0, 3, 3], { groupTokens: true })).toBe("你好");
  });

  it("has nothing for unknown characters where it has no unknown token", () => {
    const bare = new CtcTokenizer(new Vocabulary(["<pad>", "|", "A"]));
    expect(() => bare.encode("AB", { unknown: "token" })).toThrow('but "B" (U+0042) is not');
  });

  it("takes the longest token at each place, and none that is not text", () => {
    const tokens = ["<pad>", "<unk>", "|", "s", "c", "h", "ch", "sch", "a+", "<s>", "<", ">"];
    const long = new CtcTokenizer(new Vocabulary(tokens));
    expect([...long.encode("schsc ha+ch")]).toEqual([7, 3, 4, 2, 5, 8, 6]);
    expect([...long.encode("<s>")]).toEqual([10, 3, 11]);
    expect(long.decode([7, 7, 0, 7, 6], { groupTokens: true })).toBe("schschch");
  });

  it("looks text up in capitals and gives it back in small letters where told", () => {
    const lower = new CtcTokenizer(tokenizer.vocabulary, { lowerCase: true, wordSeparator: "_" });
    expect(lower.encode("carry hElLo")).toEqual(tokenizer.encode("CARRY HELLO"));
    expect(lower.decode(tokenizer.encode("CARRY HELLO"), { groupTokens: false })).toBe("carry_hello");
  });
});

describe("forms of letters", () => {
  const of = (...texts: string[]) => new CtcTokenizer(Vocabulary.fromTranscripts(texts));

  it.each([
    ["cafe\u0301 don’t", "café don't"],
    ["café", "cafe\u0301"],
    ["ＡＢ１", "AB1"],
    ["A\u200bB\u00ad", "AB"],
    ["عربي", "عربی"],
    ["ﬁ", "fi"],
  ])("%s has the labels of %s where the vocabulary has that alone", (text, known) => {
    const tokenizer = of(known);
    expect(tokenizer.inVocabularyForm(text)).toBe(known);
    expect(tokenizer.encode(text)).toEqual(tokenizer.encode(known));
    expect(tokenizer.unknownIn(text)).toEqual([]);
  });

  it("are told apart where the vocabulary does", () => {
    const tokenizer = of("é", "e\u0301", "'’");
    for (const text of ["é", "e\u0301", "'", "’"])
      expect(tokenizer.decode(tokenizer.encode(text), { groupTokens: false })).toBe(text);
  });

  it("are none of case, and what no form of it is known stays unknown", () => {
    expect(of("é").unknownIn("É")).toEqual(["É"]);
    expect(() => of("ab").encode("ae\u0301")).toThrow('but "e" (U+0065) is not');
    const upper = new CtcTokenizer(Vocabulary.fromTranscripts(["ÉA"]), { lowerCase: true });
    expect(upper.encode("e\u0301a")).toEqual(upper.encode("ÉA"));
  });
});

describe("decode", () => {
  it.each([
    // what transformers 5.23's Wav2Vec2CTCTokenizer.decode gives
    ["a blank parts double letters", [9, 9, 8, 0, 10, 10, 0, 10, 11, 11, 0], true, "HELLO"],
    ["without one they are one", [9, 8, 10, 10, 11], true, "HELO"],
    ["labels are not collapsed", [9, 8, 10, 10, 11], false, "HELLO"],
    ["words", [4, 4, 6, 4, 4, 0, 6, 4], true, "A A"],
    ["a blank between delimiters", [6, 4, 0, 4, 6], true, "A  A"],
    ["special tokens are dropped after collapsing", [1, 6, 1, 6, 3, 3, 6, 2], true, "AAA"],
    ["blanks alone", [0, 0, 0], true, ""],
  ])("%s", (_, ids, groupTokens, text) => {
    expect(tokenizer.decode(ids, { groupTokens })).toBe(text);
  });

  it("gives back what was encoded", () => {
    const random = new Random(5, "tokenizer");
    const letters = tokenizer.vocabulary.tokens.slice(5);
    for (let round = 0; round < 200; round++) {
      const words = Array.from({ length: random.integer(5) }, () =>
        Array.from({ length: 1 + random.integer(6) }, () => letters[random.integer(letters.length)]).join(""),
      );
      const text = words.join(" ");
      expect(tokenizer.decode(tokenizer.encode(text), { groupTokens: false })).toBe(text);
    }
  });

  it("refuses ids outside the vocabulary", () => {
    expect(() => tokenizer.decode([14], { groupTokens: false })).toThrow(
      "id must be a whole number from 0 to 13, but is 14.",
    );
    for (const id of [5.5, Number.NaN, -1, undefined, "6"])
      expect(() => tokenizer.decode([id as never], { groupTokens: true })).toThrow(
        "id must be a whole number",
      );
  });

  it("takes the bigints of an int64 tensor, and says how to give a tensor", () => {
    const ids = tensor([6, 6, 0, 7, 4, 8], { dtype: "int64" });
    expect(tokenizer.decode(ids.toTypedArray() as BigInt64Array, { groupTokens: true })).toBe("AC E");
    expect(tokenizer.decode(ids.toArray(), { groupTokens: true })).toBe("AC E");
    expect(() => tokenizer.decode(ids as never, { groupTokens: true })).toThrow(
      "is a Tensor. Give its toArray().",
    );
  });
});

describe("write and read", () => {
  it("leaves the files that transformers reads", async () => {
    const directory = await temporaryDirectory("tokenizer");
    await tokenizer.write(directory);
    expect((await readdir(directory)).sort()).toEqual([
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "vocab.json",
    ]);
    const json = async (name: string) => JSON.parse(await readFile(join(directory, name), "utf8"));
    const special = { bos_token: "<s>", eos_token: "</s>", pad_token: "<pad>", unk_token: "<unk>" };
    expect(await json("special_tokens_map.json")).toEqual(special);
    expect(await json("tokenizer_config.json")).toEqual({
      ...special,
      clean_up_tokenization_spaces: false,
      do_lower_case: false,
      replace_word_delimiter_char: " ",
      tokenizer_class: "Wav2Vec2CTCTokenizer",
      word_delimiter_token: "|",
    });
    expect((await CtcTokenizer.read(directory)).vocabulary.tokens).toEqual(tokenizer.vocabulary.tokens);
  });

  it("adds no tokens to a vocabulary without <s> and </s>", async () => {
    const directory = await temporaryDirectory("tokenizer");
    await new CtcTokenizer(new Vocabulary(["|", "A", "[UNK]", "[PAD]"])).write(directory);
    const json = async (name: string) => JSON.parse(await readFile(join(directory, name), "utf8"));
    const special = { bos_token: null, eos_token: null, pad_token: "[PAD]", unk_token: "[UNK]" };
    expect(await json("special_tokens_map.json")).toEqual(special);
    const written = await json("tokenizer.json");
    expect(written.decoder).toEqual({
      type: "CTC",
      pad_token: "[PAD]",
      word_delimiter_token: "|",
      cleanup: true,
    });
    expect(written.model).toEqual({
      type: "WordLevel",
      vocab: { "|": 0, A: 1, "[UNK]": 2, "[PAD]": 3 },
      unk_token: "[UNK]",
    });
    // Were the blank special, readers that skip special tokens would drop it before they collapse repeats.
    expect(written.added_tokens.map(({ content }: { content: string }) => content)).toEqual(["[UNK]"]);
  });
});
