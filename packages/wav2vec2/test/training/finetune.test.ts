import { rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTensors, saveTensors, type Tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { readCorpus } from "../../src/data/corpus/corpus.js";
import { Random } from "../../src/data/random.js";
import type { TranscribedUtterance } from "../../src/data/utterance.js";
import { evaluate, evaluateModel } from "../../src/evaluation/evaluate.js";
import { createConfig } from "../../src/model/configuration.js";
import { readConfig } from "../../src/model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../../src/model/heads/pretraining/pretraining.js";
import { loadCtcModel, saveCtcModel } from "../../src/pretrained/ctc-directory.js";
import { saveModel } from "../../src/pretrained/model-directory.js";
import { loadRecognizer } from "../../src/recognition/recognizer.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";
import { listCheckpoints } from "../../src/training/checkpoints/checkpoint.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { finalWeights, type Recorder, recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, toneClip, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
let data: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "finetune-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 60, dev: 10 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function recipe(output: string, changes: Record<string, unknown> = {}) {
  return resolveRecipe({
    max_steps: 12,
    output: join(directory, output),
    data: { root: data, batch_seconds: 6 },
    model: TINY_MODEL,
    optimizer: { learning_rate: 5e-3 },
    schedule: { warmup_steps: 2 },
    logging_steps: 1,
    eval_steps: 6,
    save_steps: 6,
    threads: 1,
    ...changes,
  });
}

const run = ({ tracker } = recorder(), signal = new AbortController().signal, resume = false) => ({
  tracker,
  signal,
  resume,
});

const weights = (output: string) => finalWeights(join(directory, output));

const lossesOf = (...runs: Recorder[]) => runs.flatMap(({ rows }) => rows.flatMap(({ loss }) => loss ?? []));

describe("fine-tuning", () => {
  it("learns to transcribe, and its directory evaluates and transcribes", async () => {
    const result = await finetune(
      recipe("learn", {
        max_steps: 360,
        model: { ...TINY_MODEL, layerdrop: 0 },
        logging_steps: 20,
        eval_steps: 120,
        save_steps: 1000,
      }),
      run(),
    );
    expect(result.interrupted).toBe(false);
    const evaluation = await evaluateModel(result.model!, { data, split: "dev" });
    expect(evaluation.wer).toBe(result.wer);
    expect(evaluation.cer).toBeLessThan(0.2);
    expect(evaluation.utterances).toHaveLength(10);
    const recognizer = await loadRecognizer(result.model!);
    expect((await recognizer.transcribe(toneClip("ABC", new Random(9, "clip")))).text).toMatch(/^A.*C$/);
    await expect(recognizer.transcribe(new Float32Array(0), { name: "x.flac" })).rejects.toThrow(
      /x.flac must hold audio/,
    );
    expect((await recognizer.transcribe(new Float32Array(10))).text).toBeTypeOf("string");
  });

  it("tells at a validation how it errs, how sure it is, and once that blanks are how it begins", async () => {
    const tracker = recorder();
    const settings = { max_steps: 4, eval_steps: 2, optimizer: { learning_rate: 1e-9 } };
    await finetune(recipe("validated", settings), run(tracker));
    const rows = tracker.rows.filter((row) => "eval/wer" in row);
    expect(rows).toHaveLength(2);
    const { evaluation, confidence } = await evaluate(
      await loadCtcModel(join(directory, "validated/final")),
      (await readCorpus(data, "dev")).utterances as TranscribedUtterance[],
    );
    expect(rows[1]).toMatchObject({
      "eval/substitutions": evaluation.substitutions,
      "eval/deletions": evaluation.deletions,
      "eval/insertions": evaluation.insertions,
      "eval/confidence": expect.closeTo(confidence, 5),
    });
    expect(rows[0]!["eval/blank_share"]).toBeGreaterThan(0.98); // as the head begins
    expect(tracker.notes.filter((note) => note.includes("The first few hundred steps"))).toEqual([
      expect.stringMatching(/^Step 2: .* % of the frames are blanks/),
    ]);
  });

  it("resumed equals never stopped, to the last bit", async () => {
    const whole = recorder();
    await finetune(recipe("whole"), run(whole));
    const controller = new AbortController();
    const first = recorder((step) => step === 5 && controller.abort());
    const half = await finetune(recipe("halves"), run(first, controller.signal));
    expect(half).toMatchObject({ interrupted: true, steps: 5, model: undefined });
    expect(await listCheckpoints(join(directory, "halves"))).toEqual([5]);
    const second = recorder();
    const threads = { root: data, batch_seconds: 6, workers: 2 }; // may differ
    await finetune(recipe("halves", { data: threads }), run(second, undefined, true));
    expect(lossesOf(first, second)).toEqual(lossesOf(whole));
    expect(await weights("halves")).toEqual(await weights("whole"));
  });

  it("gives the same weights for the same seed and others for another", async () => {
    await finetune(recipe("again"), run());
    expect(await weights("again")).toEqual(await weights("whole"));
    await finetune(recipe("other", { seed: 2 }), run());
    expect(await weights("other")).not.toEqual(await weights("whole"));
  });

  it("keeps a frozen feature encoder as it was, and starts from a directory", async () => {
    const init = join(directory, "whole", "final");
    await finetune(recipe("frozen", { init, model: {}, max_steps: 3 }), run());
    const [before, after] = [await weights("whole"), await weights("frozen")];
    const changed = [...after].filter(([name, bytes]) => before.get(name) !== bytes).map(([name]) => name);
    expect(changed).toContain("lm_head.weight");
    expect(changed.filter((name) => name.includes("feature_extractor"))).toEqual([]);
  });

  it("starts from a backbone saved alone, under old key names, and from a pre-trained one with its heads", async () => {
    const backbone = join(directory, "backbone");
    await cp(join(directory, "whole", "final"), backbone, { recursive: true });
    const file = join(backbone, "model.safetensors");
    const { tensors } = await loadTensors(file);
    const renamed = [...tensors]
      .filter(([name]) => !name.startsWith("lm_head."))
      .map(([name, tensor]): [string, Tensor] => [
        name.replace("wav2vec2.", "").replace("parametrizations.weight.original0", "weight_g"),
        tensor,
      ]);
    await saveTensors(file, renamed);
    await finetune(recipe("from-backbone", { init: backbone, model: {}, max_steps: 1 }), run());
    await saveTensors(file, [...tensors, ["quantizer.codevectors", tensors.get("lm_head.bias")!]]);
    await finetune(recipe("from-pretrained", { init: backbone, model: {}, max_steps: 1 }), run());
    await saveTensors(file, [...tensors, ["wav2vec2.stranger", tensors.get("lm_head.bias")!]]);
    const tracker = recorder();
    await finetune(recipe("from-stranger", { init: backbone, model: {}, max_steps: 1 }), run(tracker));
    expect(tracker.notes).toContainEqual(expect.stringContaining("left out: wav2vec2.stranger."));
  });

  it("starts from a pre-trained directory without a tokenizer, and from one that names tokens beyond its head", async () => {
    const whole = join(directory, "whole", "final");
    const config = await readConfig(whole);
    const pretrained = join(directory, "pretrained");
    await saveModel(pretrained, new Wav2Vec2ForPreTraining(config), { normalize: true });
    await finetune(recipe("no-tokenizer", { init: pretrained, model: {}, max_steps: 1 }), run());
    const { tokenizer, model } = await loadCtcModel(join(directory, "no-tokenizer", "final"));
    expect(model.config.vocabSize).toBe(tokenizer.vocabulary.size);

    const { model: ctc, tokenizer: full } = await loadCtcModel(whole);
    const plain = full.vocabulary.tokens.filter((token) => !["<s>", "</s>"].includes(token));
    const small = join(directory, "small");
    const smaller = new Wav2Vec2ForCTC(createConfig({ vocabSize: plain.length }, ctc.config));
    await saveCtcModel(small, {
      model: smaller,
      tokenizer: new CtcTokenizer(new Vocabulary(plain)),
      normalize: true,
    });
    const path = join(small, "tokenizer_config.json");
    const settings = JSON.parse(await readFile(path, "utf8"));
    await writeFile(path, JSON.stringify({ ...settings, bos_token: "<s>", eos_token: "</s>" }));
    await rm(join(small, "special_tokens_map.json"));
    await finetune(recipe("tokens-beyond", { init: small, model: {}, max_steps: 1 }), run());
    const tuned = await loadCtcModel(join(directory, "tokens-beyond", "final"));
    expect(tuned.model.config.vocabSize).toBe(plain.length);
  });

  it("gives a model the letters of the transcripts where it is asked to, or has no output layer", async () => {
    const lower = join(directory, "lower");
    await cp(data, lower, { recursive: true });
    for (const file of await readdir(lower, { recursive: true }))
      if (file.endsWith(".trans.txt")) {
        const text = await readFile(join(lower, file), "utf8");
        await writeFile(join(lower, file), text.toLowerCase());
      }
    const init = join(directory, "whole", "final");
    const of = (output: string, changes: object) =>
      recipe(output, { init, model: {}, max_steps: 1, data: { root: lower, batch_seconds: 6 }, ...changes });
    await expect(finetune(of("upper", {}), run())).rejects.toThrow(
      /must be in the vocabulary of .*final, but of .*"a" \(U\+0061\).*\(--vocabulary transcripts/s,
    );
    await finetune(of("own", { vocabulary: "transcripts" }), run());
    const { tokenizer, model } = await loadCtcModel(join(directory, "own", "final"));
    expect(tokenizer.vocabulary.tokens).toContain("a");
    expect(tokenizer.vocabulary.tokens).not.toContain("A");
    expect(model.config.vocabSize).toBe(tokenizer.vocabulary.size);

    // A pre-trained network with somebody's vocab.json beside it, of another size than its configuration says.
    const pretrained = join(directory, "pretrained-with-vocabulary");
    const config = createConfig({ vocabSize: 32 }, await readConfig(init));
    await saveModel(pretrained, new Wav2Vec2ForPreTraining(config), { normalize: true });
    await cp(join(init, "vocab.json"), join(pretrained, "vocab.json"));
    const tracker = recorder();
    await finetune(of("headless", { init: pretrained }), run(tracker));
    expect(tracker.notes).toContainEqual(
      expect.stringMatching(
        /has no output layer: a new one .* of the transcripts\. Its own vocabulary lacks/,
      ),
    );
    const headless = await loadCtcModel(join(directory, "headless", "final"));
    expect(headless.tokenizer.vocabulary.tokens).toEqual(tokenizer.vocabulary.tokens);
    const covered = recorder();
    await finetune(of("covered", { init: pretrained, data: { root: data, batch_seconds: 6 } }), run(covered));
    expect(covered.notes).toContainEqual(expect.stringContaining("tokens of its vocabulary."));
  });

  it("says where a recipe contradicts the model it starts from, and where that model holds NaN", async () => {
    const whole = join(directory, "whole", "final");
    const other = { init: whole, model: { hidden_size: 64, num_conv_pos_embedding_groups: 1 }, max_steps: 1 };
    await expect(finetune(recipe("contradicts", other), run())).rejects.toThrow(
      /must have the shape of .*final, but its hidden_size is 64 instead of \d+\. Leave these keys out of it: hidden_size/,
    );
    const broken = join(directory, "nan");
    await cp(whole, broken, { recursive: true });
    const file = join(broken, "model.safetensors");
    const { tensors } = await loadTensors(file);
    tensors.get("lm_head.bias")!.fill_(Number.NaN);
    await saveTensors(file, tensors, { format: "pt" });
    const message = /weights must be finite numbers, but lm_head\.bias holds others/;
    await expect(
      finetune(recipe("from-nan", { init: broken, model: {}, max_steps: 1 }), run()),
    ).rejects.toThrow(message);
    const recognizer = await loadRecognizer(broken);
    await expect(recognizer.transcribe(new Float32Array(4000))).rejects.toThrow(message);
    await expect(evaluateModel(broken, { data, split: "dev" })).rejects.toThrow(message);
    const samples = new Float32Array(4000);
    samples[5] = Number.POSITIVE_INFINITY;
    await expect(recognizer.transcribe(samples, { name: "a.flac" })).rejects.toThrow(
      "samples of a.flac must be finite, but sample 5 is Infinity.",
    );
  });

  it("mends what a killed process left half-written", async () => {
    const output = join(directory, "whole");
    await rename(join(output, "best"), join(output, ".best.wav2vec2-old"));
    await cp(join(output, "checkpoints/step-12"), join(output, "checkpoints/.step-99.wav2vec2-new"), {
      recursive: true,
    });
    await finetune(recipe("whole"), run(undefined, undefined, true));
    expect(await readdir(output)).toContain("best");
    expect(await readdir(output)).not.toContain(".best.wav2vec2-old");
    expect(await readdir(join(output, "checkpoints"))).toEqual(["step-12", "step-6"]);
  });

  it("stops before a step that is not finite and names the utterances", async () => {
    const broken = recipe("broken", { optimizer: { learning_rate: 1e30, max_grad_norm: 1e30 } });
    await expect(finetune(broken, run())).rejects.toThrow(/must be finite, but is .*1-1-00/);
  });

  it("refuses a directory with another run", async () => {
    await expect(finetune(recipe("whole"), run())).rejects.toThrow(/holds checkpoints. Add --resume/);
    const wider = recipe("whole", { model: { ...TINY_MODEL, hidden_size: 32 }, max_steps: 20 });
    await expect(finetune(wider, run(undefined, undefined, true))).rejects.toThrow(
      /model.hidden_size must be as in .*recipe/,
    );
    const reseeded = recipe("whole", { seed: 5 });
    await expect(finetune(reseeded, run(undefined, undefined, true))).rejects.toThrow(/seed must be as in/);
  });

  it("leaves out what is too long or has too few frames, and says so", async () => {
    const tracker = recorder();
    const limits = { root: data, batch_seconds: 6, max_seconds: 0.8 };
    await finetune(recipe("short", { data: limits, max_steps: 1 }), run(tracker));
    expect(tracker.notes.join("\n")).toMatch(/\d+ utterances outside 0.1 to 0.8 s were left out/);
    const none = { root: data, max_seconds: 0.11 };
    await expect(finetune(recipe("none", { data: none }), run())).rejects.toThrow(/all 60 were left out/);
  });

  it("gives the same losses with any number of workers, with all augmentation", async () => {
    const sounds = join(directory, "sounds");
    await mkdir(sounds, { recursive: true });
    const random = new Random(4, "noise");
    const noise = Float32Array.from({ length: 9000 }, () => random.uniform() - 0.5);
    await writeFile(join(sounds, "hiss.flac"), encodeFlac(noise, 16000));
    const losses = async (output: string, changes: Record<string, unknown>) => {
      const tracker = recorder();
      const settings = { root: data, batch_seconds: 6, ...changes };
      await finetune(recipe(output, { data: settings, max_steps: 6, eval_steps: 6 }), run(tracker));
      return lossesOf(tracker);
    };
    const augmented = {
      speed_perturbation: 0.1,
      noise: { directory: sounds, probability: 1 },
      reverberation: { directory: sounds },
      volume: { db: [-6, 6] },
    };
    const inThisThread = await losses("workers-0", { ...augmented, workers: 0 });
    expect(await losses("workers-2", { ...augmented, workers: 2 })).toEqual(inThisThread);
    expect(await losses("plain", {})).not.toEqual(inThisThread);
    await writeFile(join(sounds, "hiss.flac"), "no audio");
    const noisy = { noise: { directory: sounds, probability: 1 }, on_bad_data: "skip" };
    await expect(losses("noisy", noisy)).rejects.toThrow(/hiss.flac must be/);
    const nothing = { directory: join(directory, "whole") };
    await expect(losses("silence", { noise: nothing })).rejects.toThrow(
      /data.noise.directory must hold audio files, but .*whole holds none/,
    );
  });

  it("takes batches of so many clips", async () => {
    const tracker = recorder();
    const counted = recipe("counted", { data: { root: data, batch_size: 4 }, max_steps: 15, eval_steps: 15 });
    await finetune(counted, run(tracker));
    const heard = tracker.rows.flatMap(({ audio_seconds }) => audio_seconds ?? []);
    const utterances = (await readCorpus(data, "train")).utterances;
    const total = utterances.reduce((sum, { seconds }) => sum + seconds, 0);
    expect(heard.reduce((sum, seconds) => sum + seconds, 0)).toBeCloseTo(total, 6); // 60 clips in 15 batches
  });

  it("refuses clips that cannot be used, or leaves them out and lists them", async () => {
    const broken = join(directory, "broken-corpus");
    await cp(data, broken, { recursive: true });
    const clip = (i: number) => join(broken, "train/1/1", `1-1-${String(i).padStart(4, "0")}.flac`);
    await writeFile(clip(3), "");
    const bytes = await readFile(clip(5));
    await writeFile(clip(5), bytes.fill(0, bytes.length / 2, bytes.length / 2 + 40));
    const corpus = { root: broken, batch_seconds: 6 };
    await expect(finetune(recipe("refused", { data: corpus }), run())).rejects.toThrow(
      /1-1-0003.flac must be/,
    );

    const exclude = join(directory, "exclude.txt");
    await writeFile(exclude, "1-1-0003  # empty\n");
    const excluding = { data: { ...corpus, exclude } };
    await expect(finetune(recipe("refused", excluding), run())).rejects.toThrow(/1-1-0005.flac must/);

    const tracker = recorder((step) => {
      if (step === 2) rmSync(clip(7));
    });
    const skipping = { data: { ...corpus, on_bad_data: "skip" }, max_steps: 24 };
    await finetune(recipe("skipped", skipping), run(tracker));
    await finetune(recipe("skipped", { ...skipping, max_steps: 25 }), run(recorder(), undefined, true));
    const list = await readFile(join(directory, "skipped", "left-out.txt"), "utf8");
    expect(list.split("\n").map((line) => line.split("  # ")[0])).toEqual([
      "1-1-0003",
      "1-1-0005",
      "1-1-0007",
      "",
    ]);
    expect(tracker.notes.filter((note) => note.includes("0005"))).toHaveLength(1); // in every epoch, said once
    const again = { data: { ...corpus, exclude: join(directory, "skipped", "left-out.txt") } };
    await finetune(recipe("excluded", again), run());
  });

  it("says where clips are trained on and validated on, and what an exclude list left out", async () => {
    const tracker = recorder();
    const exclude = join(directory, "nothing.txt");
    await writeFile(exclude, "9-9-0000\n1-1-0007\n");
    const overlapping = { root: data, batch_seconds: 6, eval_split: "train", exclude };
    await finetune(recipe("overlap", { data: overlapping, max_steps: 1 }), run(tracker));
    expect(tracker.notes).toContainEqual(
      expect.stringMatching(/^59 of 59 clips to validate on are in the training/),
    );
    expect(tracker.notes).toContainEqual(`1 clip of train is left out as ${exclude} says.`);
    expect(tracker.notes).toContainEqual(
      `${exclude}: 1 line fits no clip of the splits, such as line 1: 9-9-0000.`,
    );
    await writeFile(exclude, "1-1-0000\n");
    const other = recorder();
    await finetune(recipe("overlap", { data: overlapping, max_steps: 2 }), run(other, undefined, true));
    expect(other.notes).toContainEqual(expect.stringMatching(/clips to train on have changed since then/));
    const same = recorder();
    await finetune(recipe("overlap", { data: overlapping, max_steps: 3 }), run(same, undefined, true));
    expect(same.notes.join()).not.toContain("have changed");
    const backwards = { root: data, noise: { snr_db: [20, 5] } };
    expect(() => recipe("x", { data: backwards })).toThrow(/data.noise.snr_db must go from the lowest/);
  });

  it("names what is wrong with a model directory", async () => {
    const source = join(directory, "frozen", "final");
    const config = JSON.parse(await readFile(join(source, "config.json"), "utf8"));
    await writeFile(join(source, "config.json"), JSON.stringify({ ...config, hidden_size: 48 }));
    await expect(loadRecognizer(source)).rejects.toThrow(
      /lm_head.weight must be \[8, 48\], but is \[8, 24\]/,
    );
    await writeFile(join(source, "config.json"), JSON.stringify({ ...config, vocab_size: 9 }));
    await expect(loadRecognizer(source)).rejects.toThrow(/vocab.json must have 9 tokens/);
    await expect(loadRecognizer(join(directory, "nowhere"))).rejects.toThrow(/nowhere/);
  });
});
