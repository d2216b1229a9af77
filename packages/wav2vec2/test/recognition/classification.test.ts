import { createReadStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import { loadTensors, nn, ones, saveTensors, zeros } from "@wav2vec2/libtorch";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readAudio } from "../../src/audio/audio-file.js";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { loadClassifier } from "../../src/classification/classifier-directory.js";
import { classifyFile } from "../../src/classification/classify-file.js";
import { main } from "../../src/cli/main.js";
import { Random } from "../../src/data/random.js";
import { evaluateClassifier } from "../../src/evaluation/classification/evaluate-classifier.js";
import { DEFAULT_CONFIG } from "../../src/model/configuration.js";
import { configWithKeys, readConfig } from "../../src/model/configuration-file.js";
import { Wav2Vec2ForPreTraining } from "../../src/model/heads/pretraining/pretraining.js";
import { Wav2Vec2ForSequenceClassification } from "../../src/model/heads/sequence-classification.js";
import { saveModel } from "../../src/pretrained/model-directory.js";
import { loadAligner } from "../../src/recognition/alignment/align.js";
import { loadRecognizer } from "../../src/recognition/recognizer.js";
import { trainClassifier } from "../../src/training/classification/train-classifier.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { type Recipe, resolveRecipe } from "../../src/training/recipe/recipe.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { finalWeights, recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, toneClip } from "../fixtures/tone-corpus.js";

// Keywords, speakers and segments of tones, which a tiny network learns in seconds.

let directory: string;
const at = (...path: string[]) => join(directory, ...path);

/** A split of clips with a letter each, `speaker` and `label` the letter, and RTTM beside them. */
async function writeSplit(split: string, count: number, random: Random): Promise<void> {
  await mkdir(at("audio", split), { recursive: true });
  await mkdir(at("corpus"), { recursive: true });
  const rows: string[] = [];
  for (let i = 0; i < count; i++) {
    const letter = "ABC"[i % 3]!;
    const before = " ".repeat(random.integer(3));
    const text = `${before}${letter.repeat(2)}${" ".repeat(random.integer(3))}`;
    await writeFile(at("audio", split, `${i}.flac`), encodeFlac(toneClip(text, random), 16000));
    const start = before.length * 0.15;
    const rttm = `SPEAKER ${i} 1 ${start.toFixed(3)} 0.300 <NA> <NA> ${letter} <NA> <NA>\n`;
    await writeFile(at("audio", split, `${i}.rttm`), rttm);
    rows.push(`../audio/${split}/${i}.flac,${letter},${letter}`);
  }
  await writeFile(at("corpus", `${split}.csv`), `audio,label,speaker\n${rows.join("\n")}\n`);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "classification-"));
  const random = new Random(1, "labels");
  for (const [split, count] of Object.entries({ train: 60, dev: 15, test: 18 }))
    await writeSplit(split, count, random);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function recipe(task: Recipe["task"], output: string, changes: Record<string, unknown> = {}) {
  const { data, model, ...others } = changes as { data?: object; model?: object };
  return resolveRecipe({
    task,
    max_steps: 60,
    output: at(output),
    data: { root: at("corpus"), batch_seconds: 8, workers: 0, ...data },
    model: {
      ...TINY_MODEL,
      classifier_proj_size: 16,
      tdnn_dim: [16, 16],
      tdnn_kernel: [3, 1],
      tdnn_dilation: [1, 1],
      xvector_output_dim: 12,
      ...model,
    },
    optimizer: { learning_rate: 1e-2 },
    schedule: { warmup_steps: 5 },
    logging_steps: 1,
    eval_steps: 30,
    save_steps: 30,
    threads: 1,
    ...others,
  });
}
const run = ({ tracker } = recorder(), resume = false, signal = new AbortController().signal) => ({
  tracker,
  signal,
  resume,
  system: false,
});
const train = (
  task: Recipe["task"],
  output: string,
  changes: Record<string, unknown> = {},
  seen = recorder(),
) => trainClassifier(recipe(task, output, changes), run(seen));

describe("a keyword spotter", () => {
  it("learns the labels of a column, and is evaluated by what it says it is", async () => {
    const { model, accuracy, steps } = await train("classify", "keywords");
    expect([model, steps]).toEqual([at("keywords", "best"), 60]);
    expect(accuracy).toBeGreaterThan(0.9);
    const config = JSON.parse(await readFile(join(model!, "config.json"), "utf8"));
    expect([config.architectures, config.id2label]).toEqual([
      ["Wav2Vec2ForSequenceClassification"],
      { 0: "A", 1: "B", 2: "C" },
    ]);
    const result = await evaluateClassifier(model!, { data: at("corpus"), split: "test", resamples: 200 });
    expect(result.classes!.accuracy).toBeGreaterThan(0.8);
    const { low, high } = result.classes!.accuracyInterval;
    expect(low).toBeLessThanOrEqual(result.classes!.accuracy);
    expect(high).toBeGreaterThanOrEqual(result.classes!.accuracy);
    expect(result.classes!.confusion!.flat().reduce((sum, n) => sum + n)).toBe(18);
    expect(result.clipCount).toBe(18);
  });

  it("goes on to the bit where it was interrupted", async () => {
    await train("classify", "whole", { max_steps: 12, save_steps: 6, eval_steps: 6 });
    const stop = new AbortController();
    const seen = recorder((step) => step === 7 && stop.abort());
    const first = await trainClassifier(
      recipe("classify", "halves", { max_steps: 12, save_steps: 6, eval_steps: 6 }),
      run(seen, false, stop.signal),
    );
    expect(first.interrupted).toBe(true);
    await trainClassifier(
      recipe("classify", "halves", { max_steps: 12, save_steps: 6, eval_steps: 6 }),
      run(recorder(), true),
    );
    expect(await finalWeights(at("halves"))).toEqual(await finalWeights(at("whole")));
  });

  it("learns from any model's backbone, whose head is said to be new, and keeps its own head", async () => {
    const init = at("backbone");
    const pretrained = configWithKeys(
      DEFAULT_CONFIG,
      { ...TINY_MODEL, codevector_dim: 8, num_negatives: 2 },
      "x",
    );
    await saveModel(init, new Wav2Vec2ForPreTraining(pretrained), { normalize: true });
    const seen = recorder();
    const shape = { model: {}, init, freeze_feature_encoder: false, max_steps: 4, eval_steps: 4 };
    const empty = (output: string, changes: object = {}) =>
      resolveRecipe({ ...recipe("classify", output), ...shape, ...changes });
    await trainClassifier(empty("from-backbone"), run(seen));
    expect(seen.notes).toContainEqual(
      expect.stringContaining(
        "has no Wav2Vec2ForSequenceClassification: a new head is trained, for 3 labels: 'A', 'B', 'C'.",
      ),
    );
    const again = recorder();
    await trainClassifier(empty("again", { init: at("from-backbone", "final") }), run(again));
    expect(again.notes.filter((text) => /new head|random/.test(text))).toEqual([]);
    expect((await readConfig(at("again", "final"))).id2label).toEqual(["A", "B", "C"]);
  });
});

describe("labels that do not fit", () => {
  const write = async (name: string, rows: string[], header = "audio,label") => {
    await mkdir(at(name), { recursive: true });
    for (const split of ["train", "dev"])
      await writeFile(
        at(name, `${split}.csv`),
        `${header}\n${rows.map((row) => row.replace("#", at("audio", split))).join("\n")}\n`,
      );
    return { data: { root: at(name), batch_seconds: 8, workers: 0 }, max_steps: 2, eval_steps: 2 };
  };
  const few = ["#/0.flac,A", "#/1.flac,B", "#/3.flac,A", "#/4.flac,B"];

  it("to the head of the model to go on with are named on both sides", async () => {
    const changes = await write("others", ["#/0.flac,A", "#/1.flac,X"]);
    const init = at("keywords", "best");
    const going = train("classify", "misfit", { ...changes, model: {}, init });
    await expect(going).rejects.toThrow(
      /labels of the clips \('A', 'X'\) must be labels of the head of .*best \('A', 'B', 'C'\), but 'X' is not\. Give labels: data/,
    );
    await train("classify", "refit", { ...changes, model: {}, init, labels: "data" });
    expect((await readConfig(at("refit", "final"))).id2label).toEqual(["A", "X"]);
    await expect(
      evaluateClassifier(at("refit", "final"), { data: at("corpus"), split: "dev" }),
    ).rejects.toThrow(/labels of the model's head \('A', 'X'\), but 'B', 'C' are not/);
  });

  it("and are fewer than the head's are said", async () => {
    const seen = recorder();
    await train(
      "classify",
      "fewer",
      { ...(await write("few", few)), model: {}, init: at("keywords", "best") },
      seen,
    );
    expect(seen.notes).toContainEqual("Labels of the head without a clip to train on: 'C'.");
    expect(seen.notes).toContainEqual("Labels without a clip to validate on: 'C'.");
  });

  it("because there is one alone, or no column, are refused", async () => {
    const one = await write("one", ["#/0.flac,A", "#/3.flac,A"]);
    await expect(train("classify", "alone", one)).rejects.toThrow(
      "Clips to train on must have two labels or more to tell apart, but all have 'A'.",
    );
    const none = await write("none", ["#/0.flac"], "audio");
    await expect(train("classify", "none", none)).rejects.toThrow(
      "Clips of train must have labels in the column 'label', but none has one",
    );
    await expect(train("classify", "mood", { ...one, data: { ...one.data, label: "mood" } })).rejects.toThrow(
      "in the column 'mood'",
    );
  });

  it("because some are missing are refused, or left out with a note", async () => {
    const holes = await write("holes", [...few, "#/5.flac,", "#/6.flac,nan"]);
    await expect(train("classify", "holes", holes)).rejects.toThrow(
      /5\.flac: utterance .* must have a label in the column 'label', but has none\. Give it one/,
    );
    const seen = recorder();
    await train("classify", "skipped", { ...holes, data: { ...holes.data, on_bad_data: "skip" } }, seen);
    expect(seen.notes).toContainEqual(
      expect.stringContaining("1 clip of train without a label is left out."),
    );
    expect(seen.notes).toContainEqual(expect.stringContaining("A label is called 'nan'"));
  });

  it("because they are only in the clips to validate on are refused", async () => {
    const changes = await write("unseen", few);
    await writeFile(at("unseen", "dev.csv"), `audio,label\n${at("audio/dev/2.flac")},C\n`);
    await expect(train("classify", "unseen", changes)).rejects.toThrow(
      "labels of the clips to validate on must be trained on ('A', 'B'), but 'C' is not.",
    );
  });
});

describe("labels of frames", () => {
  it("are learned from RTTM, several a frame or none", async () => {
    const { macroF1 } = await train("frames", "frames", { max_steps: 120 });
    expect(macroF1).toBeGreaterThan(0.7);
    const classifier = await loadClassifier(at("frames", "best"));
    const { segments } = await classifyFile(classifier, at("audio", "test", "1.flac"));
    const longest = segments!.sort((a, b) => b.end - b.start - (a.end - a.start))[0]!;
    expect(longest.label).toBe("B");
    const result = await evaluateClassifier(at("frames", "best"), {
      data: at("corpus"),
      split: "test",
      resamples: 100,
    });
    expect(result.decisions).toBe("frames");
    expect(result.classes!.macroF1).toBeGreaterThan(0.6);
    expect(result.clips[0]!.reference).toMatch(/^A \d\.\d\d-\d\.\d\d$/);
  });

  it("may be one a frame, where those without count for nothing", async () => {
    const changes = { model: { problem_type: "single_label_classification" }, max_steps: 60 };
    const { macroF1 } = await train("frames", "one-a-frame", changes);
    expect(macroF1).toBeGreaterThan(0.7);
    expect((await readConfig(at("one-a-frame", "best"))).problemType).toBe("single_label_classification");
  });
});

describe("speakers", () => {
  it("are told apart by vectors, with accuracy where they are known", async () => {
    const { equalErrorRate } = await train("speaker", "speakers", { max_steps: 80 });
    expect(equalErrorRate).toBeLessThan(0.2);
    const options = { data: at("corpus"), split: "test", resamples: 100 };
    const { verification, classes } = await evaluateClassifier(at("speakers", "best"), options);
    expect(verification!.trials).toBe((18 * 17) / 2);
    expect(verification!.equalErrorRate).toBeLessThan(0.25);
    expect(verification!.equalErrorRateInterval.low).toBeLessThanOrEqual(verification!.equalErrorRate);
    expect(classes!.accuracy).toBeGreaterThan(0.7);
    await writeFile(at("trials.txt"), "1 0.flac 3.flac\n0 0.flac 1.flac\n");
    const given = await evaluateClassifier(at("speakers", "best"), { ...options, trials: at("trials.txt") });
    expect(given.verification!.trials).toBe(2);
  });

  it("that are not trained on are judged by pairs alone", async () => {
    await mkdir(at("strangers"), { recursive: true });
    const rows = (split: string, name: (letter: string) => string) =>
      ["A", "B", "A", "B"].map(
        (letter, i) => `${at("audio", split)}/${[0, 1, 3, 4][i]}.flac,${name(letter)}`,
      );
    await writeFile(at("strangers/train.csv"), `audio,speaker\n${rows("train", (x) => x).join("\n")}\n`);
    await writeFile(at("strangers/dev.csv"), `audio,speaker\n${rows("dev", (x) => `new ${x}`).join("\n")}\n`);
    const seen = recorder();
    const data = { root: at("strangers"), batch_seconds: 8, workers: 0 };
    await train("speaker", "open", { data, max_steps: 2, eval_steps: 2 }, seen);
    expect(seen.notes).toContainEqual(
      expect.stringContaining("2 of 2 speakers to validate on are not trained on"),
    );
    expect(seen.rows.at(-1)).toHaveProperty("eval/eer");
    expect(seen.rows.at(-1)).not.toHaveProperty("eval/accuracy");
  });
});

describe("a classifier in memory", () => {
  class WithGain extends Wav2Vec2ForSequenceClassification {
    gain = nn.parameter(ones([1]));
  }
  const clip = () => at("audio", "test", "1.flac");

  it("is trained from a class of one's own, and evaluated as its directory is", async () => {
    const changes = { max_steps: 4, eval_steps: 4, model: {}, init: at("keywords", "best") };
    const { classifier, model } = await trainClassifier(recipe("classify", "own-class", changes), {
      ...run(),
      model: WithGain,
      task: (base) => ({
        ...base,
        metrics: (sums) => ({ ...base.metrics(sums), gain: base.classifier.model.gain.item() }),
      }),
    });
    expect(classifier.model.gain.shape).toEqual([1]);
    const options = { data: at("corpus"), split: "test", resamples: 50 };
    const { processingSeconds: _, ...inMemory } = await evaluateClassifier(classifier, options);
    const { processingSeconds: __, ...onDisk } = await evaluateClassifier(at("own-class", "final"), options);
    expect(inMemory.model).toBe("in memory");
    expect({ ...inMemory, model: onDisk.model }).toEqual(onDisk);
    expect((await evaluateClassifier(classifier, { ...options, name: "step 4" })).model).toBe("step 4");
    expect(model).toBe(at("own-class", "best"));
    await expect(
      Reflect.apply(trainClassifier, undefined, [recipe("speaker", "misfit-class"), { model: WithGain }]),
    ).rejects.toThrow("must be a class that extends Wav2Vec2ForXVector");
  });

  it("takes audio from everywhere", async () => {
    const classifier = await loadClassifier(at("keywords", "best"));
    const { labels } = await classifyFile(classifier, clip());
    const bytes = await readFile(clip());
    const samples = await readAudio(clip());
    const pcm = Buffer.from(Int16Array.from(samples, (sample) => Math.round(sample * 32768)).buffer);
    const raw = { encoding: "s16le", sampleRate: 16000, channels: 1 } as const;
    for (const [source, options, recording] of [
      [pathToFileURL(clip()), {}, "1"],
      [bytes, {}, "the recording"],
      [bytes, { name: "talks/monday.flac" }, "monday"],
      [new File([bytes], "upload.flac"), {}, "upload"],
      [createReadStream(clip()), {}, "the recording"],
      [new Blob([bytes]).stream(), {}, "the recording"],
      [samples, {}, "the recording"],
      [{ samples, sampleRate: 16000 }, {}, "the recording"],
      [pcm, { raw }, "the recording"],
    ] as const)
      expect(await classifyFile(classifier, source, options)).toEqual({ recording, labels });
    const silent = new PassThrough();
    const gone = classifyFile(classifier, silent, { signal: AbortSignal.abort(new Error("gone")) });
    await expect(gone).rejects.toThrow("gone");
  });

  it("is asked for where something else is given", async () => {
    const keywords = at("keywords", "best");
    const classifier = await loadClassifier(keywords);
    const apply = (given: (...args: never) => Promise<unknown>, ...args: unknown[]) =>
      Reflect.apply(given, undefined, args);
    const refused = (message: string, code = "ERR_CONFIGURATION") => ({
      code,
      message: expect.stringContaining(message),
    });
    await expect(apply(classifyFile, keywords, clip())).rejects.toMatchObject(
      refused(
        `classifier of classifyFile must be { model, normalize } with a classification head, but is "${keywords}". ` +
          `Load it: await loadClassifier("${keywords}").`,
        "ERR_INVALID_ARG_TYPE",
      ),
    );
    await expect(apply(classifyFile, { model: keywords, classifier }, clip())).rejects.toMatchObject(
      refused(
        "Give await loadClassifier(directory), or the field classifier of what trainClassifier returns.",
        "ERR_INVALID_ARG_TYPE",
      ),
    );
    await expect(apply(evaluateClassifier, undefined, { data: at("corpus") })).rejects.toMatchObject(
      refused(
        "modelOrName of evaluateClassifier must be a model directory, a Hub id, or { model, normalize } with",
        "ERR_INVALID_ARG_TYPE",
      ),
    );
    await expect(
      apply(evaluateClassifier, classifier, { data: at("corpus"), splits: "test" }),
    ).rejects.toMatchObject(refused("Did you mean split?"));
    await expect(apply(classifyFile, classifier, clip(), { names: "a" })).rejects.toMatchObject(
      refused("Did you mean name?"),
    );
    await expect(apply(loadClassifier, keywords, { devise: "cpu" })).rejects.toMatchObject(
      refused("Did you mean device?"),
    );
  });

  it("is named where a recogniser is wanted", async () => {
    for (const load of [loadRecognizer, loadAligner])
      await expect(load(at("keywords", "best"))).rejects.toMatchObject({
        code: "ERR_MODEL_INVALID",
        message: expect.stringMatching(
          /must be a recogniser, but is a Wav2Vec2ForSequenceClassification: a classifier of the task classify\. Use wav2vec2 classify, or from code loadClassifier and classifyFile\.$/,
        ),
      });
  });
});

describe("a directory of a label without a clip", () => {
  it("is told", async () => {
    for (const split of ["train", "dev"])
      for (const [letter, place] of [
        ["A", 0],
        ["B", 1],
      ] as const) {
        await mkdir(at("folders", split, letter), { recursive: true });
        await copyFile(at("audio", split, `${place}.flac`), at("folders", split, letter, "a.flac"));
      }
    await mkdir(at("folders", "train", "C", "none"), { recursive: true });
    await mkdir(at("folders", "train", ".hidden"), { recursive: true });
    const seen = recorder();
    const data = { root: at("folders"), batch_seconds: 8, workers: 0 };
    await train("classify", "empty-folder", { data, max_steps: 1, eval_steps: 1 }, seen);
    expect(seen.notes).toContainEqual(
      `A directory of a label is empty, so it has no place in the head: ${at("folders", "train", "C")}.`,
    );
  });
});

describe("commands", () => {
  const output = new CapturedOutput();
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const command = async (...argv: string[]) => {
    output.start();
    const code = await main(argv);
    return { code, stdout: output.stdout, stderr: output.stderr };
  };

  it("evaluate prints, keeps and reports what a classifier is worth", async () => {
    const model = at("keywords", "best");
    const common = [model, "--data", at("corpus"), "--split", "test", "--threads", "1"];
    const { code, stdout, stderr } = await command(
      "evaluate",
      ...common,
      "--output",
      at("result.json"),
      "--report",
      at("report.html"),
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining("Real-time factor")]);
    expect(stdout).toMatch(/^Accuracy {2}\d+\.\d\d % {2}\d+ of 18 clips\n {10}\d.* 95 % interval\nMacro F1/);
    expect(stdout).toMatch(/label +there +predicted +precision +recall +F1\nA +6 /);
    const kept = JSON.parse(await readFile(at("result.json"), "utf8"));
    expect([kept.task, kept.labels]).toEqual(["classify", ["A", "B", "C"]]);
    const page = await readFile(at("report.html"), "utf8");
    expect(page).toContain("What was taken for what");
    expect(page).toContain("F1 by label");
    const compared = await command("compare", at("result.json"), at("result.json"));
    expect(compared.code).toBe(1);
    expect(compared.stderr).toContain(
      "is that of a classifier (task classify), which has no words to compare",
    );
    const pairs = await command("evaluate", ...common, "--trials", at("trials.txt"));
    expect([pairs.code, pairs.stderr]).toEqual([
      2,
      expect.stringContaining("trials belong to the task speaker"),
    ]);
    const beam = await command("evaluate", ...common, "--beam-width", "4");
    expect([beam.code, beam.stderr]).toEqual([
      2,
      expect.stringContaining("--beam-width belongs to models that write text"),
    ]);
    const speakers = await command("evaluate", at("speakers", "best"), ...common.slice(1));
    expect(speakers.stdout).toMatch(/^EER {7}\d.* 153 pairs of clips, 45 of one speaker/);
  });

  it("classify prints labels of files, or RTTM, and goes on behind what is no audio", async () => {
    const file = at("audio", "test", "0.flac");
    const labels = await command("classify", at("keywords", "best"), file, "--top", "2");
    expect(labels.stdout).toMatch(/0\.flac\tA [01]\.\d{3}\t[BC] 0\.\d{3}\n$/);
    const frames = await command("classify", at("frames", "best"), file);
    expect(frames.stdout).toMatch(/^SPEAKER 0 1 \d\.\d{3} \d\.\d{3} <NA> <NA> A <NA> <NA>$/m);
    await writeFile(at("text.txt"), "no audio");
    const bad = await command("classify", at("keywords", "best"), at("text.txt"), file, "--json");
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain("1 of 2 files could not be classified");
    expect(JSON.parse(bad.stdout)).toMatchObject({ file, recording: "0" });
  });

  it("finetune takes the task from the command line, and other tasks' keys are refused", async () => {
    const options = [
      "--data",
      at("corpus"),
      "--output",
      at("by-option"),
      "--max-steps",
      "2",
      "--threads",
      "1",
      "--quiet",
    ];
    const model = Object.entries({ ...TINY_MODEL, classifier_proj_size: 8 }).flatMap(([key, value]) => [
      `--model.${key.replaceAll("_", "-")}`,
      JSON.stringify(value),
    ]);
    const { code, stdout } = await command("finetune", "--task", "classify", ...options, ...model);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^best accuracy on dev {2}\d+\.\d\d %\nmodel {3}/),
    ]);
    const wrong = await command("finetune", "--task", "classify", ...options, "--vocabulary", "transcripts");
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining("vocabulary belongs to the task finetune, but task is 'classify'"),
    ]);
  });
});

describe("what cannot be", () => {
  it("is refused: a recogniser as a classifier, a classifier's recipe for another task", async () => {
    await expect(loadClassifier(at("backbone"))).rejects.toThrow(
      /must be a model with a classification head .* but is a Wav2Vec2ForPreTraining/,
    );
    await expect(finetune(recipe("classify", "x"), run())).rejects.toThrow(
      "The task of a recipe for finetune must be finetune, but is classify. Call trainClassifier(recipe).",
    );
    await expect(
      trainClassifier(resolveRecipe({ task: "pretrain", data: { root: "x" } }), run()),
    ).rejects.toThrow(
      "The task of a recipe for trainClassifier must be classify, frames or speaker, but is pretrain. Call pretrain(recipe).",
    );
    expect(() => recipe("frames", "x", { data: { root: "x", speed_perturbation: 0.1 } })).toThrow(
      "data.speed_perturbation moves what segments say the times of",
    );
    expect(() => recipe("classify", "x", { model: { id2label: ["a"] } })).toThrow(
      "model.id2label is what the clips' labels decide",
    );
    expect(() => recipe("classify", "x", { labels: "model" })).toThrow("labels: model belongs to init");
    expect(() => recipe("finetune", "x", { labels: "data" })).toThrow(
      "labels belongs to the task classify or frames or speaker, but task is 'finetune'",
    );
  });

  it("is said: weights that are no numbers, and a head that is not there", async () => {
    const broken = at("broken");
    const { model } = await loadClassifier(at("keywords", "best"));
    await saveModel(broken, model, { normalize: true });
    const path = join(broken, "model.safetensors");
    const { tensors } = await loadTensors(path);
    const nan = zeros([3]).div(0);
    await saveTensors(path, new Map([...tensors, ["classifier.bias", nan] as const]));
    const evaluating = evaluateClassifier(broken, { data: at("corpus"), split: "dev" });
    await expect(evaluating).rejects.toThrow(
      "The model's weights must be finite numbers, but classifier.bias holds others.",
    );
    await saveTensors(
      path,
      [...tensors].filter(([key]) => !key.startsWith("classifier.")),
    );
    await expect(loadClassifier(broken)).rejects.toThrow("missing: classifier.weight");
  });
});
