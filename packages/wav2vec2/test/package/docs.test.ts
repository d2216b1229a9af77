import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { Random } from "../../src/data/random.js";
import { toneClip, writeToneCorpus } from "../fixtures/tone-corpus.js";
import { HubServer } from "../model/hub-server.js";

// Every command of the documentation runs, on a corpus of tones and with few steps, in the order in which the
// documents give them; every example runs. The Hub is one on this computer, where
// every model that the documents name is the one that was trained before.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const run = promisify(execFile);

/** How a documented command is run here; what is not listed fails the test. */
const RUNS: {
  command: RegExp;
  args: (words: string[]) => string[] | undefined;
  /** Runs on, until another one takes its place; `curl` asks it. */
  serves?: true;
  program?: string;
}[] = [
  { command: /^npm test$/, args: () => undefined }, // what runs this test
  // Another libtorch would be installed below this very test; packages/libtorch/setup/*.test.mjs do it elsewhere.
  { command: /^npm install onnxruntime-web$/, args: () => undefined }, // is there for the tests
  { command: /^npm run setup\b/, args: () => undefined },
  { command: /^source \S+activate\b/, args: () => undefined },
  { command: /^node benchmarks\/gpu\.mjs$/, args: () => undefined }, // minutes, and a GPU
  {
    command: /^npm run quickstart$/,
    args: () => [
      "scripts/quickstart.mjs",
      "--data",
      "DATA",
      "--output",
      "runs/quickstart",
      "--max-steps",
      "3",
    ],
  },
  {
    command: /^npx wav2vec2 (launch .*-- )?(pretrain|finetune) /,
    args: (words) => [...program, ...words.slice(2), "--max-steps", "3"],
  },
  {
    command: /^npx wav2vec2 export .*--data /,
    // What learned for three steps says words by chance, in other numbers other ones.
    args: (words) => [...program, ...words.slice(2), "--max-wer-loss", "1000", "--longest", "2"],
  },
  {
    command: /^npx wav2vec2 export (?!.*--format hf)/,
    args: (words) => [...program, ...words.slice(2), "--longest", "2"],
  },
  {
    command: /^npx wav2vec2 bench /,
    args: (words) => [...program, ...words.slice(2), "--batches", "1"],
  },
  {
    command: /^npx wav2vec2 serve /,
    args: (words) => [...program, ...words.slice(2), "--port", "0"],
    serves: true,
  },
  { command: /^curl /, args: (words) => ["-sS", "--fail", ...words.slice(1)], program: "curl" },
  { command: /^npx wav2vec2 /, args: (words) => [...program, ...words.slice(2)] },
];
const program = ["packages/wav2vec2/bin/wav2vec2.js"];

/** Examples that run until they are stopped, read what comes, or are for browsers. */
const TESTED_APART = ["12-server.mjs", "18-live.mjs", "19-uploads.mjs", "20-browser.mjs"];

/** Variables before a command, then the command. */
const COMMAND = /^((?:[A-Z][A-Z0-9_]*=\S+ )*)(.+)$/;

let directory: string;
let hub: HubServer;
beforeAll(async () => {
  hub = await HubServer.start();
  hub.commit("facebook/wav2vec2-base-960h", () => {
    const best = join(directory, "runs/mine/best");
    return Object.fromEntries(readdirSync(best).map((name) => [name, readFileSync(join(best, name))]));
  });
  directory = await mkdtemp(join(tmpdir(), "docs-"));
  await writeToneCorpus(join(directory, "DATA"), { train: 48, dev: 3, test: 3 });
  await writeWords(join(directory, "WORDS"));
  // Parts that are there already are not downloaded.
  for (const part of ["dev-clean", "train-clean-100", "test-clean"])
    await cp(join(directory, "DATA/dev"), join(directory, "data/LibriSpeech", part), { recursive: true });
  for (const name of ["configs", "packages", "scripts"])
    await symlink(join(ROOT, name), join(directory, name));
});
afterAll(async () => {
  await hub.close();
  await rm(directory, { recursive: true, force: true });
});

/** Directories of two words for each split. */
async function writeWords(root: string): Promise<void> {
  const random = new Random(1, "words");
  for (const split of ["train", "dev", "test"])
    for (const [word, letters] of [
      ["yes", "AB"],
      ["no", "C"],
    ] as const) {
      await mkdir(join(root, split, word), { recursive: true });
      for (let i = 0; i < 4; i++)
        await writeFile(join(root, split, word, `${i}.flac`), encodeFlac(toneClip(letters, random), 16000));
    }
}

function environment(): Record<string, string> {
  return { HF_ENDPOINT: hub.url, HF_HOME: join(directory, "huggingface") };
}

async function documents(): Promise<string[]> {
  const guides = (await readdir(join(ROOT, "docs"))).map((name) => join("docs", name));
  // First what readers do first: later pages use the model that these train.
  const first = ["README.md", "docs/own-speech.md", "CONTRIBUTING.md"];
  return [...new Set([...first, ...guides.filter((name) => name.endsWith(".md"))])];
}

async function commandsOf(path: string): Promise<string[]> {
  const text = await readFile(join(ROOT, path), "utf8");
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) => block!.trim().split("\n"));
}

/** A server that the documentation starts. */
class Served {
  private constructor(
    readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(args: string[], env: NodeJS.ProcessEnv): Promise<Served> {
    const child = spawn(process.execPath, args, {
      cwd: directory,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const url = await new Promise<string>((found, failed) => {
      child.stdout!.on("data", (text) => found(/http:\S+?:\d+\//.exec(String(text))![0]));
      child.once("exit", (code) => failed(new Error(`${args.join(" ")} ended with ${code}.`)));
    });
    return new Served(child, url);
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill();
    expect(await ended).toBe(0);
  }
}

describe("the documentation", () => {
  it("gives commands that work", { timeout: 600_000 }, async () => {
    const commands = (await Promise.all((await documents()).map(commandsOf))).flat();
    expect(commands.length).toBeGreaterThan(5);
    let served: Served | undefined;
    for (const line of new Set(commands)) {
      const [, variables, command] = COMMAND.exec(line)!;
      const [call, input] = command!.split(" < ");
      const words = call!.split(/\s+/);
      const entry = RUNS.find((candidate) => candidate.command.test(command!));
      if (!entry) throw new Error(`'${line}' stands in the documentation, but no test runs it.`);
      const args = entry.args(words);
      const given = variables!
        .split(" ")
        .filter(Boolean)
        .map((variable) => variable.split("="));
      const env = { ...process.env, ...environment(), ...Object.fromEntries(given) };
      if (!args) continue;
      if (entry.serves) {
        await served?.end();
        served = await Served.start(args, env);
        continue;
      }
      const addressed = args.map((word) => word.replace("http://localhost:8080/", served?.url ?? ""));
      const running = run(entry.program ?? process.execPath, addressed, { cwd: directory, env });
      running.child.stdin!.end(input === undefined ? undefined : await readFile(join(directory, input)));
      await running;
    }
    await served?.end();
    const best = await readdir(join(directory, "runs/mine/best"));
    expect(best).toEqual(expect.arrayContaining(["config.json", "model.safetensors", "vocab.json"]));
  });

  it("has examples that work", { timeout: 600_000 }, async () => {
    const clip = join(directory, "DATA/test/1/1/1-1-0000.flac");
    const args: Record<string, string[]> = {
      "04-transcribe.mjs": [join(directory, "runs/mine/best"), clip],
      "07-inner-states.mjs": [join(directory, "runs/mine/best"), clip, join(directory, "runs/backbone")],
      "08-batches.mjs": [join(directory, "DATA"), "test"],
      "05-finetune.mjs": [join(directory, "DATA"), join(directory, "runs/example"), "3"],
      "10-stream.mjs": [join(directory, "runs/mine/best"), clip],
      "16-keyword-spotter.mjs": [join(directory, "runs/words")],
      "17-speaker-classifier.mjs": [join(directory, "runs/voices")],
      "09-pretrain.mjs": [join(directory, "DATA"), join(directory, "runs/example-pretrained"), "3"],
      "13-corpus-to-loss.mjs": [join(directory, "DATA"), "test", "3"],
      "14-own-loss-and-head.mjs": [join(directory, "DATA"), join(directory, "runs/example-head"), "3"],
      "15-own-tracker.mjs": [join(directory, "DATA"), join(directory, "runs/example-tracker"), "3"],
    };
    const output: Record<string, string> = {};
    for (const name of (await readdir(join(ROOT, "examples"))).filter((file) => file.endsWith(".mjs"))) {
      if (TESTED_APART.includes(name)) continue;
      const { stdout } = await run(process.execPath, [join(ROOT, "examples", name), ...(args[name] ?? [])], {
        cwd: directory, // examples work in any directory
      });
      output[name] = stdout;
    }
    expect(output["01-tensors.mjs"]).toBe("[ 2, 4, 6 ]\n");
    expect(output["02-regression.mjs"]).toContain("y = 3.00 x + -1.00");
    expect(output["03-network.mjs"]).toContain("character scores     [2,49,32]");
    expect(output["06-pretraining-loss.mjs"]).toMatch(/contrastive loss +\d\.\d{3}\n/);
    expect(output["07-inner-states.mjs"]).toMatch(/layer 1 {2}attends to about \d/);
    expect(await readdir(join(directory, "runs/backbone"))).toContain("model.safetensors");
    expect(output["08-batches.mjs"]).toMatch(
      /3 utterances of 1 speakers[\s\S]*1-1-0000: \d+ samples, "[ABC ]+"\n3 clips, \[3, \d+\] samples, \d+ labels/,
    );
    expect(output["09-pretrain.mjs"]).toMatch(
      /contrastive loss \d\.\d{3}, by chance 4\.615\n1-1-0000: \d+-\d+ \d+-\d+/,
    );
    expect(output["11-decode.mjs"]).toMatch(
      /frame +CAT .*\nall alignments together +CAT .*\nwhere BAT is more usual +BAT .*\nand CAT is expected +CAT/,
    );
    expect(output["16-keyword-spotter.mjs"]).toMatch(/accuracy on test: \d[\s\S]*a new yes: yes \d/);
    expect(output["17-speaker-classifier.mjs"]).toMatch(/equal error rate of 1128 pairs: \d.*\naccuracy: \d/);
    expect(output["05-finetune.mjs"]).toMatch(/word error rate on dev: \d/);
    expect(output["13-corpus-to-loss.mjs"]).toMatch(/step 3 {2}loss \d+\.\d{3} {2}labels [1-9]\d*\n$/);
    expect(output["14-own-loss-and-head.mjs"]).toMatch(/speaker and characters: CER \d/);
    expect(output["15-own-tracker.mjs"]).toMatch(/step 3: loss \d[\s\S]*final of step 3 lies in/);
  });

  it("has a server that transcribes what is posted", { timeout: 60_000 }, async () => {
    const model = join(directory, "runs/mine/best");
    const server = spawn(process.execPath, [join(ROOT, "examples/12-server.mjs"), model, "0"], { cwd: ROOT });
    try {
      const url = await new Promise<string>((listening) =>
        server.stdout.on("data", (line) => listening(/http:\S+/.exec(String(line))![0])),
      );
      const post = (body: Uint8Array) => fetch(url, { method: "POST", body });
      const clip = await readFile(join(directory, "DATA/test/1/1/1-1-0000.flac"));
      const { text, words, duration } = (await (await post(clip)).json()) as Record<string, unknown>;
      expect(text).toMatch(/^[ABC ]+$/);
      expect((words as { text: string }[]).map((word) => word.text).join(" ")).toBe(text);
      expect(duration).toBeGreaterThan(0);
      const refused = await post(Buffer.from("no audio"));
      expect([refused.status, await refused.json()]).toEqual([
        400,
        { error: expect.stringContaining("must be FLAC"), code: "ERR_AUDIO_FORMAT" },
      ]);
      const tooLarge = await post(Buffer.concat([clip, Buffer.alloc(101 * 2 ** 20)])).catch(() => undefined);
      expect([undefined, 400, 413]).toContain(tooLarge?.status);
      const health = (await (await fetch(`${url}/health`)).json()) as { waiting: number };
      expect(health.waiting).toBe(0);
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill();
      expect(await ended).toBe(0);
    } finally {
      server.kill("SIGKILL");
    }
  });

  it("has live recognition of what is piped into it", { timeout: 60_000 }, async () => {
    const model = join(directory, "runs/mine/best");
    const random = new Random(2, "live");
    const samples = Float32Array.from(
      [..."ABC"].flatMap((letter) => [...toneClip(letter.repeat(8), random)]),
    );
    const running = run(process.execPath, [join(ROOT, "examples/18-live.mjs"), model], { cwd: ROOT });
    running.child.stdin!.end(Buffer.from(Int16Array.from(samples, (sample) => 32767 * sample).buffer));
    const lines = (await running).stdout.trimEnd().split("\n");
    expect(lines.some((line) => /^… [ABC ]+$/.test(line))).toBe(true);
    expect(lines.at(-1)).toMatch(/^\d+\.\d\d s {2}[ABC ]+$/);
  });

  it("has a server that takes recordings out of forms", { timeout: 60_000 }, async () => {
    const model = join(directory, "runs/mine/best");
    const server = spawn(process.execPath, [join(ROOT, "examples/19-uploads.mjs"), model, "0"], {
      cwd: ROOT,
    });
    try {
      const url = await new Promise<string>((listening) =>
        server.stdout.on("data", (line) => listening(/http:\S+/.exec(String(line))![0])),
      );
      const clip = await readFile(join(directory, "DATA/test/1/1/1-1-0000.flac"));
      const form = new FormData();
      form.append("recording", new File([clip], "first.flac"));
      form.append("recording", new File(["no audio"], "second.txt"));
      form.append("recording", "no file");
      const told = await (await fetch(url, { method: "POST", body: form })).json();
      expect(told).toEqual([
        { file: "first.flac", text: expect.stringMatching(/^[ABC ]+$/), duration: expect.any(Number) },
        {
          file: "second.txt",
          error: expect.stringContaining("second.txt must be FLAC"),
          code: "ERR_AUDIO_FORMAT",
        },
      ]);
      const none = new FormData();
      none.append("other", "no file");
      expect((await fetch(url, { method: "POST", body: none })).status).toBe(400);
      expect((await fetch(url, { method: "POST", body: clip })).status).toBe(415);
      const many = new FormData();
      for (let i = 0; i < 20; i++) many.append("recording", new File([clip], `${i}.flac`)); // more than its queue takes
      const all = await fetch(url, { method: "POST", body: many });
      expect([
        all.status,
        ((await all.json()) as { text?: string }[]).filter(({ text }) => text).length,
      ]).toEqual([200, 20]);
      const headers = { "content-type": "multipart/form-data; boundary=x" };
      expect((await fetch(url, { method: "POST", headers, body: "--x\r\nof which the end" })).status).toBe(
        400,
      );
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill();
      expect(await ended).toBe(0);
    } finally {
      server.kill("SIGKILL");
    }
  });
});
