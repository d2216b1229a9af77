import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/fixtures/temporary-directory.js";
import { golden } from "../../../../test/recognition/language-model-fixture.js";
import { Random } from "../../../data/random.js";
import { UserError } from "../../../errors.js";
import { readArpa } from "../arpa/arpa-reader.js";
import { languageModelFormat, loadLanguageModel } from "../load-language-model.js";
import { readCompiled, verifyCompiled, writeCompiled } from "./compiled-file.js";
import { NgramModel } from "./ngram-model.js";

async function compiled(name = "order 3"): Promise<{ path: string; model: NgramModel }> {
  const directory = await temporaryDirectory("compiled");
  const arpa = join(directory, "model.arpa");
  await writeFile(arpa, golden.models[name]!.arpa!);
  const automaton = await readArpa(arpa);
  const path = join(directory, "model.lm");
  await writeCompiled(path, automaton);
  return { path, model: new NgramModel(automaton) };
}

function allScores(model: NgramModel): number[] {
  return golden.sentences.flatMap((sentence) => {
    let state = model.begin;
    const scores = sentence.split(" ").map((word) => {
      const id = model.wordId(word);
      const score = model.score(state, id);
      state = model.next(state, id);
      return score;
    });
    return [...scores, model.end(state)];
  });
}

describe("a compiled language model", () => {
  it.each(["order 1", "order 2", "order 5", "vocabulary"])(
    "is the model that it was made of: %s",
    async (name) => {
      const { path, model } = await compiled(name);
      expect(await languageModelFormat(path)).toBe("compiled");
      await verifyCompiled(path);
      const loaded = await loadLanguageModel(path);
      expect([...loaded.words()]).toEqual([...model.words()]);
      expect(loaded.automaton.counts).toEqual(model.automaton.counts);
      expect(allScores(loaded)).toEqual(allScores(model));
      expect((await readdir(join(path, ".."))).sort()).toEqual(["model.arpa", "model.lm"]);
    },
  );

  it("is refused wherever it is cut", async () => {
    const { path } = await compiled();
    const bytes = await readFile(path);
    for (const length of [0, 5, 16, 20, 40, 55, 60, 200, 700, bytes.length >> 1, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length));
      await expect(loadLanguageModel(path), `${length} bytes`).rejects.toBeInstanceOf(UserError);
      if (length >= 16) await expect(loadLanguageModel(path)).rejects.toThrow("model.lm must be a whole");
    }
    await writeFile(path, Buffer.concat([bytes, Buffer.alloc(1)]));
    await expect(loadLanguageModel(path)).rejects.toThrow(
      `it has ${bytes.length + 1} of its ${bytes.length} bytes`,
    );
  });

  it("is refused where a byte of its header differs, and told apart from another version", async () => {
    const { path } = await compiled();
    const bytes = await readFile(path);
    const headerEnd = 56 + bytes.readUInt32LE(20);
    for (let at = 16; at < headerEnd; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ 0x15;
      await writeFile(path, changed);
      await expect(loadLanguageModel(path), `byte ${at}`).rejects.toBeInstanceOf(UserError);
    }
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(2, 16);
    await writeFile(path, newer);
    await expect(loadLanguageModel(path)).rejects.toThrow(
      "of version 1, but is of version 2. Compile it again",
    );
  });

  it("is found damaged by a check of all of it, and never leads in circles", async () => {
    const { path } = await compiled();
    const bytes = await readFile(path);
    const headerEnd = 56 + bytes.readUInt32LE(20);
    const random = new Random(6, "damage");
    for (let round = 0; round < 20; round++) {
      const changed = Buffer.from(bytes);
      for (let i = 0; i < 2000; i++)
        changed[headerEnd + Math.floor((bytes.length - headerEnd) * random.uniform())] = Math.floor(
          256 * random.uniform(),
        );
      await writeFile(path, changed);
      await expect(verifyCompiled(path)).rejects.toThrow("do not fit their checksum");
      await expect(loadLanguageModel(path)).rejects.toThrow("do not fit their checksum");
      const model = new NgramModel(await readCompiled(path));
      try {
        allScores(model);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }
  });

  it("leaves what was there where it cannot be written", async () => {
    const { model } = await compiled();
    const directory = await temporaryDirectory("compiled");
    await expect(writeCompiled(join(directory, "none", "x.lm"), model.automaton)).rejects.toThrow(
      /must be a file that can be written/,
    );
    const path = join(directory, "kept.lm");
    await writeFile(path, "kept");
    const reason = new Error("enough");
    await expect(writeCompiled(path, model.automaton, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await readFile(path, "utf8")).toBe("kept");
    expect(await readdir(directory)).toEqual(["kept.lm"]);
  });
});
