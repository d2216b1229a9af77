import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { temporaryDirectory } from "../fixtures/temporary-directory.js";
import { writeToneCorpus } from "../fixtures/tone-corpus.js";
import { golden } from "./language-model-fixture.js";

const output = new CapturedOutput();
let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory("lm");
  output.start();
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  output.clear();
  return { code: await main(["lm", ...args]), stdout: output.stdout, stderr: output.stderr };
}

async function write(name: string, contents: string | Uint8Array): Promise<string> {
  await writeFile(join(directory, name), contents);
  return join(directory, name);
}

const path = (name: string) => join(directory, name);
const text = golden.text.map((line) => `${line}\n`).join("");

describe("wav2vec2 lm", () => {
  it("changes case by a language's rules, and says what is written in several ways", async () => {
    const file = await write("turkish.txt", "ISPARTA İZMİR\ncaf\u00e9 cafe\u0301 10\u00a0km\n");
    const list = await write("list.txt", "cafe\u0301 ısparta");
    const build = (...more: string[]) =>
      run("build", file, "--order", "1", "--discount-fallback", "--output", path("t.arpa"), ...more);
    const { code, stderr } = await build("--lower-case", "--case-language", "tr");
    expect(code).toBe(0);
    expect(await readFile(path("t.arpa"), "utf8")).toMatch(/\tısparta\n.*\tizmir\n/);
    expect(stderr).toContain("é is written in two ways (2 words");
    expect(stderr).toContain('1 word has a space within that is not U+0020, such as "10\u00a0km" (U+00A0)');
    expect((await build("--vocabulary", list)).stderr).toContain("--vocabulary has it in another form");
    expect(await build("--case-language", "tr")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("must stand with --lower-case or --upper-case"),
    });
    expect((await build("--lower-case", "--case-language", "nothing")).code).toBe(2);
  });

  it("builds, compiles, describes and measures a model", async () => {
    const file = await write("words.txt", text);
    const built = await run("build", file, "--order", "3", "--discount-fallback", "--output", path("a.arpa"));
    expect(built).toMatchObject({ code: 0, stderr: "" });
    expect(built.stdout).toMatch(/^220 sentences, 1,\d+ words\norder +n-grams +D1 +D2 +D3\+\n1 +74 /);
    const arpa = await readFile(path("a.arpa"), "utf8");
    const expected = golden.models["order 3"]!.arpa!;
    expect(arpa.replace(/-?\d+\.\d+/g, "")).toBe(expected.replace(/-?\d+\.\d+/g, ""));

    expect((await run("compile", path("a.arpa"), path("b.lm"))).stdout).toContain(
      `written to ${path("b.lm")}`,
    );
    const [, unigrams, bigrams, trigrams] = /1=(\d+)\n.*2=(\d+)\n.*3=(\d+)\n/.exec(arpa)!.map(Number);
    const info = JSON.parse((await run("info", path("b.lm"), "--json")).stdout);
    expect(info).toEqual({
      format: "compiled",
      bytes: (await stat(path("b.lm"))).size,
      order: 3,
      counts: [unigrams, bigrams, trigrams],
      vocabulary: unigrams! - 3,
      unknownLogProbability: expect.closeTo(Number(/(\S+)\t<unk>/.exec(arpa)![1]), 5),
    });
    const shown = await run("info", path("a.arpa"));
    expect(shown.stdout).toMatch(/^format +ARPA\n.*\norder +3\n1-grams +74\n/);

    const asked = await write("asked.txt", golden.sentences.map((line) => `${line}\n`).join(""));
    const scores = golden.models["order 3"]!.scores!.flat();
    const total = scores.reduce((sum, [p]) => sum + p, 0);
    const unknown = scores.filter(([, , oov]) => oov);
    const known = total - unknown.reduce((sum, [p]) => sum + p, 0);
    for (const model of ["a.arpa", "b.lm"]) {
      const measured = JSON.parse((await run("perplexity", path(model), asked, "--json")).stdout);
      expect(measured.sentences).toBe(golden.sentences.length);
      expect(measured.tokens).toBe(scores.length);
      expect(measured.unknown).toBe(unknown.length);
      expect(measured.perplexity).toBeCloseTo(10 ** (-total / scores.length), 3);
      expect(measured.perplexityWithoutUnknown).toBeCloseTo(
        10 ** (-known / (scores.length - unknown.length)),
        3,
      );
    }
    expect((await run("perplexity", path("b.lm"), asked)).stdout).toMatch(
      /unknown words +5 \(\d\.\d\d %\)\n/,
    );
  });

  it("builds compiled and gzipped models that are the same, of gzipped texts, pruned and in one case", async () => {
    const file = await write("words.txt.gz", gzipSync(text));
    const words = await write("vocabulary.txt", "THE SHIP\nBOAT SEES");
    const options = [
      "--order",
      "2",
      "--prune",
      "0",
      "1",
      "--upper-case",
      "--discount-fallback",
      "0.5",
      "1",
      "1.5",
    ];
    const limited = [...options, "--vocabulary", words];
    expect(await run("build", file, ...limited, "--output", path("a.lm"))).toMatchObject({ code: 0 });
    expect(await run("build", file, ...limited, "--output", path("a.arpa.gz"))).toMatchObject({ code: 0 });
    const arpa = gunzipSync(await readFile(path("a.arpa.gz"))).toString();
    expect(arpa).toContain("ngram 1=7\n");
    expect(arpa).toContain("\tTHE SHIP\n");
    expect(await run("compile", path("a.arpa.gz"), path("b.lm"))).toMatchObject({ code: 0 });
    expect(Buffer.compare(await readFile(path("a.lm")), await readFile(path("b.lm")))).toBe(0);
    expect((await readdir(directory)).sort()).toEqual([
      "a.arpa.gz",
      "a.lm",
      "b.lm",
      "vocabulary.txt",
      "words.txt.gz",
    ]);
  });

  it("builds a model of a corpus' transcripts", async () => {
    await writeToneCorpus(path("corpus"), { train: 6 });
    const built = await run(
      ...["build", "--data", path("corpus"), "--split", "train", "--order", "2"],
      ...["--discount-fallback", "--output", path("a.arpa")],
    );
    expect(built.stderr).toBe("");
    expect(built.stdout).toMatch(/^6 sentences/);
    expect(
      (await run("perplexity", path("a.arpa"), "--data", path("corpus"), "--split", "train")).stdout,
    ).toMatch(/unknown words +0 /);
  });

  it.each<[string, string[], number, RegExp]>([
    ["no text", ["build", "--output", "a.arpa"], 2, /There must be a text or --data/],
    [
      "an unknown ending",
      ["build", "words.txt", "--output", "a.txt"],
      2,
      /must end in \.arpa, \.arpa\.gz or \.lm/,
    ],
    ["a wrong order", ["build", "words.txt", "--output", "a.arpa", "--order", "6"], 2, /from 1 to 5/],
    [
      "both cases",
      ["build", "words.txt", "--output", "a.arpa", "--lower-case", "--upper-case"],
      2,
      /there are both/,
    ],
    [
      "falling prune",
      ["build", "words.txt", "--output", "a.arpa", "--prune", "1", "0"],
      2,
      /--prune must not fall/,
    ],
    [
      "too many prune",
      ["build", "words.txt", "--output", "a.arpa", "--order", "1", "--prune", "0", "1"],
      2,
      /at most 1 numbers/,
    ],
    [
      "large discounts",
      ["build", "words.txt", "--output", "a.arpa", "--discount-fallback", "1.5"],
      2,
      /--discount-fallback must be .* but is 1\.5/,
    ],
    [
      "a missing text",
      ["build", "nothing.txt", "--output", "a.arpa"],
      1,
      /nothing\.txt must be a text, but does not/,
    ],
    ["an empty text", ["build", "empty.txt", "--output", "a.arpa"], 1, /but there are none in the text/],
    ["a small text", ["build", "small.txt", "--output", "a.arpa"], 1, /--discount-fallback/],
    ["marks in the text", ["build", "marks.txt", "--output", "a.arpa"], 1, /marks\.txt:2: .* has <s>/],
    [
      "no UTF-8",
      ["build", "latin.txt", "--output", "a.arpa"],
      1,
      /latin\.txt must be UTF-8 text, but is not\. Convert it/,
    ],
    ["the text itself", ["build", "small.txt", "--output", "./small.txt"], 2, /must end in/],
    [
      "no directory to write to",
      ["build", "small.txt", "--output", "none/a.arpa"],
      1,
      /must be a directory to write/,
    ],
    ["no model", ["info", "small.txt"], 1, /has no line '\\data\\'/],
    [
      "a missing model",
      ["perplexity", "nothing.arpa", "small.txt"],
      1,
      /a language model, but does not exist/,
    ],
    ["nothing to measure", ["perplexity", "golden.arpa", "empty.txt"], 1, /but is empty/],
    ["a model over itself", ["compile", "golden.arpa", "./golden.arpa"], 1, /must be another file/],
  ])("says what is wrong: %s", async (_, args, code, message) => {
    await write("words.txt", text);
    await write("small.txt", "a b\na b\n");
    await write("empty.txt", "");
    await write("marks.txt", "a\nb <s> c\n");
    await write("latin.txt", Buffer.from([0x61, 0xe9, 0x20, 0x62, 0x0a]));
    await write("golden.arpa", golden.models["order 2"]!.arpa!);
    const before = await readdir(directory);
    const named = args.map((arg) => (/\.(txt|arpa)$/.test(arg) ? join(directory, arg) : arg));
    const failed = await run(...named);
    expect(failed.stderr).toMatch(message);
    expect(failed.code).toBe(code);
    expect(await readdir(directory)).toEqual(before);
  });
});
