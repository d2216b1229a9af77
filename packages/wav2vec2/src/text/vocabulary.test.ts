import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UserError } from "../errors.js";
import { Vocabulary } from "./vocabulary.js";

describe("Vocabulary", () => {
  it("puts Facebook's special tokens first and the characters in order", () => {
    const vocabulary = Vocabulary.fromTranscripts(["THE CAT'S", "ÄH"]);
    expect(vocabulary.tokens).toEqual(["<pad>", "<s>", "</s>", "<unk>", "|", ..."'ACEHSTÄ"]);
    expect(vocabulary).toMatchObject({ size: 13, blankId: 0, unknownId: 3, delimiterId: 4 });
    expect(vocabulary.id("C")).toBe(7);
    expect(vocabulary.id("X")).toBeUndefined();
  });

  it("comes out of vocab.json as it went in, digits too", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "vocabulary-")), "vocab.json");
    const vocabulary = Vocabulary.fromTranscripts(['9 TIMES 0 "IS" \\ 😀']);
    await vocabulary.write(path);
    expect((await Vocabulary.read(path)).tokens).toEqual(vocabulary.tokens);
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ "<pad>": 0, "|": 4, '"': 5, "0": 6 });
  });

  it("reads the vocabularies that Hugging Face's script makes", () => {
    const vocabulary = Vocabulary.parse('{"A": 1, "|": 0, "[UNK]": 2, "[PAD]": 3}', "vocab.json");
    expect(vocabulary).toMatchObject({
      tokens: ["|", "A", "[UNK]", "[PAD]"],
      blankId: 3,
      unknownId: 2,
      delimiterId: 0,
    });
  });

  it.each([
    ["{", "vocab.json must be JSON, but is not"],
    ["[1]", "must be an object from token to id"],
    ['{"<pad>": 0, "<unk>": 1, "|": 3}', 'ids in vocab.json must be 0 to 2, but that of "|" is 3.'],
    ['{"<pad>": 0, "<unk>": 1, "|": 1}', 'must be unique, but "<unk>" and "|" share 1.'],
    ['{"<pad>": 0, "<unk>": 1, "|": "2"}', 'but that of "|" is "2"'],
    ['{"<pad>": 0, "<unk>": 1, "|": 1.5}', 'but that of "|" is 1.5'],
    [
      '{"<unk>": 0, "|": 1}',
      "must hold a padding token, which is CTC's blank (<pad> or [PAD]), but holds none",
    ],
    ['{"<pad>": 0, "[PAD]": 1, "<unk>": 2, "|": 3}', "(<pad> or [PAD]), but holds both"],
    ['{"<pad>": 0, "|": 1}', "must hold an unknown token (<unk> or [UNK]), but holds none"],
    ['{"<pad>": 0, "<unk>": 1}', "must hold the word delimiter (|), but holds none"],
    ["{}", "padding token"],
  ])("refuses %s", (json, message) => {
    expect(() => Vocabulary.parse(json, "vocab.json")).toThrow(UserError);
    expect(() => Vocabulary.parse(json, "vocab.json")).toThrow(message);
  });

  it("refuses transcripts with the delimiter, or without characters", () => {
    expect(() => Vocabulary.fromTranscripts(["A B", "C|D"])).toThrow('but one is "C|D"');
    expect(() => Vocabulary.fromTranscripts([" "])).toThrow("at least one character");
    expect(() => new Vocabulary(["<pad>", "<unk>", "|", "A", "A"])).toThrow('holds "A" twice');
  });

  it("names a missing file", async () => {
    await expect(Vocabulary.read("/nowhere/vocab.json")).rejects.toThrow(
      "/nowhere/vocab.json must be a vocabulary, but does not exist.",
    );
  });
});
