import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/fixtures/temporary-directory.js";
import { UserError } from "../errors.js";
import { CtcTokenizer } from "./tokenizer.js";
import type { TokenizerChoice } from "./tokenizer-files.js";

interface Case {
  name: string;
  files: Record<string, unknown>;
  language?: string;
  tokens: string[];
  encodes: [string, number[]][];
  decodes: [number[], string][];
}

// By reference/tokenizer_files.py
const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/tokenizer-files.json", import.meta.url), "utf8"),
) as Case[];

async function directoryOf(files: Record<string, unknown>): Promise<string> {
  const directory = await temporaryDirectory("tokenizer");
  for (const [name, contents] of Object.entries(files))
    await writeFile(
      join(directory, name),
      typeof contents === "string" ? contents : JSON.stringify(contents),
    );
  return directory;
}

async function read(files: Record<string, unknown>, choice: TokenizerChoice = {}): Promise<CtcTokenizer> {
  return await CtcTokenizer.read(await directoryOf(files), choice);
}

function expectAs(tokenizer: CtcTokenizer, { tokens, encodes, decodes }: Case): void {
  expect(tokenizer.vocabulary.tokens).toEqual(tokens);
  for (const [text, ids] of encodes) expect([...tokenizer.encode(text, { unknown: "token" })]).toEqual(ids);
  for (const [ids, text] of decodes) expect(tokenizer.decode(ids, { groupTokens: true })).toBe(text);
}

describe("a directory as transformers reads it", () => {
  it.each(golden)("$name", async (directory) => {
    expectAs(await read(directory.files, { language: directory.language }), directory);
  });

  it.each(golden)("$name, written and read again", async (directory) => {
    const tokenizer = await read(directory.files, { language: directory.language });
    const target = await temporaryDirectory("tokenizer");
    await tokenizer.write(target);
    const again = await CtcTokenizer.read(target, { size: tokenizer.vocabulary.size });
    expect(again).toEqual(tokenizer);
    expectAs(again, directory);
  });

  it("is read from tokenizer.json where there is no vocab.json", async () => {
    for (const directory of golden) {
      const tokenizer = await read(directory.files, { language: directory.language });
      const target = await temporaryDirectory("tokenizer");
      await tokenizer.write(target);
      await rm(join(target, "vocab.json"));
      const again = await CtcTokenizer.read(target);
      if (tokenizer.lowerCase) continue; // its letters are the lower ones there
      expect(again).toEqual(tokenizer);
      await rm(join(target, "tokenizer_config.json"));
      await rm(join(target, "special_tokens_map.json"));
      const alone = await CtcTokenizer.read(target);
      expect(alone.vocabulary.tokens).toEqual(tokenizer.vocabulary.tokens);
      expect(alone.vocabulary.blankId).toBe(tokenizer.vocabulary.blankId);
    }
  });
});

describe("tokens that transformers adds behind the vocabulary", () => {
  const files = { "vocab.json": { "|": 0, a: 1, "[UNK]": 2, "[PAD]": 3 } };

  it("are left out where the head has no outputs for them", async () => {
    const all = ["|", "a", "[UNK]", "[PAD]", "<s>", "</s>"];
    expect((await read(files)).vocabulary.tokens).toEqual(all);
    for (const size of [4, 5, 6])
      expect((await read(files, { size })).vocabulary.tokens).toEqual(all.slice(0, size));
  });

  it.each([3, 7])("cannot make %s tokens of 4", async (size) => {
    await expect(read(files, { size })).rejects.toThrow(
      new RegExp(`vocab.json must have ${size} tokens as config.json's vocab_size, but has 6`),
    );
  });

  it("are taken from objects in special_tokens_map.json, however often they stand there", async () => {
    const token = { content: "<s>", single_word: false, lstrip: false, rstrip: false, normalized: true };
    const map = { additional_special_tokens: [token, { ...token, content: "</s>" }, token, "<x>"] };
    const { vocabulary } = await read({ ...files, "special_tokens_map.json": map });
    expect(vocabulary.tokens.slice(4)).toEqual(["<s>", "</s>", "<x>"]);
    expect(vocabulary.additionalSpecialIds).toEqual([6]);
  });
});

describe("a multilingual vocabulary", () => {
  const head = { "<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3 };
  const files = { "vocab.json": { swe: { ...head, å: 4 }, eng: { ...head, a: 4 } } };

  it("asks which language is meant", async () => {
    await expect(read(files)).rejects.toThrow(/but is not chosen. Choose from eng, swe\.$/);
    await expect(read(files, { language: "xyz" })).rejects.toThrow(/but is "xyz". Choose from eng, swe\.$/);
    await expect(read(files, { language: "constructor" })).rejects.toThrow(UserError);
    expect((await read(files, { language: "swe" })).vocabulary.tokens[4]).toBe("å");
  });

  it("is read from tokenizer.json too", async () => {
    const tokenizer = { model: { vocab: files["vocab.json"] }, decoder: { type: "CTC", pad_token: "<pad>" } };
    const { vocabulary } = await read({ "tokenizer.json": tokenizer }, { language: "swe" });
    expect(vocabulary.tokens).toEqual(["<pad>", "<s>", "</s>", "<unk>", "å"]);
    await expect(read({ "tokenizer.json": tokenizer })).rejects.toThrow(/tokenizer.json, but is not chosen/);
  });

  it("needs no choice where it has one language, and a plain one allows none", async () => {
    expect((await read({ "vocab.json": { eng: { ...head, a: 4 } } })).vocabulary.tokens[4]).toBe("a");
    await expect(read({ "vocab.json": head }, { language: "eng" })).rejects.toThrow(
      /must hold several languages/,
    );
  });
});

describe("what is wrong is named", () => {
  const vocab = { "<pad>": 0, "<unk>": 1, "|": 2, a: 3 };
  const ctc = { type: "CTC", pad_token: "<pad>", word_delimiter_token: "|", cleanup: true };
  it.each<[Record<string, unknown>, string]>([
    [{}, "must hold vocab.json or tokenizer.json, but holds neither"],
    [{ "vocab.json": "{" }, "vocab.json must be JSON, but is not"],
    [{ "vocab.json": [1] }, "vocab.json must be a JSON object, but is not"],
    [{ "vocab.json": { "<pad>": 0, "<unk>": 1, "|": 9 } }, 'must be 0 to 4, but that of "|" is 9'],
    [{ "vocab.json": { "<pad>": 0, "<unk>": 1, "|": 1 } }, 'must be unique, but "<unk>" and "|" share 1'],
    [{ "vocab.json": { "<pad>": 0, "|": "2" } }, 'whole numbers from 0, but that of "|" is "2"'],
    [{ "vocab.json": { "<pad>": 0, "|": 1.5 } }, 'whole numbers from 0, but that of "|" is 1.5'],
    [{ "vocab.json": { "<pad>": 0, "": 1 } }, "must hold tokens with text, but one is empty"],
    [{ "vocab.json": { "<pad>": 0, "[PAD]": 1 } }, "must hold one of <pad> and [PAD], but holds both"],
    [
      { "vocab.json": vocab, "tokenizer_config.json": { pad_token: "|" } },
      'must tell the blank from the word delimiter, but both are "|"',
    ],
    [{ "vocab.json": vocab, "tokenizer_config.json": { pad_token: 3 } }, "pad_token beside"],
    [{ "vocab.json": vocab, "tokenizer_config.json": "[" }, "tokenizer_config.json must be JSON"],
    [
      { "vocab.json": vocab, "tokenizer_config.json": { tokenizer_class: "BertTokenizer" } },
      "tokenizer_class must be Wav2Vec2CTCTokenizer or Wav2Vec2PhonemeCTCTokenizer, but is BertTokenizer",
    ],
    [
      { "vocab.json": vocab, "added_tokens.json": { "<s>": 3 } },
      'has "a" with id 3 where "<s>" with id 3 was added',
    ],
    [
      { "vocab.json": vocab, "added_tokens.json": { a: 4 } },
      'has "a" with id 3 where "a" with id 4 was added',
    ],
    [{ "vocab.json": vocab, "added_tokens.json": { "<s>": 9 } }, 'must be 0 to 5, but that of "<s>" is 9'],
    [
      { "tokenizer.json": { model: { vocab }, decoder: { type: "ByteLevel" } } },
      "must have a CTC decoder, but has ByteLevel",
    ],
    [{ "tokenizer.json": { model: { vocab } } }, "must have a CTC decoder, but has none"],
    [{ "tokenizer.json": { model: { vocab: [["a", 0]] }, decoder: ctc } }, "must have model.vocab"],
  ])("%j", async (files, message) => {
    const reading = read(files);
    await expect(reading).rejects.toThrow(UserError);
    await expect(reading).rejects.toThrow(message);
  });
});
