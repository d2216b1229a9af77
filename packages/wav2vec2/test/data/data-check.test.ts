import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { readCorpus } from "../../src/data/corpus/corpus.js";
import { Random } from "../../src/data/random.js";
import { temporaryDirectory } from "../fixtures/temporary-directory.js";

// The compiled program, as users run it.
const program = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(cwd: string, ...args: string[]): Promise<Ran> {
  const env = { ...process.env, WAV2VEC2_CACHE: join(cwd, "cache") };
  return promisify(execFile)(process.execPath, [program, "data", ...args], { cwd, env }).then(
    (output) => ({ code: 0, ...output }),
    (error: Ran) => error,
  );
}

/** Noise with pauses, over the whole band, unlike any other. */
function clip(name: string, samples = 16000): Float32Array {
  const random = new Random(1, name);
  return Float32Array.from({ length: samples }, (_, t) =>
    t % 4000 < 500 ? 0 : 0.3 * (random.uniform() - 0.5),
  );
}

const flac = (samples: Float32Array, rate = 16000) => encodeFlac(samples, rate);

async function writeSplit(root: string, split: string, clips: Record<string, Uint8Array>, lines: string[]) {
  const directory = join(root, split, "1", "1");
  await mkdir(directory, { recursive: true });
  for (const [id, bytes] of Object.entries(clips)) await writeFile(join(directory, `${id}.flac`), bytes);
  await writeFile(join(directory, "1-1.trans.txt"), lines.map((line) => `${line}\n`).join(""));
  return directory;
}

async function writeCleanSplit(root: string, split: string, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, i) => `1-1-${String(i).padStart(4, "0")}`);
  const clips = Object.fromEntries(ids.map((id) => [id, flac(clip(`${split} ${id}`))]));
  await writeSplit(
    root,
    split,
    clips,
    ids.map((id) => `${id} HELLO YOU`),
  );
}

/** 24 bits, two channels. */
function stereoWav(samples: Float32Array, rate: number): Uint8Array {
  const header = Buffer.alloc(44);
  const size = samples.length * 6;
  header.write("RIFF");
  header.writeUInt32LE(36 + size, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(2, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 6, 28);
  header.writeUInt16LE(6, 32);
  header.writeUInt16LE(24, 34);
  header.write("data", 36);
  header.writeUInt32LE(size, 40);
  const data = Buffer.alloc(size);
  for (const [i, sample] of samples.entries()) {
    data.writeIntLE(Math.round(sample * 2 ** 23), i * 6, 3);
    data.writeIntLE(Math.round(sample * 2 ** 22), i * 6 + 3, 3);
  }
  return Buffer.concat([header, data]);
}

function changed(bytes: Uint8Array, at: number, length = 1): Uint8Array {
  return bytes.map((byte, i) => (i >= at && i < at + length ? byte ^ 0x55 : byte));
}

const MD5_OF_STREAMINFO = 26;

/** One clip of every fault, and what it should be found as; the first is good. */
function faultyClips(): { clips: Record<string, Uint8Array>; lines: string[]; expected: string[][] } {
  const good = flac(clip("good"));
  const loud = clip("loud").map((sample) => Math.max(-1, Math.min(1, sample * 10)));
  const clips = {
    good,
    corrupt: changed(flac(clip("corrupt")), 9000, 8),
    md5: changed(flac(clip("md5")), MD5_OF_STREAMINFO),
    empty: new Uint8Array(0),
    cut: flac(clip("cut")).slice(0, 12000),
    noise: new TextEncoder().encode("not audio at all, but a page that says 404"),
    silent: flac(new Float32Array(16000).fill(0.25)),
    hush: flac(clip("hush").map((sample) => sample / 400)),
    clipped: flac(loud),
    copy: good,
    other: flac(clip("twice")),
    another: flac(clip("twice")),
    untold: flac(clip("untold")),
    wordless: flac(clip("wordless")),
    twofold: flac(clip("twofold")),
    accent: flac(clip("accent")),
    control: flac(clip("control")),
  };
  const names = Object.keys(clips);
  const id = (name: string) => `1-1-${String(names.indexOf(name)).padStart(4, "0")}`;
  const lines = names
    .filter((name) => !["untold", "wordless", "accent", "control", "another"].includes(name))
    .map((name) => `${id(name)} HELLO YOU`);
  lines.push(
    `${id("wordless")}`,
    `${id("twofold")} HELLO AGAIN`,
    `${id("accent")} CAFÉ`,
    `${id("control")} HELLO\u0007YOU`,
    `${id("another")} GOODBYE`,
    "1-1-9999 NO AUDIO",
  );
  return {
    clips: Object.fromEntries(Object.entries(clips).map(([name, bytes]) => [id(name), bytes])),
    lines,
    expected: [
      [id("corrupt"), "corrupt-audio"],
      [id("md5"), "corrupt-audio"],
      [id("empty"), "empty-file"],
      [id("cut"), "truncated-audio"],
      [id("noise"), "corrupt-header"],
      [id("silent"), "silent"],
      [id("hush"), "silent"],
      [id("clipped"), "clipped"],
      [id("copy"), "duplicate-audio"],
      [id("other"), "contradictory-transcripts"],
      [id("another"), "contradictory-transcripts"],
      [id("untold"), "audio-without-transcript"],
      [id("wordless"), "transcript-without-text"],
      [id("twofold"), "duplicate-id"],
      [id("control"), "control-character"],
      ["1-1-9999", "transcript-without-audio"],
    ],
  };
}

interface Found {
  utterances: number;
  problems: { id: string; file: string; kind: string; message: string }[];
  remarks: { id: string; kind: string; message: string }[];
}

const kinds = (found: Found["problems"]) => found.map(({ id, kind }) => [id, kind]).sort();

describe("data check", () => {
  it("finds each fault as what it is, and nothing else", async () => {
    const directory = await temporaryDirectory("check");
    const { clips, lines, expected } = faultyClips();
    await writeSplit(join(directory, "corpus"), "train", clips, lines);
    const { code, stdout } = await run(directory, "check", "corpus", "--json");
    expect(code).toBe(1);
    const found = JSON.parse(stdout) as Found;
    expect(kinds(found.problems)).toEqual(expected.sort());
    expect(found.remarks).toEqual([]);
    for (const { file, message } of found.problems) {
      expect(message).toMatch(/^[^\n]+$/);
      expect(file).toContain("corpus");
    }
  });

  it("finds characters outside a vocabulary, and then no control characters", async () => {
    const directory = await temporaryDirectory("check");
    await writeCleanSplit(join(directory, "corpus"), "train", 2);
    const transcripts = join(directory, "corpus/train/1/1/1-1.trans.txt");
    await writeFile(transcripts, "1-1-0000 HELLO YOU\n1-1-0001 hello you\n");
    const tokens = ["<pad>", "<s>", "</s>", "<unk>", "|", ..."HELOYU"];
    await writeFile(
      join(directory, "vocab.json"),
      JSON.stringify(Object.fromEntries(tokens.map((t, i) => [t, i]))),
    );
    for (const option of [
      ["--vocabulary", "vocab.json"],
      ["--model", "."],
    ]) {
      const { code, stdout } = await run(directory, "check", "corpus", ...option, "--json");
      expect(code).toBe(1);
      const { problems } = JSON.parse(stdout) as Found;
      expect(kinds(problems)).toEqual([["1-1-0001", "unknown-character"]]);
      expect(problems[0]!.message).toMatch(/"h" \(U\+0068\).*Write it in upper case\.$/);
    }
    expect((await run(directory, "check", "corpus")).code).toBe(0);
  });

  it("is content with a clean corpus, in which splits may list clips of others", async () => {
    const directory = await temporaryDirectory("check");
    const root = join(directory, "corpus");
    await writeCleanSplit(root, "train", 40);
    await mkdir(join(root, "splits"));
    await writeFile(join(root, "splits/few.txt"), "1-1-0000\n1-1-0001\n");
    const { code, stdout, stderr } = await run(directory, "check", "corpus", "--workers", "1");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^40 utterances can be read, 0\.01 hours, 40 of them without a problem; 0 problems in all; checked in/,
    );
    expect(stdout).toContain("7 characters: L O H E space Y U");
    expect(stdout).toContain("No problems.");
    expect(stdout).not.toContain("Remarks");
    expect(stderr).toBe("");
  });

  it("remarks on audio that is resampled, whatever its name, and follows no link in circles", async () => {
    const directory = await temporaryDirectory("check");
    const folder = join(directory, "own recordings/Übung 1");
    await mkdir(folder, { recursive: true });
    for (const name of ["so wie ä", "日本 語"]) {
      await writeFile(join(folder, `${name}.wav`), stereoWav(clip(name, 48000), 48000));
      await writeFile(join(folder, `${name}.txt`), "HELLO\n");
    }
    await symlink("..", join(folder, "loop"));
    const { code, stdout } = await run(directory, "check", "own recordings", "--json");
    const { utterances, problems, remarks } = JSON.parse(stdout) as Found;
    expect(problems).toEqual([]);
    expect(code).toBe(0);
    expect(utterances).toBe(2);
    expect(remarks.map(({ kind }) => kind)).toEqual(["resampled", "resampled"]);
    expect(remarks[0]!.message).toMatch(
      /Übung 1.*\.wav is at 48000 Hz: it is resampled to 16000 Hz and its 2 channels are averaged\.$/,
    );
  });

  it("writes lists with which the rest is read without an error", async () => {
    const directory = await temporaryDirectory("check");
    const root = join(directory, "corpus");
    const { clips, lines, expected } = faultyClips();
    await writeSplit(root, "train", clips, lines);
    const { code, stdout } = await run(
      ...([directory, "check", "corpus", "--exclude-to", "bad.txt", "--manifest", "good.jsonl"] as const),
    );
    expect(code).toBe(1);
    expect(stdout).toContain("Exclude list  bad.txt (16 to leave out)");
    expect(stdout).toMatch(/^ {2}corrupt-audio +2$/m);
    const list = await readFile(join(directory, "bad.txt"), "utf8");
    expect(list).toMatch(/^1-1-0006 {2}# silent: .*all its samples are equal\.$/m);
    const options = { exclude: join(directory, "bad.txt"), cache: false } as const;
    const { utterances } = await readCorpus(root, "train", options);
    const bad = new Set(expected.map(([id]) => id));
    expect(utterances.map(({ id }) => id)).toEqual(Object.keys(clips).filter((id) => !bad.has(id)));
    const listed = await readCorpus(join(directory, "good.jsonl"), undefined, { cache: false });
    expect(listed.utterances.map(({ id }) => id)).toEqual(utterances.map(({ id }) => id));
    const ofSplit = await readCorpus(join(directory, "good.jsonl"), "train", { cache: false });
    expect(ofSplit.utterances).toHaveLength(utterances.length); // it keeps the splits
  });

  it("does not mix clips of two splits up in a manifest", async () => {
    const directory = await temporaryDirectory("check");
    await writeCleanSplit(join(directory, "corpus"), "train", 1);
    await writeCleanSplit(join(directory, "corpus"), "dev", 1);
    const { code, stderr } = await run(directory, "check", "corpus", "--manifest", "all.csv");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^all\.csv must hold each id once, but 1-1-0000 is .*Check one split with --split\.$/m,
    );
  });

  it("does without transcripts, and without decoding", async () => {
    const directory = await temporaryDirectory("check");
    await writeSplit(join(directory, "corpus"), "train", { "1-1-0000": flac(clip("a")).slice(0, 9000) }, []);
    const options = ["check", "corpus", "--no-transcripts", "--json"];
    const headers = await run(directory, ...options, "--headers-only");
    expect(headers.code).toBe(0);
    const { stdout } = await run(directory, ...options);
    expect(kinds((JSON.parse(stdout) as Found).problems)).toEqual([["1-1-0000", "truncated-audio"]]);
  });

  it("says what is wrong with its arguments before it decodes", async () => {
    const directory = await temporaryDirectory("check");
    await writeCleanSplit(join(directory, "corpus"), "train", 1);
    for (const [options, code, message] of [
      [["corpus", "--split", "tran"], 1, /split must be one of train/],
      [["list.jsonl", "--manifest", "./list.jsonl"], 1, /must be another file than the one that is read/],
      [["corpus", "--manifest", "list.txt"], 2, /must end in \.jsonl, \.csv or \.tsv/],
      [["corpus", "--exclude-to", "nowhere/bad.txt"], 1, /nowhere must be a directory/],
      [["corpus", "--vocabulary", "none.json"], 1, /none\.json must be a vocab\.json, but does not exist/],
      [["missing"], 1, /missing must be/],
    ] as const) {
      const result = await run(directory, "check", ...options);
      expect(result.stderr).toMatch(message);
      expect(result.stdout).toBe("");
      expect(result.code).toBe(code);
    }
  });

  it("stops at Ctrl+C with 130 and writes nothing", async () => {
    const directory = await temporaryDirectory("check");
    const bytes = flac(clip("long", 16000 * 60)); // 600 of them take one thread some seconds
    await writeSplit(
      join(directory, "corpus"),
      "train",
      Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`1-1-${String(i).padStart(4, "0")}`, bytes])),
      [],
    );
    const args = ["data", "check", "corpus", "--no-transcripts", "--workers", "1", "--exclude-to", "bad.txt"];
    const child = spawn(process.execPath, [program, ...args], {
      cwd: directory,
      env: { ...process.env, WAV2VEC2_CACHE: join(directory, "cache") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data) => {
      stdout += data;
    });
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
    // The index is written once all headers are read.
    while (!existsSync(join(directory, "cache"))) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGINT");
    expect(await exit).toBe(130);
    expect(stderr).toContain("Interrupted. Nothing is written.");
    expect(stdout).toBe("");
    await expect(readFile(join(directory, "bad.txt"))).rejects.toThrow("ENOENT");
  });
});

describe("data stats", () => {
  it("tells and draws what there is", async () => {
    const directory = await temporaryDirectory("stats");
    await writeCleanSplit(join(directory, "corpus"), "train", 5);
    await writeCleanSplit(join(directory, "corpus"), "dev", 2);
    const { code, stdout } = await run(directory, "stats", "corpus", "--svg", "a.svg", "--json");
    expect(code).toBe(0);
    const stats = JSON.parse(stdout) as { name: string; utterances: number; duration: { mean: number } }[];
    expect(stats.map(({ name, utterances }) => [name, utterances])).toEqual([
      ["dev", 2],
      ["train", 5],
    ]);
    expect(stats[0]!.duration.mean).toBe(1);
    expect(await readFile(join(directory, "a.svg"), "utf8")).toMatch(
      /^<svg .*train: 5 utterances.*<\/svg>$/s,
    );
    const text = await run(directory, "stats", "corpus", "--split", "dev");
    expect(text.stdout).toMatch(/words +4, 2 different/);
    expect(text.stdout).toMatch(/1 to 1\.05 s {2}2 {2}█{40}/);
  });

  it("needs no transcripts, and says what it left out", async () => {
    const directory = await temporaryDirectory("stats");
    await writeSplit(join(directory, "corpus"), "train", { "1-1-0000": flac(clip("a")) }, []);
    expect((await run(directory, "stats", "corpus")).stderr).toMatch(
      /must hold utterances, but holds none that can/,
    );
    const { code, stdout } = await run(directory, "stats", "corpus", "--no-transcripts");
    expect(code).toBe(0);
    expect(stdout).not.toContain("words");
    await writeSplit(join(directory, "corpus"), "train", { "1-1-0001": flac(clip("b")) }, ["1-1-0001 B"]);
    const { stderr } = await run(directory, "stats", "corpus");
    expect(stderr).toBe(
      "1 problem was found; what it concerns is left out. 'wav2vec2 data check' lists it.\n",
    );
  });
});
