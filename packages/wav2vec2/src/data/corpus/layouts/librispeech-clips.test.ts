import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { sharedData } from "../../../../test/fixtures/shared-data.js";
import { readAudio } from "../../../audio/audio-file.js";
import { encodeFlac } from "../../../audio/flac/flac-writer.js";
import { UserError } from "../../../errors.js";
import { readCorpus } from "../corpus.js";
import { listSplits } from "../corpus-splits.js";

let root: string;
const put = async (path: string, contents: string | Uint8Array) => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), contents);
};
/** Utterances in LibriSpeech's layout, the first problem thrown. */
const read = async (directory: string, split: string) => (await readCorpus(directory, split)).utterances;
const clip = (samples: number, rate = 16000) => encodeFlac(new Int16Array(samples).fill(3), rate);

// dev: speakers 9 and 10, 3 utterances
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "corpus-"));
  await put("LibriSpeech/dev/9/1/9-1-0000.flac", clip(16000));
  await put("LibriSpeech/dev/9/1/9-1-0001.flac", clip(8000));
  await put("LibriSpeech/dev/9/1/9-1.trans.txt", "9-1-0000 ONE  TWO\r\n9-1-0001 THREE\r\n\r\n");
  await put("LibriSpeech/dev/10/2/10-2-0000.flac", clip(400));
  await put("LibriSpeech/dev/10/2/10-2.trans.txt", "10-2-0000 FOUR\n");
  await put("LibriSpeech/README.TXT", "");
});

describe("LibriSpeech's layout", () => {
  it("may hold audio of any rate, with its length at 16 kHz", async () => {
    await put("LibriSpeech/dev/10/2/10-2-0000.flac", clip(44100, 44100));
    const [utterance] = await read(root, "dev");
    expect(utterance).toMatchObject({ id: "10-2-0000", samples: 16000, seconds: 1 });
    expect(await readAudio(utterance!.path)).toHaveLength(16000);
  });

  it("reads utterances sorted by id", async () => {
    const utterances = await read(root, "dev");
    expect(utterances).toEqual([
      {
        id: "10-2-0000",
        speaker: "10",
        chapter: "2",
        path: join(root, "LibriSpeech/dev/10/2/10-2-0000.flac"),
        samples: 400,
        seconds: 0.025,
        text: "FOUR",
      },
      expect.objectContaining({ id: "9-1-0000", speaker: "9", chapter: "1", seconds: 1, text: "ONE TWO" }),
      expect.objectContaining({ id: "9-1-0001", samples: 8000, text: "THREE" }),
    ]);
  });

  it("takes the directory that holds the splits too, and links", async () => {
    expect(await read(join(root, "LibriSpeech"), "dev")).toHaveLength(3);
    await symlink(join(root, "LibriSpeech/dev"), join(root, "LibriSpeech/linked"));
    expect(await read(root, "linked")).toHaveLength(3);
  });

  it("names the splits that exist, nearest first", async () => {
    await put("LibriSpeech/train-clean-100/1/1/1-1.trans.txt", "");
    await put("LibriSpeech/test/1/1/1-1.trans.txt", "");
    await mkdir(join(root, "LibriSpeech/notes"));
    expect(await listSplits(root)).toEqual(["dev", "test", "train-clean-100"]);
    await expect(read(root, "tst")).rejects.toThrow(
      `split must be one of test, dev, train-clean-100 (in ${root}), but is "tst".`,
    );
    await expect(read(root, "../../dev")).rejects.toThrow(UserError);
  });

  it("says what is missing under the root", async () => {
    await expect(read(join(root, "nowhere"), "dev")).rejects.toThrow(
      `${join(root, "nowhere")} must be a directory, but does not exist.`,
    );
    await expect(read(join(root, "LibriSpeech/dev/9/1"), "dev")).rejects.toThrow(
      "must hold LibriSpeech/<split>/<speaker>/<chapter>/",
    );
    await mkdir(join(root, "LibriSpeech/empty/1/1"), { recursive: true });
    await put("LibriSpeech/empty/1/1/1-1.trans.txt", "\n");
    await expect(read(root, "empty")).rejects.toThrow(
      `split empty in ${root} must hold utterances, but holds no .flac file.`,
    );
  });
});

describe("problems", () => {
  const dev = (path: string) => join(root, "LibriSpeech/dev", path);
  const cases: [string, () => Promise<void>, { id: string; file: string; kind: string; message: string }][] =
    [
      [
        "a transcript without audio",
        () => rm(dev("9/1/9-1-0001.flac")),
        {
          id: "9-1-0001",
          file: "9/1/9-1.trans.txt",
          kind: "transcript-without-audio",
          message: "9-1.trans.txt:2: utterance 9-1-0001 must have audio at",
        },
      ],
      [
        "audio without a transcript",
        () => put("LibriSpeech/dev/9/1/9-1-0002.flac", clip(800)),
        {
          id: "9-1-0002",
          file: "9/1/9-1-0002.flac",
          kind: "audio-without-transcript",
          message: "9-1.trans.txt has no line for 9-1-0002",
        },
      ],
      [
        "a chapter without transcripts",
        () => rm(dev("10/2/10-2.trans.txt")),
        {
          id: "10-2",
          file: "10/2/10-2.trans.txt",
          kind: "unreadable-transcripts",
          message: "but does not exist",
        },
      ],
      [
        "transcripts that are no text",
        () => put("LibriSpeech/dev/10/2/10-2.trans.txt", Uint8Array.of(0x31, 0xff, 0xfe)),
        {
          id: "10-2",
          file: "10/2/10-2.trans.txt",
          kind: "unreadable-transcripts",
          message: "must be UTF-8 text",
        },
      ],
      [
        "a line without text",
        () => put("LibriSpeech/dev/10/2/10-2.trans.txt", "10-2-0000 \n"),
        {
          id: "10-2-0000",
          file: "10/2/10-2.trans.txt",
          kind: "transcript-without-text",
          message: "10-2.trans.txt:1: utterance 10-2-0000 must have a transcript, but has only an id",
        },
      ],
      [
        "an id twice",
        () => put("LibriSpeech/dev/10/2/10-2.trans.txt", "10-2-0000 FOUR\n\n10-2-0000 FIVE\n"),
        {
          id: "10-2-0000",
          file: "10/2/10-2.trans.txt",
          kind: "duplicate-id",
          message: "10-2.trans.txt:3: utterance 10-2-0000 must stand once, but stands at line 1 too",
        },
      ],
      [
        "an empty file",
        () => put("LibriSpeech/dev/10/2/10-2-0000.flac", ""),
        {
          id: "10-2-0000",
          file: "10/2/10-2-0000.flac",
          kind: "empty-file",
          message: "but is empty (0 bytes)",
        },
      ],
      [
        "a header without samples",
        () => put("LibriSpeech/dev/10/2/10-2-0000.flac", clip(0)),
        {
          id: "10-2-0000",
          file: "10/2/10-2-0000.flac",
          kind: "empty-file",
          message: "must hold audio, but holds 0 samples",
        },
      ],
      [
        "a file that is no FLAC",
        () => put("LibriSpeech/dev/10/2/10-2-0000.flac", "version https://git-lfs.github.com/spec/v1"),
        {
          id: "10-2-0000",
          file: "10/2/10-2-0000.flac",
          kind: "corrupt-header",
          message: 'but begins with "vers"',
        },
      ],
      [
        "a header that is cut off",
        () => put("LibriSpeech/dev/10/2/10-2-0000.flac", clip(400).subarray(0, 30)),
        {
          id: "10-2-0000",
          file: "10/2/10-2-0000.flac",
          kind: "corrupt-header",
          message: "but ends after 30",
        },
      ],
      [
        "a file in another chapter's directory",
        () => put("LibriSpeech/dev/10/2/9-1-0007.flac", clip(400)),
        { id: "9-1-0007", file: "10/2/9-1-0007.flac", kind: "misplaced-audio", message: "Move or rename it" },
      ],
      [
        "a file above the chapters",
        () => put("LibriSpeech/dev/10/10-2-0003.flac", clip(400)),
        {
          id: "10-2-0003",
          file: "10/10-2-0003.flac",
          kind: "misplaced-audio",
          message: "must lie at <speaker>/<chapter>/",
        },
      ],
      [
        "a recording that is no FLAC",
        () => put("LibriSpeech/dev/10/2/10-2-0007.m4a", "\0\0\0\x1cftypM4A "),
        {
          id: "10-2-0007",
          file: "10/2/10-2-0007.m4a",
          kind: "misplaced-audio",
          message: "10-2-0007.flac",
        },
      ],
    ];
  it.each(cases)("%s", async (_, spoil, { id, file, kind, message }) => {
    await spoil();
    const { utterances, problems } = await readCorpus(root, "dev", { onProblem: "skip" });
    expect(problems).toEqual([{ id, file: dev(file), kind, message: expect.stringContaining(message) }]);
    expect(problems[0]!.message).toContain(dev(file));
    // Of the others none is lost, and none of those with a problem is used.
    const expected = ["10-2-0000", "9-1-0000", "9-1-0001"].filter((other) => !other.startsWith(id));
    expect(utterances.map((utterance) => utterance.id)).toEqual(expected);
    await expect(read(root, "dev")).rejects.toThrow(UserError);
    await expect(read(root, "dev")).rejects.toThrow(message);
  });

  it("are all found, sorted by file, and counted", async () => {
    await put("LibriSpeech/dev/9/1/9-1-0000.flac", "");
    await put("LibriSpeech/dev/9/1/9-1.trans.txt", "9-1-0000 ONE\n9-1-0001\n9-1-0005 SIX\n");
    await put("LibriSpeech/dev/10/2/10-2-0000.flac", "RIFF");
    const { utterances, problems } = await readCorpus(root, "dev", { onProblem: "skip" });
    expect(utterances).toEqual([]);
    expect(problems.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      "10-2-0000 corrupt-header",
      "9-1-0000 empty-file",
      "9-1-0001 transcript-without-text",
      "9-1-0005 transcript-without-audio",
    ]);
    await expect(read(root, "dev")).rejects.toThrow("10-2-0000.flac");
    await expect(read(root, "dev")).rejects.toThrow("There are 3 more problems.");
  });
});

const shared = sharedData();
describe.skipIf(!shared.isThere)("real speech (skipped where ../shared/data is missing)", () => {
  it.each([
    ["fsdd-strings", "train", 1601, 1.27],
    ["fsdd-strings", "dev", 137, 0.107],
    ["fsdd-strings", "test", 133, 0.104],
    ["LibriSpeech-mini", "train-clean-100", 251, 0.872],
    ["LibriSpeech-mini", "test-other", 100, 0.213],
  ])("reads %s/%s", async (set, split, count, hours) => {
    const utterances = await read(join(shared.path, set), split);
    expect(utterances).toHaveLength(count);
    expect(utterances.reduce((sum, { seconds }) => sum + seconds, 0) / 3600).toBeCloseTo(hours, 2);
    // Decoding checks each clip against the MD5 that its encoder wrote.
    for (const { path, samples } of utterances.slice(0, 15))
      expect(await readAudio(path)).toHaveLength(samples);
  });
});
