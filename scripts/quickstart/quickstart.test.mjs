import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseQuickstartOptions } from "./options.mjs";
import { planCorpus } from "./plan.mjs";
import { resample } from "./resample.mjs";
import { shortTraining } from "./short-training.mjs";
import { chooseSplits } from "./splits.mjs";

describe("planCorpus", () => {
  const speakers = planCorpus(1);
  const chapters = speakers.flatMap((speaker) =>
    speaker.chapters.map((chapter) => ({ ...chapter, speaker })),
  );
  const of = (/** @type {string} */ split) => chapters.filter((chapter) => chapter.split === split);
  const clips = (/** @type {typeof chapters} */ list) => list.flatMap((chapter) => chapter.clips);

  it("depends on the seed alone", () => {
    expect(planCorpus(1)).toEqual(speakers);
    expect(planCorpus(2)).not.toEqual(speakers);
  });

  it("never says the same string twice, so that dev and test are unseen sentences", () => {
    const texts = clips(chapters).map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) expect(text).toMatch(/^[A-Z]+( [A-Z]+){1,6}$/);
    expect(new Set(clips(chapters).map(({ id }) => id)).size).toBe(texts.length);
  });

  it("has the promised size, and half of the test clips by unseen voices", () => {
    expect(["train", "dev", "test"].map((split) => clips(of(split)).length)).toEqual([1008, 60, 100]);
    const heard = new Set(of("train").map(({ speaker }) => speaker.voice.variant));
    const unseen = of("test").filter(({ speaker }) => !heard.has(speaker.voice.variant));
    expect(clips(unseen)).toHaveLength(50);
  });
});

describe("resample", () => {
  const tone = (/** @type {number} */ frequency, /** @type {number} */ rate) =>
    Float32Array.from({ length: rate }, (_, index) => Math.sin((2 * Math.PI * frequency * index) / rate));
  const power = (/** @type {Float32Array} */ samples) =>
    samples.slice(1000, -1000).reduce((sum, sample) => sum + sample ** 2, 0) / (samples.length - 2000);
  const decibel = (/** @type {number} */ ratio) => 10 * Math.log10(ratio);

  it.each([100, 1000, 3000, 6000])("keeps a tone of %d Hz", (frequency) => {
    const expected = tone(frequency, 16000);
    const difference = resample(tone(frequency, 22050), 22050, 16000).map(
      (sample, index) => sample - expected[index],
    );
    expect(decibel(power(difference) / power(expected))).toBeLessThan(-50);
  });

  it("lets no tone above half the new rate through as another tone", () => {
    expect(decibel(power(resample(tone(9500, 22050), 22050, 16000)) / 0.5)).toBeLessThan(-50);
  });

  it("copes with clips shorter than its filter", () => {
    expect(resample(new Float32Array(0), 22050, 16000)).toHaveLength(0);
    expect(resample(new Float32Array([1, 1, 1]), 22050, 16000)).toHaveLength(2);
  });
});

describe("parseQuickstartOptions", () => {
  it("keeps its own options and passes the others on", () => {
    const args = ["--data", "a", "--max-steps", "3", "--test-split=x=y", "--model.layerdrop=0"];
    expect(parseQuickstartOptions(args)).toEqual({
      help: false,
      data: "a",
      output: undefined,
      splits: { test: "x=y" },
      recipe: ["--max-steps", "3", "--model.layerdrop=0"],
    });
  });

  it("refuses an option without its value", () => {
    expect(() => parseQuickstartOptions(["--data"])).toThrow("--data must have a value");
  });
});

describe("chooseSplits", () => {
  /** @param {string[]} names @param {Partial<import("./options.mjs").Splits>} [wanted] */
  async function choose(names, wanted = {}) {
    const directory = mkdtempSync(join(tmpdir(), "splits-"));
    try {
      for (const name of names) {
        const chapter = join(directory, "LibriSpeech", name, "1", "1");
        mkdirSync(chapter, { recursive: true });
        writeFileSync(join(chapter, "1-1.trans.txt"), "1-1-0000 ONE\n");
      }
      const { train, dev, test } = await chooseSplits(directory, wanted);
      return [train, dev, test];
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  it.each([
    [
      ["dev", "test", "train"],
      ["train", "dev", "test"],
    ],
    [
      ["dev-clean", "dev-other", "test-clean", "test-other", "train-clean-100", "train-other-500"],
      ["train-clean-100", "dev-clean", "test-clean"],
    ],
    [
      ["train-clean-100", "test-other"],
      ["train-clean-100", "test-other", "test-other"],
    ],
    [
      ["train", "valid"],
      ["train", "valid", "valid"],
    ],
  ])("of %j takes %j", async (names, expected) => expect(await choose(names)).toEqual(expected));

  it("takes what was asked for", async () => {
    expect(await choose(["a", "b"], { train: "a", dev: "b", test: "b" })).toEqual(["a", "b", "b"]);
  });

  it("says what is there when it cannot guess", async () => {
    await expect(choose(["a", "b"])).rejects.toThrow(
      "must have a split to train on, but has a, b. Add --train-split",
    );
  });
});

describe("shortTraining", () => {
  /** @param {number} step */
  const remarkOf = (step) => {
    const run = mkdtempSync(join(tmpdir(), "quickstart-"));
    try {
      const recipe = { task: "finetune", max_minutes: 5 };
      writeFileSync(join(run, "run.json"), JSON.stringify({ steps: 2400, recipe }));
      writeFileSync(join(run, "metrics.jsonl"), `{"step":10}\n{"step":${step},"eval/wer":1}\n`);
      return shortTraining(run);
    } finally {
      rmSync(run, { recursive: true });
    }
  };

  it("tells of a training that its minutes ended long before its steps", () => {
    expect(remarkOf(166)).toMatch(/^Fine-tuning came to step 166 of 2400 in its 5 minutes/);
  });

  it("has nothing to say of one that came far enough, and of a directory that is no run", () => {
    expect(remarkOf(1200)).toBeUndefined();
    expect(shortTraining(tmpdir())).toBeUndefined();
  });
});
