import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { Random } from "../../src/data/random.js";
import { evaluateModel } from "../../src/evaluation/evaluate.js";
import { type CtcModel, loadCtcModel } from "../../src/pretrained/ctc-directory.js";
import { Aligner, loadAligner } from "../../src/recognition/alignment/align.js";
import { loadRecognizer, Recognizer } from "../../src/recognition/recognizer.js";
import { CtcDecoder } from "../../src/text/decoding/ctc-decoder.js";
import { type Format, transcriptWriter } from "../../src/text/formats/formats.js";
import { normalizeText } from "../../src/text/scoring/normalize-text.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";
import { toneClip } from "../fixtures/tone-corpus.js";
import { trainToneModel } from "../fixtures/trained-model.js";

// What programs do with the library that are no command line: models in memory, functions as options, slips.

let directory: string;
let model: string;
let ctc: CtcModel;
const data = () => join(directory, "corpus");
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "library-"));
  model = await trainToneModel(directory);
  ctc = await loadCtcModel(model);
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("a vocabulary without a word delimiter", () => {
  it("gives a word for each token, which all formats and alignments divide at", async () => {
    const tokens = ctc.tokenizer.vocabulary.tokens.map(
      (token) => ({ A: "あ", B: "い", C: "う", "|": "、" })[token] ?? token,
    );
    const tokenizer = new CtcTokenizer(new Vocabulary(tokens, { wordDelimiter: null }));
    const random = new Random(3, "kana");
    const letters = Array.from({ length: 120 }, () => "ABC"[random.integer(3)]!);
    const samples = toneClip(letters.join(""), random); // 18 s without a pause
    const { text, words, segments } = await new Recognizer({ ...ctc, tokenizer }).transcribe(samples, {
      words: true,
    });
    expect(words.length).toBeGreaterThan(100);
    expect(words.map((word) => word.text).join("")).toBe(text);
    const written = (format: Format) => {
      const writer = transcriptWriter(format, "kana.wav");
      return writer.begin() + segments.map((segment) => writer.add(segment)).join("") + writer.end();
    };
    expect(written("ctm").split("\n").length).toBe(words.length + 1);
    expect(JSON.parse(written("json")).words).toHaveLength(words.length);
    const cues = written("srt")
      .trim()
      .split("\n\n")
      .map((cue) => cue.split("\n").slice(2));
    expect(cues.length).toBeGreaterThan(2);
    expect(cues.flat().join("")).toBe(text);
    for (const lines of cues) {
      expect(lines.length).toBeLessThanOrEqual(2);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(16);
    }
    const aligned = await new Aligner({ ...ctc, tokenizer }).align(samples, text);
    expect(aligned.transcript.words.map((word) => word.text)).toEqual(words.map((word) => word.text));
  });
});

describe("evaluateModel", () => {
  it("takes a model in memory and gives what it gives of its directory", async () => {
    ctc.model.train();
    const { processingSeconds: _, ...inMemory } = await evaluateModel(ctc, { data: data(), split: "dev" });
    const { processingSeconds: __, ...onDisk } = await evaluateModel(model, { data: data(), split: "dev" });
    expect(inMemory.model).toBe("in memory");
    expect({ ...inMemory, model }).toEqual(onDisk);
    expect(ctc.model.training).toBe(true); // training goes on as before
    const named = await evaluateModel(ctc, { data: data(), split: "dev", name: "step 50" });
    expect(named.model).toBe("step 50");
  });

  it("takes functions of texts, and records them by name", async () => {
    const firstLetters = (text: string) => text.replace(/(\S)\S*/g, "$1");
    const result = await evaluateModel(ctc, {
      data: data(),
      split: "dev",
      textNormalization: ["case", firstLetters, (text) => `${text} x`],
    });
    expect(result.textNormalization).toEqual(["case", "firstLetters", "a function"]);
    for (const { reference, hypothesis } of result.utterances)
      for (const text of [reference, hypothesis]) expect(text).toMatch(/^([abc] )*x$/);
    expect(normalizeText("It's  A–B", [(text) => text.replace("–", " to "), "punctuation", "case"])).toBe(
      "it's a to b",
    );
  });

  it("refuses steps that are none", async () => {
    for (const [steps, message] of [
      [["cases"], 'but holds "cases". Did you mean "case"?'],
      [["lowercase"], 'but holds "lowercase".'],
      [
        "case",
        'must be a list of case, punctuation, form, case:LANGUAGE or functions of a text, but is the string "case".',
      ],
      [[5], "but holds the number 5."],
    ] as const)
      await expect(
        evaluateModel(ctc, { data: data(), split: "dev", textNormalization: steps as never }),
      ).rejects.toMatchObject({ code: "ERR_CONFIGURATION", message: expect.stringContaining(message) });
  });
});

describe("slips", () => {
  it("in the names of options are refused with the nearest", async () => {
    const slip = (options: object) => options as never;
    const meant = (name: string) => ({
      code: "ERR_CONFIGURATION",
      message: expect.stringMatching(`Did you mean ${name}\\?$`),
    });
    await expect(loadRecognizer(model, slip({ beamwidth: 3 }))).rejects.toMatchObject(meant("beamWidth"));
    await expect(loadAligner(model, slip({ languages: "eng" }))).rejects.toMatchObject(meant("language"));
    await expect(evaluateModel(model, slip({ data: data(), splits: "dev" }))).rejects.toMatchObject(
      meant("split"),
    );
    await expect(new Recognizer(ctc).transcribe("a.flac", slip({ word: true }))).rejects.toMatchObject(
      meant("words"),
    );
    expect(() => new CtcDecoder(ctc.tokenizer, slip({ lmweight: 1 }))).toThrow("Did you mean lmWeight?");
    await expect(loadRecognizer(model, slip([1]))).rejects.toThrow("but one is 0.");
    await expect(loadRecognizer(model, null as never)).rejects.toThrow("must be an object, but are null.");
  });

  it("in arguments are said in a sentence", async () => {
    const none = undefined as never;
    await expect(loadRecognizer(none)).rejects.toThrow(
      "The model must be a directory or a Hub id, but is undefined.",
    );
    expect(() => transcriptWriter("xml" as Format, "a")).toThrow(
      'The format must be text, json, srt, vtt, textgrid, ctm, but is "xml".',
    );
    expect(() => transcriptWriter("stt" as Format, "a")).toThrow("Did you mean");
    expect(() => encodeFlac(none)).toThrow(
      "samples must be a Float32Array or an Int16Array, but are undefined.",
    );
    expect(encodeFlac(new Float32Array(4))).toEqual(encodeFlac(new Float32Array(4), 16_000));
  });

  it("in models have codes", async () => {
    await expect(loadRecognizer(join(directory, "none"))).rejects.toMatchObject({
      code: "ERR_MODEL_NOT_FOUND",
    });
    await expect(loadRecognizer(data())).rejects.toMatchObject({ code: "ERR_MODEL_INVALID" });
    await expect(loadRecognizer(model, { languageModel: join(model, "config.json") })).rejects.toMatchObject({
      code: "ERR_LANGUAGE_MODEL",
    });
    const aligner = await loadAligner(model);
    await expect(aligner.align(new Float32Array(1000), "A B C A B C A B C")).rejects.toMatchObject({
      code: "ERR_TEXT",
    });
  });
});
