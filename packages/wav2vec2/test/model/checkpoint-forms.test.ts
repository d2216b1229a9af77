import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { noGrad, type Tensor } from "@wav2vec2/libtorch";
import { beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { loadCtcModel } from "../../src/pretrained/ctc-directory.js";
import { loadRecognizer } from "../../src/recognition/recognizer.js";
import { unusedLanguageModel } from "../../src/recognition/unused-language-model.js";
import { Golden } from "./golden.js";

// Directories as public repositories have them, made by reference/checkpoint_forms.py with Hugging Face transformers of
// several years: each gives the same numbers and texts here, or one sentence.

interface Form {
  form: string;
  about: string;
  language?: string;
  logits: number[][];
  normalize: boolean;
  decodes: [number[], string][];
  error?: string;
}

const FORMS = fileURLToPath(new URL("../golden/forms/", import.meta.url));
const forms: Form[] = JSON.parse(readFileSync(join(FORMS, "forms.json"), "utf8"));
const read = forms.filter(({ error }) => error === undefined);
const refused = forms.filter(({ error }) => error !== undefined);

/** Of max |a - b| / max |b|. Weights of half precision are equal on both sides, sums are in float32. */
const BOUND = 1e-5;

let clip: Tensor;
beforeAll(async () => {
  const inputs = await Golden.load("inputs");
  const length = inputs.get("lengths").toArray()[2]!;
  clip = inputs.get("input_values").narrow(0, 2, 1).narrow(1, 0, Number(length));
});

const load = (form: Form, onNote: (text: string) => void) =>
  loadCtcModel(join(FORMS, form.form), {
    onNote,
    ...(form.language !== undefined && { language: form.language }),
  });

describe("a checkpoint's form", () => {
  it("is one of many", () => expect(read.length + refused.length).toBeGreaterThan(50));

  it.each(read)("gives Hugging Face's numbers and texts: $form $language ($about)", async (form) => {
    const { model, tokenizer, normalize } = await load(form, () => {});
    expect(normalize).toBe(form.normalize);
    const logits = noGrad(() => model.eval().forward({ input: clip }).logits).toArray();
    const expected = form.logits.flat();
    expect(logits.length).toBe(expected.length);
    const scale = Math.max(...expected.map(Math.abs));
    const error = Math.max(...expected.map((value, i) => Math.abs(value - Number(logits[i])))) / scale;
    expect(error).toBeLessThan(BOUND);
    expect(tokenizer.vocabulary.size).toBe(form.logits[0]!.length);
    for (const [frames, text] of form.decodes)
      expect(tokenizer.decode(frames, { groupTokens: true })).toBe(text);
  });

  it("says that a language model beside the recogniser is not used, unless one is given", async () => {
    const notes: string[] = [];
    await loadRecognizer(join(FORMS, "language-model"), {
      onNote: (text) => notes.push(text),
      device: "cpu",
    });
    expect(notes).toEqual([
      `${join(FORMS, "language-model/language_model/5gram.bin")} is the language model that transformers decodes this ` +
        "recogniser with; here none is used unless it is given (--lm), as an ARPA file.",
    ]);
    expect(await unusedLanguageModel(join(FORMS, "language-model"), "words.arpa")).toBeUndefined();
    expect(await unusedLanguageModel(join(FORMS, "today"), undefined)).toBeUndefined();
  });

  it.each(refused)("is refused with the reason: $form ($about)", async (form) => {
    const reading = load(form, () => {});
    await expect(reading).rejects.toThrow(UserError);
    await expect(reading).rejects.toThrow(form.error!);
  });
});
