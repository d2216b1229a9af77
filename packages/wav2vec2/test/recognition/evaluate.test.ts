import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { manualSeed, noGrad } from "@wav2vec2/libtorch";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import type { EvaluationResult } from "../../src/evaluation/evaluation.js";
import { createConfig } from "../../src/model/configuration.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { saveCtcModel } from "../../src/pretrained/ctc-directory.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { writeToneCorpus } from "../fixtures/tone-corpus.js";

// The commands `evaluate` and `compare` from end to end, with untrained models on tones: their transcripts are wrong in
// many ways, which is what is wanted here.

let directory: string;
const output = new CapturedOutput();
const at = (name: string): string => join(directory, name);

/** Writes a model that hears letters everywhere. */
async function writeModel(name: string, seed: number, vocabulary: Vocabulary): Promise<void> {
  manualSeed(seed);
  const model = new Wav2Vec2ForCTC(
    createConfig({
      hiddenSize: 24,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      intermediateSize: 48,
      convDim: [16, 16, 24],
      convKernel: [20, 8, 8],
      convStride: [10, 4, 8],
      numConvPosEmbeddings: 4,
      numConvPosEmbeddingGroups: 4,
      doStableLayerNorm: true,
      vocabSize: vocabulary.size,
      padTokenId: vocabulary.blankId,
      initializerRange: 0.5,
    }),
  );
  noGrad(() => model.lmHead.bias!.mul_(0));
  await saveCtcModel(at(name), { model, tokenizer: new CtcTokenizer(vocabulary), normalize: true });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "evaluate-"));
  await writeToneCorpus(at("corpus"), { dev: 6 });
  await writeToneCorpus(at("other"), { test: 5 }, 2);
  // A second speaker and split
  await mkdir(at("corpus/test/2/7"), { recursive: true });
  for (let i = 0; i < 5; i++)
    await writeFile(
      at(`corpus/test/2/7/2-7-000${i}.flac`),
      await readFile(at(`other/test/1/1/1-1-000${i}.flac`)),
    );
  const lines = (await readFile(at("other/test/1/1/1-1.trans.txt"), "utf8")).replaceAll("1-1-", "2-7-");
  await writeFile(at("corpus/test/2/7/2-7.trans.txt"), lines);
  await writeModel("model", 1, Vocabulary.fromTranscripts(["ABC"]));
  await writeModel("second", 2, Vocabulary.fromTranscripts(["ABC"]));
  await writeModel("narrow", 3, new Vocabulary(["<pad>", "|", "A", "b"]));
}, 60_000);
afterAll(() => rm(directory, { recursive: true }));
beforeEach(() => output.start());
afterEach(() => vi.restoreAllMocks());

const evaluate = (model: string, ...options: string[]): Promise<number> =>
  main(["evaluate", at(model), "--data", at("corpus"), ...options]);

describe("evaluate", () => {
  it("writes its result where nobody reads what it prints", async () => {
    const program = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));
    const options = ["--data", at("corpus"), "--split", "dev", "--output", at("unread.json")];
    const child = spawn(process.execPath, [program, "evaluate", at("model"), ...options]);
    child.stdout.destroy();
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);
    expect(JSON.parse(await readFile(at("unread.json"), "utf8")).utteranceCount).toBe(6);
  });

  it("prints rates with intervals, tables of splits, speakers and lengths, confusions and the worst", async () => {
    expect(await evaluate("model", "--split", "dev", "--split", "test", "--worst", "2")).toBe(0);
    expect(output.stdout).toMatch(
      /^WER {2}\d+\.\d\d % {2}\d+ errors in \d+ words: \d+ substituted, \d+ deleted, \d+ inserted\n {5}\d+\.\d\d to \d+\.\d\d % {2}95 % interval\nCER {2}/,
    );
    expect(output.stdout).toMatch(/\nSER {2}\d+\.\d\d % {2}\d+ of 11 utterances with an error\n/);
    expect(output.stdout).toMatch(/\nsplit +utterances +words +WER +95 % +S +D +I +CER\ndev +6 .*\ntest +5 /);
    expect(output.stdout).toMatch(/\nspeaker .*\n1 +6 .*\n2 +5 /);
    expect(output.stdout).toMatch(/\nMost frequent errors\n {2}(substituted|deleted|inserted)/);
    expect(output.stdout.match(/ {4}hypothesis {2}/g)).toHaveLength(2);
    expect(output.stderr).toMatch(/^Real-time factor \d+\.\d{3}: \d+\.\d s for \d+\.\d s of audio\.\n$/);
  });

  it("gives JSON whose parts add up, the same every time, and keeps it", async () => {
    expect(await evaluate("model", "--split", "dev+test", "--json", "--output", at("kept/model"))).toBe(0);
    const text = output.stdout;
    const result = JSON.parse(text) as EvaluationResult;
    expect(JSON.parse(await readFile(at("kept/model/evaluation.json"), "utf8"))).toEqual(result);
    expect(output.stderr).toContain(`Kept in ${at("kept/model/evaluation.json")}.\n`);
    expect(result.utterances).toHaveLength(11);
    const sum = (key: "words" | "substitutions" | "deletions" | "insertions") =>
      result.utterances.reduce((total, utterance) => total + utterance[key], 0);
    for (const key of ["words", "substitutions", "deletions", "insertions"] as const)
      expect(sum(key)).toBe(result[key]);
    expect(result.wer).toBe((result.substitutions + result.deletions + result.insertions) / result.words);
    expect(result.groups.split.map(({ name, utteranceCount }) => [name, utteranceCount])).toEqual([
      ["dev", 6],
      ["test", 5],
    ]);
    expect(result.utterances[0]).toMatchObject({ id: "1-1-0000", split: "dev", speaker: "1" });
    expect(result.blankShare).toBeGreaterThanOrEqual(0);
    expect(result.confidence).toBeGreaterThan(0.2);
    expect(result.ctcLoss).toBeGreaterThan(0);
    output.clear();
    expect(await evaluate("model", "--split", "dev+test", "--json")).toBe(0);
    expect(output.stdout).toBe(text);
  });

  it("normalises both sides where asked, and says so", async () => {
    const lower = at("lower");
    await mkdir(lower);
    const manifest = (await readFile(at("corpus/dev/1/1/1-1.trans.txt"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => {
        const [id, ...words] = line.split(" ");
        return JSON.stringify({
          id,
          path: at(`corpus/dev/1/1/${id}.flac`),
          text: `${words.join(", ").toLowerCase()}!`,
        });
      });
    await writeFile(join(lower, "dev.jsonl"), manifest.join("\n"));
    const run = async (data: string, ...options: string[]) => {
      output.clear();
      expect(
        await main(["evaluate", at("model"), "--data", data, "--split", "dev", "--json", ...options]),
      ).toBe(0);
      return JSON.parse(output.stdout) as EvaluationResult;
    };
    await writeFile(
      join(lower, "dots.jsonl"),
      manifest.map((line) => line.replace(/"text":"[^"]*"/, '"text":"..."')).join("\n"),
    );
    const dots = ["evaluate", at("model"), "--data", lower, "--split", "dots"];
    expect(await main([...dots, "--normalize", "punctuation"])).toBe(1);
    expect(output.stderr).toContain(
      "references must have words to be compared, but without punctuation none has",
    );
    const plain = await run(at("corpus"), "--normalize", "case,punctuation");
    const raw = await run(lower);
    expect(raw.wer).toBeGreaterThanOrEqual(1);
    expect(raw.unknownCharacters.utterances).toBe(6);
    const normalized = await run(lower, "--normalize", "punctuation,case");
    expect(normalized.textNormalization).toEqual(["punctuation", "case"]);
    expect([normalized.wer, normalized.cer]).toEqual([plain.wer, plain.cer]);
    expect(normalized.unknownCharacters.utterances).toBe(0);
    expect(normalized.utterances[0]!.reference).toBe(plain.utterances[0]!.reference);
    expect(raw.utterances[0]!.reference).toMatch(/^[abc]+(, [abc]+)?!$/);
    output.clear();
    expect(
      await main(["evaluate", at("model"), "--data", lower, "--split", "dev", "--normalize", "case"]),
    ).toBe(0);
    expect(output.stdout).toContain("Compared without case, on both sides.");
    expect(output.stdout).toMatch(
      /6 references have characters that the model's vocabulary lacks, .*: "!" 6× \(1-1-0000\)/,
    );
  });

  it("goes on where the vocabulary lacks characters and an unknown token", async () => {
    expect(await evaluate("narrow", "--split", "dev", "--json")).toBe(0);
    const { unknownCharacters } = JSON.parse(output.stdout) as EvaluationResult;
    expect(unknownCharacters.characters.map(({ character }) => character).sort()).toEqual(["B", "C"]);
  });

  it("leaves bad clips out where asked, and says so", async () => {
    const bad = at("bad");
    await mkdir(bad);
    for (const name of ["a", "b"]) await writeFile(join(bad, `${name}.txt`), "AB C");
    await writeFile(join(bad, "a.flac"), await readFile(at("corpus/dev/1/1/1-1-0000.flac")));
    await writeFile(
      join(bad, "b.flac"),
      (await readFile(at("corpus/dev/1/1/1-1-0000.flac"))).subarray(0, 2000),
    );
    const run = (...options: string[]) =>
      main(["evaluate", at("model"), "--data", bad, "--json", ...options]);
    expect(await run()).toBe(1);
    expect(output.stderr).toContain("b.flac");
    output.clear();
    expect(await run("--on-bad-data", "skip")).toBe(0);
    expect(output.stderr).toMatch(/^Left out: .*b\.flac/);
    const { utterances, skipped } = JSON.parse(output.stdout) as EvaluationResult;
    expect([utterances.map(({ id }) => id), skipped.map(({ id }) => id)]).toEqual([["a"], ["b"]]);
  });

  it("writes a report with the clips of the worst", async () => {
    expect(
      await evaluate("model", "--split", "dev,test", "--report", at("report.html"), "--report-clips", "2"),
    ).toBe(0);
    expect(output.stderr).toMatch(/\nReport \S+report\.html: 0\.\d MB, 2 clips of 0\.\d MB\.\n$/);
    expect((await readFile(at("report.html"), "utf8")).match(/data:audio\/flac/g)).toHaveLength(2);
    output.clear();
    expect(await evaluate("model", "--split", "dev", "--report", at("no/such.html"))).toBe(1);
    expect(output.stderr).toMatch(/must be a directory to write/);
    expect(output.stdout).toBe("");
  });

  it("says what it cannot use", async () => {
    expect(await evaluate("model", "--split", "dve")).toBe(1);
    expect(output.stderr).toMatch(/split must be one of dev, test .* but is "dve"/);
    output.clear();
    expect(await evaluate("model", "--split", "dev", "--bootstrap-by", "speaker")).toBe(1);
    expect(output.stderr).toContain("There must be 10 speakers to draw them, but there are 1.");
    await mkdir(at("untold"));
    for (const name of ["config.json", "model.safetensors", "preprocessor_config.json"])
      await writeFile(join(at("untold"), name), await readFile(join(at("model"), name)));
    output.clear();
    expect(await evaluate("untold", "--split", "dev")).toBe(1);
    expect(output.stderr).toContain("vocab.json");
    await writeFile(at("empty.jsonl"), "");
    output.clear();
    expect(await main(["evaluate", at("model"), "--data", at("empty.jsonl")])).toBe(1);
    expect(output.stderr).toMatch(/empty\.jsonl must hold/);
    output.clear();
    expect(await evaluate("model", "--split", "dev", "--output", at("no/such/result.json"))).toBe(1);
    expect(output.stderr).toMatch(/must be a directory to write/);
    expect(output.stdout).toBe("");
  });
});

describe("compare", () => {
  it("counts words that differ in form alone, and puts CER first where WER counts sentences", async () => {
    const write = (name: string, utterances: object[]) => writeFile(at(name), JSON.stringify({ utterances }));
    const reference = "caf\u00e9";
    await write("composed.json", [{ id: "1", reference, hypothesis: reference }]);
    await write("decomposed.json", [{ id: "1", reference, hypothesis: "cafe\u0301" }]);
    expect(await main(["compare", at("composed.json"), at("decomposed.json")])).toBe(0);
    expect(output.stdout).toContain(
      '2: 1 error is of form alone, such as "cafe\u0301" for "caf\u00e9", where "\u00e9" is U+00E9 in the reference',
    );
    expect(output.stdout).toMatch(/^ +WER .* CER\n/);
    output.clear();
    const japanese = "昨日は雨が降っていました";
    await write("japanese.json", [
      { id: "1", reference: japanese, hypothesis: japanese.replace("は", "わ") },
    ]);
    expect(await main(["compare", at("japanese.json"), at("japanese.json")])).toBe(0);
    expect(output.stdout).toMatch(/^ +CER +WER /);
    expect(output.stdout).toContain("WER counts whole sentences: 1 of 1 references have no spaces");
  });

  const keep = async (model: string, name: string, split = "dev+test") =>
    expect(await evaluate(model, "--split", split, "--output", at(name))).toBe(0);

  it("prints both models, their difference and what chance would make of it", async () => {
    await keep("model", "first.json");
    await keep("second", "second.json");
    output.clear();
    expect(await main(["compare", at("first.json"), at("second.json"), "--differing", "1"])).toBe(0);
    expect(output.stdout).toMatch(/\n1 {2}\S+model +\d/);
    expect(output.stdout).toMatch(/\n2 {2}\S+second +\d/);
    expect(output.stdout).toMatch(/\nDifference of 2 to 1 +[+-]?\d+\.\d\d points, 95 % interval/);
    expect(output.stdout).toMatch(/\nProbability of improvement +\d+\.\d %\n/);
    expect(output.stdout).toMatch(/\nMatched pairs \(MAPSSWE\) +z -?\d+\.\d\d, p \d.*, \d+ segments: /);
    output.clear();
    expect(await main(["compare", at("first.json"), at("first.json"), "--json"])).toBe(0);
    const same = JSON.parse(output.stdout);
    expect(same).toMatchObject({
      difference: { wer: 0, low: 0, high: 0 },
      matchedPairs: { z: 0, p: 1 },
      equal: 11,
    });
  });

  it("writes a page", async () => {
    expect(await main(["compare", at("first.json"), at("second.json"), "--report", at("compared")])).toBe(0);
    expect(output.stderr).toMatch(/Report .*compared\/index\.html: .* 11 clips of/);
    expect(await readdir(at("compared/audio"))).toHaveLength(11);
  });

  it("refuses what cannot be compared", async () => {
    await keep("second", "dev.json", "dev");
    output.clear();
    expect(await main(["compare", at("first.json"), at("dev.json")])).toBe(1);
    expect(output.stderr).toMatch(/dev\.json lacks 2-7-0000, which .*first\.json has/);
    output.clear();
    expect(await main(["compare", at("first.json"), at("model/config.json")])).toBe(1);
    expect(output.stderr).toMatch(/config\.json must be a result of 'wav2vec2 evaluate --output'/);
  });
});
