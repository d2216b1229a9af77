import { execSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSafetensors } from "@wav2vec2/libtorch";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { main } from "../../src/cli/main.js";
import { Random } from "../../src/data/random.js";
import { type Aligner, loadAligner } from "../../src/recognition/alignment/align.js";
import { alignmentPicture } from "../../src/recognition/alignment/alignment-picture.js";
import type { TimedText } from "../../src/text/formats/transcript.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { toneClip, writeToneCorpus } from "../fixtures/tone-corpus.js";
import { trainToneModel } from "../fixtures/trained-model.js";

// One network learns a language of three tones, of which it is known where each begins: a letter every 150 ms.

const LETTER = 0.15;
let directory: string;
let model: string;
let aligner: Aligner;
const output = new CapturedOutput();
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "align-"));
  model = await trainToneModel(directory);
  aligner = await loadAligner(model);
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(() => output.start());
afterEach(() => vi.restoreAllMocks());

function recording(count: number): { samples: Float32Array; text: string } {
  const random = new Random(3, "recording");
  const words = ["A", "BC", "CAB", "BA", "ACB"];
  const text = Array.from({ length: count }, () => words[random.integer(words.length)]!).join(" ");
  return { samples: toneClip(text, random), text };
}

/** The share of characters that were found where they are, to a frame. */
function rightPlaces(text: string, words: readonly { characters: readonly TimedText[] }[]): number {
  const places = [...text].flatMap((character, place) => (character === " " ? [] : [place * LETTER]));
  const found = words.flatMap(({ characters }) => characters);
  expect(found).toHaveLength(places.length);
  const right = found.filter(
    ({ start, end }, i) => start >= places[i]! - 0.02 && end <= places[i]! + LETTER + 0.02,
  );
  return right.length / found.length;
}

async function run(...args: string[]): Promise<number> {
  output.clear();
  return await main(["align", ...args]);
}

/** A file in the directory. */
function file(name: string, samples: Float32Array): string {
  const path = join(directory, name);
  writeFileSync(path, encodeFlac(samples, 16000));
  return path;
}

describe("an aligner", () => {
  it("finds each tone where it is, also in a recording of several windows in blocks", async () => {
    const { samples, text } = recording(160);
    expect(samples.length).toBeGreaterThan(60 * 16000);
    const blocks = Array.from({ length: Math.ceil(samples.length / 7000) }, (_, i) =>
      samples.subarray(i * 7000, (i + 1) * 7000),
    );
    const { transcript, confidence } = await aligner.align(blocks, text);
    expect(transcript.words.map((word) => word.text).join(" ")).toBe(text);
    expect(transcript.end).toBe(samples.length / 16000);
    expect(rightPlaces(text, transcript.words)).toBeGreaterThan(0.97);
    expect(confidence).toBeGreaterThan(0.8);
  });

  it("finds the words around a wildcard where they are without it", async () => {
    const { samples, text } = recording(12);
    const whole = await aligner.align(samples, text);
    const words = text.split(" ");
    const sought = `* ${words.slice(3, 5).join(" ")} * ${words.slice(8).join(" ")}`;
    const { transcript } = await aligner.align(samples, sought);
    expect(transcript.words.map((word) => word.text).join(" ")).toBe(sought);
    const starts = (list: readonly TimedText[]) => list.map(({ start }) => start);
    const found = starts(transcript.words.filter((word) => word.text !== "*"));
    const wanted = starts([...whole.transcript.words.slice(3, 5), ...whole.transcript.words.slice(8)]);
    for (const [i, start] of found.entries()) expect(Math.abs(start - wanted[i]!)).toBeLessThan(0.05);
    expect((await aligner.align(samples, "*")).confidence).toBe(1);
  });

  it("tells where speech is that the text leaves out, and fits worse for it", async () => {
    const { samples, text } = recording(12);
    const whole = await aligner.align(samples, text);
    expect(whole.otherSpeech).toEqual([]);
    const words = text.split(" ");
    for (const [from, to] of [
      [0, 7], // the end is left out
      [5, 12], // the beginning
    ] as const) {
      const part = await aligner.align(samples, words.slice(from, to).join(" "));
      expect(part.fit).toBeLessThan(whole.fit - 0.3);
      expect(part.otherSpeech.length).toBeGreaterThan(0);
      const heard = part.otherSpeech.map((each) => each.text.replaceAll(" ", "")).join("");
      expect(heard.length).toBeGreaterThanOrEqual(3);
      for (const { start, end } of part.otherSpeech) {
        expect(start).toBeLessThan(end);
        expect(end).toBeLessThanOrEqual(samples.length / 16000);
      }
    }
    const free = await aligner.align(samples, `${words.slice(0, 7).join(" ")} *`);
    expect(free.otherSpeech).toEqual([]);
  });

  it("keeps words as they are written", async () => {
    const { samples } = recording(3);
    const { transcript } = await aligner.align(samples, "«Bc, – cab!»", { respell: true });
    expect(transcript.words.map((word) => word.text)).toEqual(["«Bc, –", "cab!»"]);
    expect(transcript.words[1]!.characters.map((character) => character.text)).toEqual(["c", "a", "b"]);
  });

  it("says where a text does not fit its audio", async () => {
    const short = aligner.align(new Float32Array(160), "ABC", { name: "short.wav" });
    await expect(short).rejects.toThrow(
      "the text of short.wav must fit its 0.01 s, which are 1 frame, but needs 3: one for each of 3 labels",
    );
    const one = await aligner.align(new Float32Array(160), "A");
    expect(one.transcript.words[0]).toMatchObject({ start: 0, end: 0.01 });
    await expect(aligner.align(new Float32Array(0), "A", { name: "x" })).rejects.toThrow("x must hold audio");
    const silence = await aligner.align(new Float32Array(32000), "ABC");
    expect(silence.confidence).toBeLessThan(0.3);
  });

  it("is drawn with every word, strip below strip", async () => {
    const { samples, text } = recording(40);
    const alignment = await aligner.align(samples, text);
    const { secondsPerFrame, ctc } = aligner;
    const drawing = { name: "a < b", vocabulary: ctc.tokenizer.vocabulary, secondsPerFrame };
    const svg = alignmentPicture(samples, alignment, drawing);
    expect(svg).toContain(">a &lt; b</text>");
    expect(svg.match(/<g transform/g)).toHaveLength(Math.ceil(transcriptSeconds(samples) / 8));
    const drawn = [...svg.matchAll(/class="word"[^>]*>([^<]*)</g)].map(([, word]) => word);
    expect(drawn.length).toBeGreaterThanOrEqual(40); // a word over the end of a strip is in both
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

function transcriptSeconds(samples: Float32Array): number {
  return samples.length / 16000;
}

describe("wav2vec2 align", () => {
  it("prints words with times, writes what was heard and a picture", async () => {
    const { samples, text } = recording(4);
    const clip = file("clip.flac", samples);
    const [emissions, picture] = [join(directory, "e.safetensors"), join(directory, "p.svg")];
    expect(await run(model, clip, text, "--characters", "--emissions", emissions, "--picture", picture)).toBe(
      0,
    );
    const lines = output.stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.trim().split(/\s+/)[3])).toEqual(
      text.split(" ").flatMap((word) => [word, ...word]),
    );
    expect(lines[0]).toMatch(/^ {4}\d\.\d{3} {4}\d\.\d{3} {2}[01]\.\d{3} {2}\S+$/);
    const heard = await openSafetensors(emissions);
    expect(heard.entries.get("logits")?.shape).toEqual([expect.any(Number), 8]);
    await heard.close();
    expect(readFileSync(picture, "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  it("takes the text from a file and writes any format to one", async () => {
    const { samples, text } = recording(4);
    const clip = file("clip.flac", samples);
    writeFileSync(join(directory, "clip.txt"), `\uFEFF${text.toLowerCase()}\n`);
    const target = join(directory, "clip.json");
    const textFile = ["--text-file", join(directory, "clip.txt")];
    expect(await run(model, clip, ...textFile, "--normalize", "--format", "json", "--output", target)).toBe(
      0,
    );
    expect(output.stdout).toBe("");
    expect(JSON.parse(readFileSync(target, "utf8"))).toMatchObject({
      file: clip,
      text: text.toLowerCase(),
      duration: Math.round((1000 * samples.length) / 16000) / 1000,
    });
    for (const [format, begin] of [
      ["srt", "1\n00:00:00,"],
      ["vtt", "WEBVTT"],
      ["textgrid", 'File type = "ooTextFile"'],
      ["ctm", "clip 1 0."],
    ]) {
      expect(await run(model, clip, text, "--format", format!)).toBe(0);
      expect(output.stdout.startsWith(begin!)).toBe(true);
    }
  });

  it("takes the audio from standard input", async () => {
    const { samples, text } = recording(4);
    const clip = file("piped.flac", samples);
    expect(await run(model, clip, text)).toBe(0);
    const program = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));
    const command = `'${process.execPath}' '${program}' align '${model}' - '${text}' < '${clip}'`;
    expect(execSync(command, { encoding: "utf8" })).toBe(output.stdout);
  });

  it("aligns a corpus clip by clip, and one that cannot be does not stop the others", async () => {
    await writeToneCorpus(join(directory, "other"), { dev: 4 });
    const clips = join(directory, "other/dev/1/1");
    const lines = readFileSync(join(clips, "1-1.trans.txt"), "utf8").trim().split("\n");
    lines[1] = `${lines[1]!.split(" ")[0]} AXA`;
    writeFileSync(join(clips, "1-1.trans.txt"), `${lines.join("\n")}\n`);
    writeFileSync(join(clips, "1-1-0002.flac"), "nothing");
    const target = join(directory, "grids");
    const args = ["--data", join(directory, "other"), "--split", "dev", "--output", target];
    expect(await run(model, ...args, "--format", "textgrid")).toBe(1);
    expect(readdirSync(target).sort()).toEqual(["1-1-0000.TextGrid", "1-1-0003.TextGrid"]);
    expect(output.stdout).toMatch(/^([01]\.\d{3}\t){2}1-1-0000\n([01]\.\d{3}\t){2}1-1-0003\n$/);
    expect(output.stderr).toContain('utterance 1-1-0001 must be in the vocabulary, but "X" is not');
    expect(output.stderr).toContain("1-1-0002.flac");
  });

  it("keeps a corpus's files within the directory", async () => {
    const folder = join(directory, "manifest");
    mkdirSync(folder);
    const { samples, text } = recording(2);
    writeFileSync(join(folder, "clip.flac"), encodeFlac(samples, 16000));
    const row = JSON.stringify({ id: "../escaped", audio: "clip.flac", text });
    writeFileSync(join(folder, "all.jsonl"), `${row}\n`);
    const target = join(directory, "within");
    expect(await run(model, "--data", join(folder, "all.jsonl"), "--output", target)).toBe(1);
    expect(readdirSync(directory)).not.toContain("escaped.txt");
    expect(output.stderr).toContain("../escaped");
  });

  it("says where more was said than the text has", async () => {
    const { samples, text } = recording(12);
    const clip = file("half.flac", samples);
    expect(await run(model, clip, text)).toBe(0);
    expect(output.stderr).toBe("");
    expect(await run(model, clip, text.split(" ").slice(0, 6).join(" "))).toBe(0);
    expect(output.stderr).toMatch(
      /half\.flac seems to have speech that the text has not.*: \d+\.\d\d to \d+\.\d\d s \("/,
    );
    expect(await run(model, clip, "--normalize", "--", `- ${text}`)).toBe(0);
  });

  it("refuses what it cannot do, with the reason", async () => {
    const { samples } = recording(2);
    const clip = file("clip.flac", samples);
    for (const [args, code, message] of [
      [[], 2, "an audio file or --data must be given, but is missing."],
      [[clip], 2, "the text must be given behind the audio file or by --text-file, but is missing."],
      [[clip, "A", "--text-file", "x"], 2, "the text must be given once"],
      [[clip, "A", "--split", "dev"], 2, "--split must stand with --data"],
      [["--data", directory], 2, "--output must name a directory with --data, but is missing."],
      [[clip, "--data", directory, "--output", "x"], 2, "--data must stand without an audio file"],
      [["--data", directory, "--output", "x", "--picture", "y"], 2, "--picture must stand without --data"],
      [["-", "-"], 2, "standard input must be the audio or the text, but is given as both."],
      [["-", "A", "--picture", "y"], 2, "--picture must stand with an audio file, but stands with -."],
      [[clip, " "], 1, `the text of ${clip} must hold a word, but is empty.`],
      [
        [clip, "abc"],
        1,
        'but "a", "b", "c" are not. Normalize the text (--normalize), which changes its case',
      ],
      [[clip, "A 5"], 1, 'but "5" is not. Write numbers as words, as they were said'],
      [[clip, "- ABC"], 2, "What begins with - and is no option must stand behind --"],
      [[clip, "ABC ".repeat(99)], 1, "Is it the text of this recording?"],
      [[join(directory, "none.wav"), "A"], 1, "none.wav must be an audio file, but does not exist."],
      [[clip, "A", "--output", join(directory, "no/where")], 1, "must be a directory to write"],
      [
        [clip, "--text-file", join(directory, "none.txt")],
        1,
        "none.txt must be a text file, but does not exist.",
      ],
    ] as [string[], number, string][]) {
      expect(await run(model, ...args), args.join(" ")).toBe(code);
      expect(output.stderr).toContain(message);
      expect(output.stdout).toBe("");
    }
  });
});
