import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { golden } from "../../../test/recognition/language-model-fixture.js";
import { writeCompiled } from "./automaton/compiled-file.js";
import { parseLanguageModel } from "./language-model-bytes.js";

const ARPA = new TextEncoder().encode(golden.models["order 3"]!.arpa!);

it("is the same model of a text, packed or not, and of a compiled file", async () => {
  const model = await parseLanguageModel(ARPA);
  const path = join(await temporaryDirectory("language-model"), "model.lm");
  await writeCompiled(path, model.automaton);
  const words = [...model.words()];
  expect(words.length).toBeGreaterThan(3);
  for (const bytes of [
    new Uint8Array(gzipSync(ARPA)),
    ARPA.slice().buffer,
    new Uint8Array(await readFile(path)),
  ]) {
    const same = await parseLanguageModel(bytes);
    expect([...same.words()]).toEqual(words);
    expect(same.automaton.counts).toEqual(model.automaton.counts);
    for (const word of words)
      expect(same.score(same.begin, same.wordId(word))).toBe(model.score(model.begin, model.wordId(word)));
  }
});

it("says what is wrong with bytes that are none", async () => {
  const packed = new Uint8Array(gzipSync(ARPA));
  const name = "small.arpa.gz";
  await expect(parseLanguageModel(packed.slice(0, 200), { name })).rejects.toMatchObject({
    code: "ERR_LANGUAGE_MODEL",
    message: expect.stringContaining("small.arpa.gz must be a complete gzip file"),
  });
  await expect(parseLanguageModel(ARPA.slice(0, 300))).rejects.toMatchObject({ code: "ERR_LANGUAGE_MODEL" });
  await expect(parseLanguageModel("small.arpa" as never)).rejects.toMatchObject({
    code: "ERR_INVALID_ARG_TYPE",
  });
});
