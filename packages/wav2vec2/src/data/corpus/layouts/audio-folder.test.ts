import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { corpusDirectory, flac, wav } from "../../../../test/fixtures/corpus-fixture.js";
import { readSplits } from "../../check/read-splits.js";
import { type CorpusOptions, listSplits, readCorpus } from "../corpus.js";
import { listAudio } from "./audio-folder.js";

let { root, put, cache } = corpusDirectory();
beforeEach(() => {
  ({ root, put, cache } = corpusDirectory());
  put("train/a.flac", flac(1600));
  put("train/a.txt", "ONE\r\nTWO\n");
  put("train/deep/er/b ü.WAV", wav(800));
  put("train/deep/er/b ü.txt", "\ufeffTHREE");
  put("train/README.txt", "nothing of a clip");
  put("train/._a.flac", "of macOS");
  put("dev/c.flac", flac(400));
  put("notes/todo.txt", "");
});

const ids = async (split: string | undefined, options: CorpusOptions = {}, at = root) =>
  (await readCorpus(at, split, { cache, ...options })).utterances.map(({ id }) => id);
const problems = async (split: string, options: CorpusOptions = {}) =>
  (await readCorpus(root, split, { cache, onProblem: "skip", ...options })).problems;

describe("directories of audio files", () => {
  it("find transcripts whose names have letters in another form", async () => {
    put("forms/cafe\u0301.flac", flac(1600)); // as macOS names files
    put("forms/caf\u00e9.txt", "ONE");
    put("forms/the\u0301.flac", flac(1600));
    put("forms/transcripts.txt", "th\u00e9 TWO\n");
    const { utterances } = await readCorpus(root, "forms", { cache });
    expect(utterances.map(({ text }) => text)).toEqual(["ONE", "TWO"]);
  });

  it("are splits, with transcripts beside the files", async () => {
    expect(await listSplits(root)).toEqual(["dev", "train"]);
    const { utterances } = await readCorpus(root, "train", { cache });
    expect(utterances).toEqual([
      { id: "a", path: join(root, "train/a.flac"), samples: 1600, seconds: 0.1, text: "ONE TWO" },
      {
        id: "deep/er/b ü",
        path: join(root, "train/deep/er/b ü.WAV"),
        samples: 800,
        seconds: 0.05,
        text: "THREE",
      },
    ]);
  });

  it("are read without a split too, and without transcripts", async () => {
    expect(await ids(undefined, {}, join(root, "train"))).toEqual(["a", "deep/er/b ü"]);
    expect(await ids(undefined, { transcripts: "none" })).toEqual(["dev/c", "train/a", "train/deep/er/b ü"]);
  });

  it("must have names in UTF-8, which is said once", async () => {
    const [directory, slash] = [join(root, "train"), Buffer.from("/")];
    for (const letter of [0xe9, 0xe8])
      for (const [ending, data] of [
        [".flac", flac(400)],
        [".txt", "NINE"],
      ] as const) {
        const name = Buffer.concat([Buffer.from("caf"), Buffer.of(letter), Buffer.from(ending)]);
        writeFileSync(Buffer.concat([Buffer.from(directory), slash, name]), data);
      }
    put("train/lost \ufffd.flac", flac(400)); // a good name, though not a pretty one
    put("train/lost \ufffd.txt", "LOST");
    expect(await ids("train", { onProblem: "skip" })).toEqual(["a", "deep/er/b ü", "lost \ufffd"]);
    const found = await problems("train");
    expect(found).toMatchObject([{ id: "", file: directory, kind: "undecodable-name" }]);
    const message = `4 names are not UTF-8 in ${directory} (the first: caf\\xe8.flac). Rename what`;
    expect(found[0]!.message).toContain(message);
    expect(found[0]!.message).toContain(`convmv -f latin1 -t utf8 -r --notest ${directory}`);
    await expect(listAudio(directory)).rejects.toThrow(message);
    put("train/cafe\u0301 2.flac", flac(400));
    const rows = put("rows.jsonl", '{"audio":"train/caf\u00e9.flac"}\n{"audio":"train/caf\u00e9 2.flac"}\n');
    const missing = await readCorpus(rows, undefined, { cache, transcripts: "none", onProblem: "skip" });
    expect(missing.problems.map((each) => each.message)).toEqual([
      expect.stringContaining("another Unicode form: convmv -f utf8 -t utf8 --nfc"),
      expect.stringContaining("convmv -f latin1"),
    ]);
    await expect(listAudio(join(directory, "caf\ufffd"))).rejects.toThrow("must have a name in UTF-8");
  });

  it("may be of any rate", async () => {
    put("dev/c.flac", flac(44100, 44100));
    const { utterances } = await readCorpus(root, "dev", { cache, transcripts: "none" });
    expect(utterances).toMatchObject([{ id: "c", samples: 16000, seconds: 1 }]);
  });

  it.each<[string, () => void, string, string]>([
    ["no transcript", () => {}, "audio-without-transcript", "c.flac must have a transcript, but there is no"],
    [
      "an empty transcript",
      () => put("dev/c.txt", " \n"),
      "transcript-without-text",
      "c.txt must hold a transcript",
    ],
    [
      "a transcript that is no text",
      () => put("dev/c.txt", Uint8Array.of(0xff)),
      "unreadable-transcripts",
      "UTF-8",
    ],
    [
      "a transcript with a NUL",
      () => put("dev/c.txt", "A\0"),
      "invalid-text",
      "c.txt must be text, but holds a NUL",
    ],
    [
      "a name twice",
      () => ["dev/c.txt", "dev/c.wav"].map((name) => put(name, name.endsWith("txt") ? "C" : wav(400))),
      "duplicate-id",
      "c.wav: utterance c must stand once, but stands at",
    ],
    [
      "a link that leads nowhere",
      () => {
        put("dev/c.txt", "C");
        put("dev/d.txt", "D");
        symlinkSync("nowhere.flac", join(root, "dev/d.flac"));
      },
      "missing-audio",
      "d.flac must be an audio file, but does not exist",
    ],
  ])("%s", async (_, spoil, kind, message) => {
    spoil();
    expect(await problems("dev")).toMatchObject([{ kind, message: expect.stringContaining(message) }]);
    await expect(ids("dev")).rejects.toThrow(message);
  });
});

describe("recordings in formats that are not read", () => {
  beforeEach(() => {
    const bytes = {
      "x.wave": wav(800),
      "x.m4a": "\0\0\0\x1cftypM4A ",
      "y z.m4a": "\0\0\0\x1cftypM4A ",
      "w.amr": "#!AMR\n",
    };
    for (const [name, data] of Object.entries(bytes)) put(`phone/${name}`, data);
    for (const stem of ["x", "y z", "w"]) put(`phone/${stem}.txt`, "NINE");
  });

  it("are problems with the command that converts them", async () => {
    expect(await ids("phone", { onProblem: "skip" })).toEqual(["x"]);
    const file = join(root, "phone/y z.m4a");
    expect(await problems("phone")).toMatchObject([
      { id: "w", kind: "corrupt-header" },
      {
        id: "y z",
        file,
        kind: "corrupt-header",
        message: expect.stringContaining(`ffmpeg -i '${file}' OUTPUT.flac`),
      },
    ]);
    await expect(ids("phone")).rejects.toThrow("Convert it with");
  });

  it("are listed for who reads a directory", async () => {
    const names = ["w.amr", "x.wave", "y z.m4a"];
    expect(await listAudio(join(root, "phone"))).toEqual(names.map((name) => join(root, "phone", name)));
  });
});

it("audio beside the splits is a problem of them all", async () => {
  put("stray.flac", flac(400));
  const read = await readSplits(root, { transcripts: "none" });
  expect(read.flatMap(({ problems }) => problems)).toMatchObject([
    {
      id: "stray",
      kind: "misplaced-audio",
      message: expect.stringContaining("must lie in the directory of a split"),
    },
  ]);
  expect((await readSplits(root, { splits: ["dev"], transcripts: "none" }))[0]!.problems).toEqual([]);
});

it("names beside the splits that are not UTF-8 are a problem of them all", async () => {
  const place = Buffer.concat([Buffer.from(`${root}/sp`), Buffer.of(0xe9), Buffer.from("cial")]);
  mkdirSync(place);
  writeFileSync(Buffer.concat([place, Buffer.from("/a.flac")]), flac(400));
  const read = await readSplits(root, { transcripts: "none" });
  expect(read.flatMap(({ problems }) => problems)).toMatchObject([
    { kind: "undecodable-name", message: expect.stringContaining("(the first: sp\\xe9cial). Rename what") },
  ]);
});

describe("recordings whose names do not end as audio's", () => {
  beforeEach(() => {
    for (const name of ["take.1", "take.2", "plain", "call.dat"]) put(`odd/${name}`, wav(400));
    for (const [name, text] of [
      ["take.1.txt", "ONE"],
      ["take.2.txt", "TWO"],
      ["plain.txt", "A"],
      ["call.txt", "B"],
    ] as const)
      put(`odd/${name}`, text);
    put("odd/known.wav", wav(400));
    put("odd/known.txt", "C");
    for (const name of ["known.wav.bak", "known.wav~", "known.old"]) put(`odd/${name}`, wav(400));
    put("odd/README", "nothing");
    put("odd/weights.bin", Uint8Array.of(0xff, 0xfb, 0x90, 0, 1, 2, 3));
    put("odd/page", "<html></html>");
  });

  it("are found by their contents, copies beside a recording left out", async () => {
    const { utterances } = await readCorpus(root, "odd", { cache });
    expect(utterances.map(({ id, text }) => [id, text])).toEqual([
      ["call.dat", "B"],
      ["known", "C"],
      ["plain", "A"],
      ["take.1", "ONE"],
      ["take.2", "TWO"],
    ]);
    expect(await listAudio(join(root, "odd"))).toHaveLength(5);
  });

  it("make a directory one of audio", async () => {
    put("bare/only", wav(400));
    expect(await listSplits(root)).toContain("bare");
  });

  it("beside the splits are misplaced", async () => {
    put("stray", flac(400));
    const read = await readSplits(root, { transcripts: "none" });
    expect(read.flatMap(({ problems }) => problems)).toMatchObject([
      { id: "stray", kind: "misplaced-audio" },
    ]);
  });
});

describe("links", () => {
  it("in a circle end, and each directory is read once, by its own name", async () => {
    symlinkSync("..", join(root, "train/deep/up")); // a parent within
    symlinkSync(root, join(root, "train/above")); // above the split
    symlinkSync(join(root, "train/deep"), join(root, "train/also-deep"));
    symlinkSync("itself", join(root, "train/itself"));
    expect(await ids("train")).toEqual(["a", "deep/er/b ü"]);
  });

  it("lead to directories elsewhere", async () => {
    symlinkSync(join(root, "dev"), join(root, "train/z"));
    symlinkSync(join(root, "train/deep"), join(root, "alone"));
    expect(await ids("train", { transcripts: "none" })).toEqual(["a", "deep/er/b ü", "z/c"]);
    expect(await ids("alone")).toEqual(["er/b ü"]);
  });
});

// Root may read everything: the test becomes somebody else meanwhile.
const { getuid, seteuid } = process;
const canBeOther = getuid?.() === 0 && seteuid !== undefined;
describe.skipIf(getuid?.() === 0 && !canBeOther)("directories that may not be read", () => {
  async function asOther<T>(run: () => Promise<T>): Promise<T> {
    if (!canBeOther) return run();
    chmodSync(root, 0o777);
    process.seteuid?.(65534);
    try {
      return await run();
    } finally {
      process.seteuid?.(0);
    }
  }

  it("are a problem, and the rest is found", async () => {
    put("train/secret/x.flac", flac(400));
    chmodSync(join(root, "train/secret"), 0o000);
    await asOther(async () => {
      expect(await problems("train")).toEqual([
        {
          id: "secret",
          file: join(root, "train/secret"),
          kind: "unreadable-directory",
          message: `${join(root, "train/secret")} must be a directory, but may not be read by this user.`,
        },
      ]);
      expect(await ids("train", { onProblem: "skip" })).toEqual(["a", "deep/er/b ü"]);
      await expect(ids("train")).rejects.toThrow("may not be read by this user");
    });
    chmodSync(join(root, "train/secret"), 0o700);
  });

  it("of LibriSpeech's layout are a problem too", async () => {
    put("libri/1/2/1-2-0000.flac", flac(400));
    put("libri/1/2/1-2.trans.txt", "1-2-0000 ONE\n");
    mkdirSync(join(root, "libri/1/3"));
    writeFileSync(join(root, "libri/1/3/1-3.trans.txt"), "");
    chmodSync(join(root, "libri/1/3"), 0o000);
    await asOther(async () => {
      expect(await ids("libri", { onProblem: "skip" })).toEqual(["1-2-0000"]);
      expect(await problems("libri")).toMatchObject([{ id: "1-3", kind: "unreadable-directory" }]);
    });
    chmodSync(join(root, "libri/1/3"), 0o700);
  });
});
