import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeEvaluation } from "../../src/cli/recognition/evaluation-text.js";
import { evaluateModel } from "../../src/evaluation/evaluate.js";
import { reportPage } from "../../src/evaluation/report/report-page.js";
import { loadAligner } from "../../src/recognition/alignment/align.js";
import { loadRecognizer } from "../../src/recognition/recognizer.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

// A phoneme is a tone: what the corpus calls A, B and C is written as people write phonemes, with spaces between.
const PHONEMES: Record<string, string> = { A: "aɪ", B: "tʃ", C: "n" };

let directory: string;
let model: string;
const at = (name: string) => join(directory, name);
const record = recorder();

function recipe(output: string, changes: object) {
  return resolveRecipe({
    output: at(output),
    data: { root: at("corpus"), batch_seconds: 8, workers: 0 },
    optimizer: { learning_rate: 5e-3 },
    schedule: { warmup_steps: 20 },
    logging_steps: 100,
    save_steps: 1000,
    threads: 1,
    ...changes,
  });
}

const run = () => ({ resume: false, signal: new AbortController().signal, tracker: record.tracker });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "phonemes-"));
  await writeToneCorpus(at("corpus"), { train: 80, dev: 6 });
  for (const split of ["train", "dev"]) {
    const path = at(`corpus/${split}/1/1/1-1.trans.txt`);
    const lines = (await readFile(path, "utf8")).trim().split("\n");
    const spelled = lines.map((line) => {
      const [id, ...words] = line.split(" ");
      return `${id} ${[...words.join("")].map((letter) => PHONEMES[letter]).join(" ")}`;
    });
    await writeFile(path, `${spelled.join("\n")}\n`);
  }
  const shape = { ...TINY_MODEL, layerdrop: 0 };
  await finetune(
    recipe("run", { vocabulary: "phonemes", model: shape, max_steps: 300, eval_steps: 150 }),
    run(),
  );
  model = at("run/best");
}, 180_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("a model of phonemes", () => {
  it("has a vocabulary of what stands between the transcripts' spaces", async () => {
    const vocabulary = JSON.parse(await readFile(join(model, "vocab.json"), "utf8"));
    expect(Object.keys(vocabulary)).toEqual(["<pad>", "<s>", "</s>", "<unk>", "aɪ", "n", "tʃ"]);
  });

  it("is evaluated as PER, on the terminal and on the page", async () => {
    const result = await evaluateModel(model, { data: at("corpus"), split: "dev" });
    expect(result.unit).toBe("phoneme");
    expect(result.wer).toBeLessThan(0.3);
    expect(result.unknownCharacters.utterances).toBe(0);
    const text = describeEvaluation(result, 3);
    expect(text).toMatch(/^PER {2}[\d.]+ % {2}\d+ errors? in \d+ phonemes:/);
    expect(text).not.toMatch(/WER|word/);
    const page = reportPage(result, { urls: new Map(), left: 0, bytes: 0 });
    expect(page).toContain("Phoneme error rate");
    expect(page.replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>/g, "")).not.toMatch(
      /WER|Word error/,
    );
  });

  it("transcribes with the times of phonemes and aligns a text of them", async () => {
    const recognizer = await loadRecognizer(model);
    const [line] = (await readFile(at("corpus/dev/1/1/1-1.trans.txt"), "utf8")).split("\n");
    const [id, ...phonemes] = line!.split(" ");
    const clip = at(`corpus/dev/1/1/${id}.flac`);
    const { text, words } = await recognizer.transcribe(clip, { words: true });
    expect(text.split(" ").every((phoneme) => Object.values(PHONEMES).includes(phoneme))).toBe(true);
    expect(words.map((word) => word.text)).toEqual(text.split(" "));
    const { transcript } = await (await loadAligner(model)).align(clip, phonemes.join(" "));
    expect(transcript.words.map((word) => word.text)).toEqual(phonemes);
  });

  it("is fine-tuned further on phonemes, and says what it does not know", async () => {
    await finetune(recipe("more", { init: model, max_steps: 2 }), run());
    const path = at("corpus/dev/1/1/1-1.trans.txt");
    const before = await readFile(path, "utf8");
    await writeFile(path, before.replace("n", "ŋ"));
    const train = at("corpus/train/1/1/1-1.trans.txt");
    const texts = await readFile(train, "utf8");
    await writeFile(train, texts.replace(" aɪ", " haɪ"));
    await expect(finetune(recipe("unknown", { init: model, max_steps: 2 }), run())).rejects.toThrow(
      /phonemes of utterance .* of the transcripts' phonemes "haɪ" is not\. Write .*--vocabulary phonemes/,
    );
    await writeFile(path, before);
    await writeFile(train, texts);
  });
});
