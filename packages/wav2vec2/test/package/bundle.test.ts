import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import webpack from "webpack";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { Random } from "../../src/data/random.js";
import { DEFAULT_CONFIG } from "../../src/model/configuration.js";
import { configWithKeys } from "../../src/model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { saveCtcModel } from "../../src/pretrained/ctc-directory.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";
import { TINY_MODEL, toneClip } from "../fixtures/tone-corpus.js";

// What docs/deploying.md says of bundlers: with the packages left out, a bundle runs, in threads too.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const run = promisify(execFile);

const APP = `
import { loadRecognizer, recognizerPool } from "wav2vec2/recognition";

const recognizer = await loadRecognizer("model");
const { text } = await recognizer.transcribe("clip.flac");
const pool = await recognizerPool("model", { threads: 1 });
const inThread = await pool.transcribe("clip.flac");
await pool.close();
console.log(JSON.stringify([text, inThread.text]));
`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "bundle-"));
  await symlink(join(ROOT, "node_modules"), join(directory, "node_modules"));
  await writeFile(join(directory, "app.mjs"), APP);
  await writeFile(join(directory, "clip.flac"), encodeFlac(toneClip("ABC", new Random(1, "clip")), 16000));
  const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["A B C"]));
  const { size, blankId } = tokenizer.vocabulary;
  const keys = { ...TINY_MODEL, vocab_size: size, pad_token_id: blankId };
  const config = configWithKeys(DEFAULT_CONFIG, keys, "the model");
  await saveCtcModel(join(directory, "model"), {
    model: new Wav2Vec2ForCTC(config),
    tokenizer,
    normalize: true,
  });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Runs a bundle and expects that threads hear what the program hears. */
async function expectRuns(file: string): Promise<void> {
  expect(await readFile(join(directory, file), "utf8")).toContain("wav2vec2/recognition");
  const { stdout } = await run(process.execPath, [file], { cwd: directory });
  const [text, inThread] = JSON.parse(stdout) as string[];
  expect(text).toMatch(/^[ABC ]*$/);
  expect(inThread).toBe(text);
}

/** What a row of the page's table leaves out. */
async function externalOf(bundler: string): Promise<RegExp[]> {
  const page = await readFile(join(ROOT, "docs/deploying.md"), "utf8");
  const [, patterns] = new RegExp(`${bundler} \\| \`externals?: \\[(.*?)\\]\``).exec(page)!;
  const external = patterns!
    .replaceAll("\\|", "|") // as a table writes it
    .split(", ")
    .map((pattern) => new RegExp(pattern.slice(1, -1).replaceAll("\\/", "/")));
  expect(external).toHaveLength(2);
  return external;
}

describe("a bundle that leaves the packages out as the page says", () => {
  it("runs, made by Rolldown", async () => {
    const external = await externalOf("Rolldown");
    const bundle = await rolldown({ input: join(directory, "app.mjs"), platform: "node", external });
    await bundle.write({ file: join(directory, "rolldown.mjs"), format: "esm" });
    await bundle.close();
    await expectRuns("rolldown.mjs");
  });

  it("runs, made by webpack", async () => {
    const external = await externalOf("webpack");
    await new Promise<void>((resolve, reject) =>
      webpack(
        {
          mode: "production",
          target: "node20",
          context: directory,
          entry: "./app.mjs",
          experiments: { outputModule: true },
          externalsType: "module",
          externals: external,
          output: { path: directory, filename: "webpack.mjs", module: true },
        },
        (error, stats) => {
          if (error ?? stats?.hasErrors()) reject(error ?? new Error(stats!.toString("errors-only")));
          else resolve();
        },
      ),
    );
    await expectRuns("webpack.mjs");
  });

  it("runs, made by esbuild's command line", async () => {
    const page = await readFile(join(ROOT, "docs/deploying.md"), "utf8");
    const [, given] = /^esbuild server\.ts ([\s\S]*?)\n```/m.exec(page)!;
    const options = given!
      .replaceAll("\\\n", " ")
      .trim()
      .split(/\s+/)
      .map((option) => option.replace("server.mjs", "esbuild.mjs"));
    await run(join(ROOT, "node_modules/.bin/esbuild"), ["app.mjs", ...options], { cwd: directory });
    await expectRuns("esbuild.mjs");
  });
});
