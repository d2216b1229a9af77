import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/fixtures/temporary-directory.js";
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

  it("is written by id, digits too", async () => {
    const path = join(await temporaryDirectory("vocabulary"), "vocab.json");
    await Vocabulary.fromTranscripts(['9 0 "\\ 😀']).write(path);
    const tokens = ["<pad>", "<s>", "</s>", "<unk>", "|", '"', "0", "9", "\\", "😀"];
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n").slice(1, -1);
    expect(lines.map((line) => JSON.parse(`{${line.replace(/,$/, "")}}`))).toEqual(
      tokens.map((token, id) => ({ [token]: id })),
    );
  });

  it("finds the usual names of tokens, and takes others where told", () => {
    expect(new Vocabulary(["|", "A", "[UNK]", "[PAD]"])).toMatchObject({
      blankId: 3,
      unknownId: 2,
      delimiterId: 0,
      bosId: undefined,
      eosId: undefined,
    });
    const roles = {
      pad: "A",
      unk: null,
      wordDelimiter: "_",
      bos: "|",
      additionalSpecial: ["B", "A", "B", "C"],
    };
    const vocabulary = new Vocabulary(["|", "_", "A", "B", "</s>", "<unk>"], roles);
    expect(vocabulary).toMatchObject({
      blankId: 2,
      unknownId: undefined,
      delimiterId: 1,
      bosId: 0,
      eosId: 4,
      additionalSpecialIds: [3],
    });
    expect([0, 1, 2, 3, 4, 5].filter((id) => vocabulary.isSpecial(id))).toEqual([0, 3, 4]);
  });

  it("does without an unknown token and a word delimiter, but not without a blank", () => {
    expect(new Vocabulary(["<pad>", "好"])).toMatchObject({ unknownId: undefined, delimiterId: undefined });
    expect(() => new Vocabulary(["<unk>", "|"], {}, "vocab.json")).toThrow(
      "vocab.json must hold a padding token, which is CTC's blank (<pad> or [PAD]), but holds none.",
    );
    expect(() => new Vocabulary(["<pad>", "|"], { pad: "<blank>" })).toThrow(
      "CTC's blank (<blank>), but holds none",
    );
    expect(() => new Vocabulary(["<pad>", "[PAD]"])).toThrow(
      "must hold one of <pad> and [PAD], but holds both",
    );
    expect(() => new Vocabulary(["<pad>", "[UNK]", "<unk>"])).toThrow(UserError);
    expect(() => new Vocabulary(["<pad>", "|"], { wordDelimiter: "<pad>" })).toThrow('but both are "<pad>"');
  });

  it("refuses transcripts with the delimiter or without characters, and tokens that are twice or nothing", () => {
    expect(() => Vocabulary.fromTranscripts(["A B", "C|D"])).toThrow('but one is "C|D"');
    expect(() => Vocabulary.fromTranscripts([" "])).toThrow("at least one character");
    expect(() => new Vocabulary(["<pad>", "<unk>", "|", "A", "A"])).toThrow('holds "A" twice');
    expect(() => new Vocabulary(["<pad>", ""])).toThrow("one is empty");
  });
});
