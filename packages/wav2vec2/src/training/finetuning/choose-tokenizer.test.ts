import { join } from "node:path";
import { writeSafetensors } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { createConfig } from "../../model/configuration.js";
import { CtcTokenizer } from "../../text/tokenizer.js";
import { Vocabulary } from "../../text/vocabulary.js";
import { chooseTokenizer } from "./choose-tokenizer.js";

const clips = (...texts: string[]) =>
  texts.map((text, i) => ({ id: `clip ${i}`, path: `${i}.flac`, samples: 16000, seconds: 1, text }));

async function choose(train: string[], held: string[] = [], directory?: string) {
  const notes: string[] = [];
  const tracker = { note: (text: string) => void notes.push(text), tell: () => {} };
  const init = directory === undefined ? undefined : { directory, config: createConfig({}) };
  const recipe = { vocabulary: undefined, train: "all" as const } as Parameters<typeof chooseTokenizer>[0];
  const chosen = await chooseTokenizer(
    recipe,
    init,
    { train: clips(...train), held: clips(...held) },
    tracker,
  );
  return { ...chosen, notes, tokens: chosen.tokenizer.vocabulary.tokens.slice(5).join(" ") };
}

describe("a vocabulary of transcripts", () => {
  it("has one form of each letter, which transcripts are read in, and says so", async () => {
    const { tokens, notes, inForm } = await choose(["caf\u00e9", "cafe\u0301"]);
    expect(tokens).toBe("a c f \u00e9");
    expect(notes).toEqual([
      "é is written in two ways (2 transcripts, such as clip 0 and clip 1): U+00E9 in 1, U+0065 U+0301 in 1. " +
        "The vocabulary has one form of each, and transcripts are read in it.",
    ]);
    expect(["caf\u00e9", "cafe\u0301"].map(inForm)).toEqual(["caf\u00e9", "caf\u00e9"]);
  });

  it("is in the form that most have, those to validate on among them", async () => {
    const { tokens, notes, inForm } = await choose(["e\u0301 x\u0301"], ["\u00e9", "e\u0301"]);
    expect(tokens).toBe("e x \u0301");
    expect(notes[0]).toContain("(3 transcripts, such as clip 0 and clip 0)");
    expect(inForm("\u00e9")).toBe("e\u0301");
  });

  it("leaves out what is never seen, and says so", async () => {
    const { tokens, notes, inForm } = await choose(["a\u00adb", "ba"]);
    expect([tokens, inForm("a\u00adb")]).toEqual(["a b", "ab"]);
    expect(notes).toEqual([
      "1 transcript with characters that are never seen, such as clip 0: they are left out.",
    ]);
  });

  it("is as the transcripts are where they are in one form", async () => {
    const { tokens, notes, inForm } = await choose(["cafe\u0301 it’s"]);
    expect([tokens, notes]).toEqual(["a c e f i s t \u0301 ’", []]);
    expect(inForm("cafe\u0301")).toBe("cafe\u0301");
  });
});

it("a model's vocabulary takes transcripts in other forms, and says how many", async () => {
  const directory = await temporaryDirectory("forms");
  await new CtcTokenizer(Vocabulary.fromTranscripts(["caf\u00e9'"])).write(directory);
  const weight = { name: "wav2vec2.masked_spec_embed", dtype: "F32" as const, shape: [1] };
  await writeSafetensors(join(directory, "model.safetensors"), [
    { ...weight, bytes: () => new Uint8Array(4) },
  ]);
  const { notes, inForm } = await choose(["cafe\u0301", "caf\u00e9"], ["f’"], directory);
  expect(notes).toEqual([
    '2 transcripts have letters in another form than the vocabulary, such as clip 0: "e\u0301" is U+0065 U+0301 here and U+00E9 there. They are read in its form.',
  ]);
  expect(inForm("cafe\u0301’")).toBe("caf\u00e9'");
});
