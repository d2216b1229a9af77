import { execSync, spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { encodeWav } from "../../src/audio/wav/wav.js";
import { main } from "../../src/cli/main.js";
import { Random } from "../../src/data/random.js";
import { UserError } from "../../src/errors.js";
import { evaluateModel } from "../../src/evaluation/evaluate.js";
import type { WindowSeconds } from "../../src/recognition/emissions/emissions.js";
import { transcribeFiles } from "../../src/recognition/files.js";
import { recognizerPool } from "../../src/recognition/pool/recognizer-pool.js";
import { loadRecognizer, type Recognizer } from "../../src/recognition/recognizer.js";
import { ErrorRate } from "../../src/text/scoring/error-rate.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { toneClip } from "../fixtures/tone-corpus.js";
import { trainToneModel } from "../fixtures/trained-model.js";

// One network learns a language of three tones; everything below hears with it.

const program = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));
let directory: string;
let model: string;
let recognizer: Recognizer;
const output = new CapturedOutput();
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "transcribe-"));
  model = await trainToneModel(directory);
  recognizer = await loadRecognizer(model);
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(() => output.start());
afterEach(() => vi.restoreAllMocks());

const words = ["A", "BC", "CAB", "BA", "ACB"];
/** Seconds of pauses between words, and what is said. */
function recording(count: number, seed: number): { samples: Float32Array; text: string } {
  const random = new Random(seed, "recording");
  const said = Array.from({ length: count }, () => words[random.integer(words.length)]!);
  const parts = said.map((word) => toneClip(`${word} ${" ".repeat(random.integer(6))}`, random));
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    samples.set(part, end);
    end += part.length;
  }
  return { samples, text: said.join(" ") };
}

function errors(reference: string, hypothesis: string): number {
  const rate = new ErrorRate();
  rate.add(reference, hypothesis.replace(/\s+/g, " "));
  return rate.wer;
}

/** A file in the directory. */
function file(name: string, samples: Float32Array): string {
  const path = join(directory, name);
  writeFileSync(path, encodeFlac(samples, 16000));
  return path;
}

describe("a recognizer", () => {
  it("hears a long recording in pieces whose times are in order and within it", async () => {
    const { samples, text } = recording(150, 1);
    expect(samples.length).toBeGreaterThan(80 * 16000);
    const heard: string[] = [];
    let end = 0;
    for await (const piece of recognizer.stream([samples], { name: "x", words: true })) {
      expect(piece.start).toBeCloseTo(end, 6);
      expect(piece.words.map((word) => word.text).join(" ")).toBe(piece.text);
      let last = piece.start;
      for (const word of piece.words) {
        expect(word.start).toBeGreaterThanOrEqual(last);
        expect(word.end).toBeGreaterThan(word.start);
        expect(word.confidence).toBeGreaterThan(0);
        last = word.end;
      }
      expect(last).toBeLessThanOrEqual(piece.end + 1e-9);
      end = piece.end;
      heard.push(piece.text);
    }
    expect(end).toBeCloseTo(samples.length / 16000, 6);
    expect(heard.length).toBeGreaterThan(3);
    expect(errors(text, heard.filter(Boolean).join(" "))).toBeLessThan(0.1);
  });

  it("hears the same in bfloat16, from other scores, in a pool's threads too", async () => {
    const { samples, text } = recording(40, 5);
    const options = { words: true, name: "x" };
    const exact = await recognizer.transcribe([samples], options);
    const notes: string[] = []; // what is said of the speed depends on the machine
    const choice = { precision: "bfloat16", onNote: (note: string) => notes.push(note) } as const;
    const rounding = await loadRecognizer(model, choice);
    const rounded = await rounding.transcribe([samples], options);
    expect(rounded.text).toBe(exact.text);
    expect(errors(text, rounded.text)).toBeLessThan(0.1);
    const confidences = ({ words }: typeof exact) => words.map(({ confidence }) => confidence);
    expect(confidences(rounded)).not.toEqual(confidences(exact));
    await using pool = await recognizerPool(model, { ...choice, threads: 1 });
    expect(await pool.transcribe([samples], options)).toEqual(rounded);
    output.stdout = "";
    const clip = file("rounded.flac", samples);
    expect(await main(["transcribe", model, clip, "--json", "--precision", "bfloat16"])).toBe(0);
    const expected = confidences(await rounding.transcribe(clip, options));
    const shown = expected.map((confidence) => Number(confidence.toFixed(3)));
    expect(confidences(JSON.parse(output.stdout)[0])).toEqual(shown);
    const dev = { data: join(directory, "corpus"), split: "dev" };
    const { precision, wer } = await evaluateModel(model, { ...dev, ...choice });
    const { wer: exactWer, ...result } = await evaluateModel(recognizer.ctc, dev);
    expect([precision, wer]).toEqual(["bfloat16", exactWer]);
    expect(result.precision).toBeUndefined();
  });

  it("hears the same live as in a file, and says what it hears before it is settled", async () => {
    const { samples, text } = recording(40, 2);
    const partial: string[] = [];
    const windows = { step: 1, first: 1, before: 6, after: 1 };
    const heard: string[] = [];
    const options = { name: "x", windows, onPartial: (so: string) => void partial.push(so) };
    function* blocks() {
      for (let start = 0; start < samples.length; start += 1000) yield samples.subarray(start, start + 1000);
    }
    for await (const piece of recognizer.stream(blocks(), options)) heard.push(piece.text);
    expect(errors(text, heard.filter(Boolean).join(" "))).toBeLessThan(0.1);
    expect(partial.length).toBeGreaterThan(samples.length / 16000 - 3);
    expect(partial.some((so) => so !== "")).toBe(true);
  });

  it("hears all that comes before a stream is cut", async () => {
    const { samples } = recording(12, 4);
    function* cut() {
      for (let start = 0; start < samples.length; start += 1000) yield samples.subarray(start, start + 1000);
      throw new UserError("x is cut.");
    }
    const texts: string[] = [];
    let end = 0;
    const hear = async (blocks: Iterable<Float32Array>) => {
      for await (const piece of recognizer.stream(blocks, { name: "x" })) {
        texts.push(piece.text);
        end = piece.end;
      }
    };
    await hear([samples]);
    const whole = texts.splice(0);
    await expect(hear(cut())).rejects.toThrow("x is cut.");
    expect(texts).toEqual(whole);
    expect(end).toBe(samples.length / 16000);
  });

  it("takes nothing but audio", async () => {
    for (const [source, message] of [
      [[new Int16Array(9)], "Samples must come as a Float32Array, from -1 to 1, but come as an Int16Array."],
      [[0.1, 0.2], "Samples must be Float32Arrays, but are numbers."],
      [undefined, "The audio must be a path, a URL"],
    ] as const)
      await expect(recognizer.transcribe(source as unknown as string)).rejects.toThrow(message);
  });

  it("hears with windows of any sizes, but no sizes that are none", async () => {
    const { samples } = recording(4, 3);
    const hear = async (windows: WindowSeconds) => {
      for await (const { text } of recognizer.stream([samples], { name: "x", windows }))
        expect(text).toBeTypeOf("string");
    };
    await hear({ step: 0.3, first: 0.3, before: 0, after: 0 });
    await hear({ step: 0, first: 0, before: 0.1, after: 0.01 });
    const sizes = { step: 1, first: 1, before: 1, after: 1 };
    await expect(hear({ ...sizes, step: Number.NaN })).rejects.toThrow(
      "windows.step must be a number of seconds, but is NaN.",
    );
    await expect(hear({ ...sizes, after: -1 })).rejects.toThrow("windows.after must be a number of seconds");
  });

  it("hears clips of any length as evaluate does", async () => {
    for (const length of [1, 300, 400, 8000]) {
      const samples = new Float32Array(length).fill(0.1);
      expect((await recognizer.transcribe(samples)).text).toBeTypeOf("string");
    }
    await expect(recognizer.transcribe(new Float32Array(0), { name: "x.flac" })).rejects.toThrow(
      "x.flac must hold audio",
    );
  });
});

describe("many files", () => {
  it("are each heard as alone, whatever their lengths, beside files that cannot be read", async () => {
    const random = new Random(5, "files");
    const files = Array.from({ length: 9 }, (_, i) =>
      file(`many-${i}.flac`, recording(1 + random.integer(6), i).samples),
    );
    files.splice(4, 0, file("long.flac", recording(70, 77).samples));
    const bad = join(directory, "bad.flac");
    writeFileSync(bad, "not audio");
    const cut = join(directory, "cut.flac");
    writeFileSync(cut, readFileSync(files[4]!).subarray(0, 60_000));
    const all = [bad, ...files, cut, join(directory, "missing.flac")];
    const texts = all.map(() => [] as string[]);
    const ends = new Map<number, string | undefined>();
    for await (const news of transcribeFiles(recognizer, all, { batchSeconds: 10 })) {
      expect(ends.has(news.index)).toBe(false);
      if ("transcript" in news) texts[news.index]!.push(news.transcript.text);
      else ends.set(news.index, "error" in news ? news.error : undefined);
    }
    expect(ends.size).toBe(all.length);
    for (const [index, path] of all.entries()) {
      if (!files.includes(path)) {
        expect(ends.get(index)).toContain(path);
        continue;
      }
      expect(ends.get(index)).toBeUndefined();
      const alone: string[] = [];
      for await (const news of transcribeFiles(recognizer, [path]))
        if ("transcript" in news) alone.push(news.transcript.text);
      expect(texts[index]).toEqual(alone);
    }
  });
});

describe("wav2vec2 transcribe", () => {
  it("prints the text alone for one file, a line a file for several, in their order", async () => {
    const short = file("short.flac", toneClip("AB C", new Random(1, "short")));
    const long = file("long-two.flac", recording(60, 3).samples);
    expect(await main(["transcribe", model, short])).toBe(0);
    const text = output.stdout.trim();
    expect(text).toMatch(/^AB C$/);
    output.clear();
    expect(await main(["transcribe", model, long, short])).toBe(0);
    const lines = output.stdout.trim().split("\n");
    expect(lines.map((line) => line.split("\t")[0])).toEqual([long, short]);
    expect(lines[1]).toBe(`${short}\t${text}`);
  });

  it("goes on behind bad files and exits with 1", async () => {
    const good = file("good.flac", toneClip("A", new Random(1, "good")));
    const text = join(directory, "text.wav");
    writeFileSync(text, "this is a text and no audio");
    const empty = join(directory, "empty.wav");
    writeFileSync(empty, "");
    expect(await main(["transcribe", model, text, empty, good])).toBe(1);
    expect(output.stdout).toBe(`${good}\tA\n`);
    expect(output.stderr).toContain(text);
    expect(output.stderr).toContain(empty);
    output.clear();
    expect(await main(["transcribe", model, text, good, "--json"])).toBe(1);
    expect(JSON.parse(output.stdout)).toEqual([
      { file: text, words: [], text: "", duration: 0, error: expect.stringContaining(text) },
      {
        file: good,
        words: [
          { text: "A", start: expect.any(Number), end: expect.any(Number), confidence: expect.any(Number) },
        ],
        text: "A",
        duration: 0.15,
      },
    ]);
  });

  it("writes a file for each into a directory", async () => {
    const folder = join(directory, "written/new");
    const clips = ["one", "two"].map((name) => file(`${name}.flac`, toneClip("AB C", new Random(1, name))));
    expect(await main(["transcribe", model, ...clips, "--format", "srt", "--output", folder])).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["one.srt", "two.srt"]);
    expect(readFileSync(join(folder, "one.srt"), "utf8")).toMatch(
      /^1\n00:00:00,\d{3} --> 00:00:00,600\nAB C\n\n$/,
    );
    expect(output.stdout).toBe("");

    expect(await main(["transcribe", model, ...clips, "--format", "vtt"])).toBe(2);
    expect(output.stderr).toContain("--output must name a directory for 2 files as vtt");
    mkdirSync(join(directory, "other"), { recursive: true });
    copyFileSync(clips[0]!, join(directory, "other/one.flac"));
    const same = [clips[0]!, join(directory, "other/one.flac")];
    expect(await main(["transcribe", model, ...same, "--output", folder, "--format", "srt"])).toBe(0);
    expect(readFileSync(join(folder, "other/one.srt"), "utf8")).toContain("AB C");
    output.clear();
    expect(await main(["transcribe", model, ...same, "--format", "ctm"])).toBe(0);
    const lines = output.stdout.trim().split("\n");
    expect(new Set(lines.map((line) => line.split(" ")[0]))).toEqual(new Set(["one", "other/one"]));
    expect(await main(["transcribe", model, same[0]!, same[0]!, "--output", folder])).toBe(2);
    expect(output.stderr).toContain("files must be named once for --output");
  });

  it("needs no more threads than it has batches", async () => {
    const clip = file("one-clip.flac", toneClip("AB C", new Random(1, "one")));
    expect(await main(["transcribe", model, clip, "--workers", "100000000"])).toBe(0);
    expect(output.stdout).toBe("AB C\n");
  });

  it.runIf(existsSync("/dev/full"))("says that a disk is full (skipped without /dev/full)", () => {
    const clip = file("full.flac", toneClip("AB C", new Random(1, "full")));
    const command = `'${process.execPath}' '${program}' transcribe '${model}' '${clip}' > /dev/full`;
    const { status, stderr } = spawnSync(command, { shell: true, encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toBe("Standard output must be written to, but the disk is full.\n");
  });

  it("says what is odd about a file that is read, in the batches of short ones and bit by bit", async () => {
    for (const [name, words, longer] of [
      ["open.wav", 1, false],
      ["open-long.wav", 60, true],
    ] as const) {
      const { samples } = recording(words, 4);
      expect(samples.length > 31 * 16000).toBe(longer);
      const whole = Buffer.from(encodeWav(samples, 16000));
      const path = join(directory, name);
      writeFileSync(path, whole);
      output.clear();
      expect(await main(["transcribe", model, path])).toBe(0);
      const { stdout } = output;
      whole.writeUInt32LE(0x7ffff024, 4); // as SoX leaves it
      whole.writeUInt32LE(0x7ffff000, 40);
      writeFileSync(path, whole);
      output.clear();
      expect(await main(["transcribe", model, path])).toBe(0);
      expect(output.stdout).toBe(stdout);
      expect(output.stderr.match(/leaves the size of its samples open/g)).toHaveLength(1);
    }
  });

  it("leaves out no recording of a directory in silence", async () => {
    const folder = join(directory, "phone");
    mkdirSync(folder);
    const clip = join(folder, "b.wave");
    writeFileSync(clip, encodeWav(toneClip("AB C", new Random(1, "one")), 16000));
    const other = join(folder, "my talk.m4a");
    writeFileSync(other, "\0\0\0\x1cftypM4A xxxxxxxxxxxxxxxx");
    expect(await main(["transcribe", model, folder])).toBe(1);
    expect(output.stdout).toBe(`${clip}\tAB C\n`);
    expect(output.stderr).toContain(`Convert it with: ffmpeg -i '${other}' OUTPUT.flac`);
  });

  it("takes a directory for the audio files in it", async () => {
    const folder = join(directory, "many");
    mkdirSync(join(folder, "deeper"), { recursive: true });
    const clip = toneClip("AB C", new Random(1, "one"));
    for (const name of ["b.flac", "a.flac", "deeper/c.flac"])
      writeFileSync(join(folder, name), encodeFlac(clip, 16000));
    writeFileSync(join(folder, "notes.txt"), "no audio");
    expect(await main(["transcribe", model, folder])).toBe(0);
    expect(output.stdout).toBe(
      ["a.flac", "b.flac", "deeper/c.flac"].map((name) => `${join(folder, name)}\tAB C\n`).join(""),
    );
    mkdirSync(join(folder, "empty"));
    expect(await main(["transcribe", model, join(folder, "empty")])).toBe(1);
    expect(output.stderr).toContain("empty must be an audio file or a directory of them, but holds none.");
  });

  it.each([
    [["--events"], 2, "--events must stand with - (standard input), but stands with files."],
    [["--raw", "s16le"], 2, "--raw must stand with - (standard input), but stands with files."],
    [
      ["--characters", "--format", "srt"],
      2,
      "--characters must stand with JSON or events, but stands with srt.",
    ],
    [["--rate", "8000"], 2, "--rate must stand with --raw, but stands without."],
    [["--json", "--format", "srt"], 2, "--json must stand without --format srt, but stands with it."],
    [["--lm", "no.arpa"], 1, "no.arpa must be a language model"],
    [["--hotwords", "xyz"], 2, '"xyz" cannot be'],
    [["--beam-width", "0"], 2, "It must be a whole number above 0, in at most 15 digits."],
    [["--threads", "4000"], 2, "It must be at most 1024."],
    [["--beam-width", "1000000000"], 2, "beamWidth must be a whole number from 1 to 100,000"],
    [["--lm-weight", "-1"], 2, "It must be a number of at least 0."],
    [["--unknown-score", "1"], 2, "It must be at most 0."],
    [["--lm-weight", "2"], 2, "--lm-weight must stand with --lm, but stands without."],
    [["--hotword-weight", "3"], 2, "--hotword-weight must stand with --hotwords, but stands without."],
    [["--hotwords", ",,"], 2, "--hotwords must give a word at least, but give none."],
    [["--format", "doc"], 2, "Allowed choices are text, json, srt, vtt, textgrid, ctm."],
    [["--output", "/dev/null"], 1, "--output must be a directory to write to, but /dev/null is none"],
    [["--decoding", "no.json"], 1, "no.json must be a file that says how to decode"],
  ])("refuses %j", async (options, code, message) => {
    const clip = file("clip.flac", toneClip("A", new Random(1, "clip")));
    expect(await main(["transcribe", model, clip, ...options])).toBe(code);
    expect(output.stderr).toContain(message);
    expect(output.stderr).not.toContain("    at ");
    expect(output.stdout).toBe("");
  });
});

describe("standard input", () => {
  /** A real process whose input comes in pieces. */
  async function piped(
    input: Buffer,
    ...options: string[]
  ): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [program, "transcribe", model, "-", ...options]);
    let [out, err] = ["", ""];
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err += text;
    });
    for (let start = 0; start < input.length; start += 50_001)
      child.stdin.write(input.subarray(start, start + 50_001));
    child.stdin.end();
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, out, err };
  }
  const pcm = (samples: Float32Array) =>
    Buffer.from(Int16Array.from(samples, (sample) => Math.round(sample * 32767)).buffer);

  it("is heard as it comes, with and without a header", { timeout: 120_000 }, async () => {
    const { samples, text } = recording(30, 9);
    const raw = await piped(pcm(samples), "--raw", "s16le");
    expect(raw.err).toBe("");
    expect(raw.code).toBe(0);
    expect(raw.out.trim().split("\n").length).toBeGreaterThan(3);
    expect(errors(text, raw.out)).toBeLessThan(0.1);
    const flac = await piped(Buffer.from(encodeFlac(samples, 16000)));
    expect(flac.out).toBe(raw.out);
    const events = await piped(pcm(samples), "--raw", "s16le", "--events");
    const objects = events.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(objects.some(({ partial }) => partial)).toBe(true);
    const final = objects.filter((object) => "text" in object);
    expect(final.map((object) => object.text).join("\n")).toBe(raw.out.trim());
    expect(Object.keys(final[0])).toEqual(["text", "start", "end", "words"]);
    expect(final[0].words[0]).toEqual({
      text: final[0].text.split(" ")[0],
      start: expect.any(Number),
      end: expect.any(Number),
      confidence: expect.any(Number),
    });
    expect(events.out).not.toMatch(/\d\.\d{4}/); // milliseconds
  });

  it.each([
    ["Ctrl+C", "SIGINT", 130],
    ["a closed terminal", "SIGHUP", 129],
  ] as const)("is transcribed up to %s", { timeout: 120_000 }, async (_, signal, code) => {
    const { samples, text } = recording(4, 9);
    const child = spawn(process.execPath, [program, "transcribe", model, "-", "--raw", "s16le", "--events"]);
    const end = new Promise<number | null>((resolve) => child.once("close", resolve));
    let [out, err] = ["", ""];
    child.stderr.on("data", (piece) => {
      err += piece;
    });
    child.stdin.write(pcm(samples)); // and more may come
    // Until it has nothing more to tell: all is read.
    await new Promise<void>((resolve) => {
      let quiet: NodeJS.Timeout | undefined;
      child.stdout.on("data", (piece) => {
        out += piece;
        clearTimeout(quiet);
        quiet = setTimeout(resolve, 3000);
      });
    });
    child.kill(signal);
    expect(await end).toBe(code);
    const texts = out
      .trim()
      .split("\n")
      .flatMap((line) => (JSON.parse(line) as { text?: string }).text ?? []);
    expect(errors(text, texts.join(" "))).toBe(0);
    expect(err).toMatch(/Interrupted.*: what came until now is still transcribed\.\n$/);
  });

  it("that is interrupted before anything came has no transcript", { timeout: 60_000 }, async () => {
    const child = spawn(process.execPath, [program, "transcribe", model, "-", "--raw", "s16le"]);
    const end = new Promise<number | null>((resolve) => child.once("close", resolve));
    let out = "";
    child.stdout.on("data", (piece) => {
      out += piece;
    });
    await new Promise((resolve) => setTimeout(resolve, 5000)); // whether it waits for samples or for its model
    child.kill("SIGINT");
    expect([130, null]).toContain(await end); // before Node listens the system ends it
    expect(out.trim()).toBe("");
  });

  it("is heard no longer than somebody reads", { timeout: 120_000 }, async () => {
    const child = spawn(process.execPath, [program, "transcribe", model, "-", "--raw", "s16le", "--events"]);
    const end = new Promise<number | null>((resolve) => child.once("exit", resolve));
    child.stdin.on("error", () => {}); // closed by its reader
    child.stdin.write(pcm(recording(30, 9).samples)); // and more may come
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.stdout.destroy();
    expect(await end).toBe(0);
  });

  it("may be named by the shell", { timeout: 60_000 }, async () => {
    const path = file("named.flac", toneClip("AB C", new Random(1, "named")));
    const command = `cat '${path}' | '${process.execPath}' '${program}' transcribe '${model}' /dev/stdin`;
    expect(execSync(command, { encoding: "utf8" })).toBe("AB C\n");
  });

  it("with events takes no other output", { timeout: 60_000 }, async () => {
    const { code, err } = await piped(Buffer.alloc(0), "--events", "--output", "there");
    expect(code).toBe(2);
    expect(err).toBe("--output must stand without --events, but stands with it.\n");
  });

  it("that is no audio, or none, is an error", { timeout: 60_000 }, async () => {
    for (const input of ["this is a text", ""]) {
      const { code, out, err } = await piped(Buffer.from(input));
      expect(code).toBe(1);
      expect(out).toBe("");
      expect(err).toMatch(/^standard input must .*\n$/);
    }
  });
});
