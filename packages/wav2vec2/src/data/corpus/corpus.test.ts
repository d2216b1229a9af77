import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { corpusDirectory, flac } from "../../../test/fixtures/corpus-fixture.js";
import { sharedData } from "../../../test/fixtures/shared-data.js";
import { UserError } from "../../errors.js";
import { type CorpusOptions, listSplits, readCorpus } from "./corpus.js";
import { listLine } from "./corpus-list.js";

let { root, put, cache } = corpusDirectory();
beforeEach(() => {
  ({ root, put, cache } = corpusDirectory());
  put("LibriSpeech/train/1/2/1-2-0000.flac", flac(1600));
  put("LibriSpeech/train/1/2/1-2-0001.flac", flac(800));
  put("LibriSpeech/train/1/2/1-2.trans.txt", "\ufeff1-2-0000 ONE\n1-2-0001 TWO\n");
  put("LibriSpeech/dev/3/4/3-4-0000.flac", flac(400));
  put("LibriSpeech/dev/3/4/3-4.trans.txt", "3-4-0000 THREE\n");
  put("own.jsonl", '{"audio":"LibriSpeech/dev/3/4/3-4-0000.flac","text":"FOUR","id":"own"}\n');
  put("sources.tsv", "some\tother\ttable\n");
  put("splits/mine.txt", "# chosen by hand\n1-2-0001  # the second\n\n3-4-0000\r\n");
});

const ids = async (split: string | undefined, options: CorpusOptions = {}) =>
  (await readCorpus(root, split, { cache, ...options })).utterances.map(({ id }) => id);

describe("splits", () => {
  it("of all kinds are listed", async () => {
    expect(await listSplits(root)).toEqual(["dev", "mine", "own", "train"]);
  });

  it("are joined by +", async () => {
    expect(await ids("train+dev")).toEqual(["1-2-0000", "1-2-0001", "3-4-0000"]);
    expect(await ids("dev + own")).toEqual(["3-4-0000", "own"]);
    await expect(ids("dev+dev")).rejects.toThrow("several different ones");
    await expect(ids("dev+")).rejects.toThrow("several different ones");
    await expect(ids("dev+trian")).rejects.toThrow("split must be one of train, mine, own, dev");
  });

  it("must not share ids", async () => {
    await expect(ids("dev+mine")).rejects.toThrow(
      "utterance 3-4-0000 must be in one of the splits that are joined, but is in several",
    );
    const { utterances, problems } = await readCorpus(root, "dev+mine", { cache, onProblem: "skip" });
    expect(utterances.map(({ id }) => id)).toEqual(["1-2-0001", "3-4-0000"]);
    expect(problems).toMatchObject([{ id: "3-4-0000", kind: "duplicate-id" }]);
  });

  it("may be lists of ids of other splits", async () => {
    expect(await ids("mine")).toEqual(["1-2-0001", "3-4-0000"]);
    put("splits/mine.txt", "1-2-0001\nnobody\n1-2-0001\n");
    const { utterances, problems } = await readCorpus(root, "mine", { cache, onProblem: "skip" });
    expect(utterances.map(({ id }) => id)).toEqual(["1-2-0001"]);
    expect(problems.map(({ kind, message }) => `${kind} ${message}`)).toEqual([
      expect.stringMatching(/^duplicate-id .*mine.txt:3: utterance 1-2-0001 must be listed once/),
      expect.stringMatching(/^unknown-id .*mine.txt:2: utterance nobody must be one of the other splits/),
    ]);
    put("splits/mine.txt", "# nothing\n");
    await expect(ids("mine")).rejects.toThrow("must list ids of utterances, one a line, but lists none");
  });

  it("report of a list's utterances what is wrong with these alone", async () => {
    put("LibriSpeech/train/1/2/1-2-0000.flac", "");
    expect(await ids("mine")).toEqual(["1-2-0001", "3-4-0000"]);
    put("LibriSpeech/train/1/2/1-2-0001.flac", "");
    await expect(ids("mine")).rejects.toThrow("1-2-0001.flac must be an audio file, but is empty (0 bytes).");
  });

  it("must be named where there are some, and be one thing", async () => {
    await expect(ids(undefined)).rejects.toThrow(
      `split must be given for ${root}. It has dev, mine, own, train.`,
    );
    put("dev.csv", "audio,text\n");
    await expect(ids("dev")).rejects.toThrow("split dev must be one thing, but is");
  });

  it("need no name where the directory is one", async () => {
    const { utterances } = await readCorpus(join(root, "LibriSpeech/dev"), undefined, { cache });
    expect(utterances).toHaveLength(1);
  });

  it("are of a table that is a manifest", async () => {
    await expect(ids("sources")).rejects.toThrow("sources.tsv:1 must have a column audio");
  });
});

describe("exclude", () => {
  it("leaves out ids, files and what is wrong with them", async () => {
    put("LibriSpeech/train/1/2/1-2-0001.flac", "broken");
    await expect(ids("train")).rejects.toThrow(UserError);
    const exclude = put("bad.txt", "# found by data check\n1-2-0001 # corrupt-header\n");
    expect(await ids("train", { exclude })).toEqual(["1-2-0000"]);
    put("bad.txt", `LibriSpeech/train/1/2/1-2-0001.flac\n`);
    expect(await ids("train", { exclude })).toEqual(["1-2-0000"]);
    put("bad.txt", `${join(root, "LibriSpeech/train/1/2/1-2-0001.flac")}\n1-2-0000\n`);
    await expect(ids("train", { exclude })).rejects.toThrow("must hold utterances, but");
    await expect(ids("train", { exclude: join(root, "none.txt") })).rejects.toThrow(
      "none.txt must be a list of ids, but does not exist.",
    );
  });
});

describe("ids with a hash sign", () => {
  beforeEach(() => {
    for (const name of ["take", "take #1", "take #2", "#3 outro", '"quoted"'])
      put(`hash/train/${name}.flac`, flac(800));
  });
  const left = async (list: string) => {
    const options = { cache, transcripts: "none", exclude: put("bad.txt", list) } as const;
    const { utterances, unknownExclusions } = await readCorpus(join(root, "hash"), "train", options);
    return { left: utterances.map(({ id }) => id), unknown: unknownExclusions };
  };

  it.each(["take", "take #2", "#3 outro", '"quoted"'])("are left out as data check writes %s", async (id) => {
    const all = ['"quoted"', "#3 outro", "take", "take #1", "take #2"];
    const { left: others, unknown } = await left(listLine(id, "silent: take #1"));
    expect(others).toEqual(all.filter((other) => other !== id));
    expect(unknown).toEqual([]);
  });

  it("are never another clip where they are of another split", async () => {
    expect((await left(listLine("take #7", "silent"))).left).toContain("take");
  });

  it("mean a clip where there is one, and are a comment where there is none", async () => {
    expect((await left("take #1\n")).left).not.toContain("take #1");
    expect((await left("take #1\n")).left).toContain("take");
    expect((await left("take # 1\n#3 outro\n# 3\n")).left).toEqual(['"quoted"', "take #1", "take #2"]);
    expect((await left('"take #7"\n"take" #1\ntook #1\n')).unknown).toEqual([
      { id: "take #7", line: 1 },
      { id: "took", line: 3 },
    ]);
  });

  it("make a split of a list", async () => {
    put("hash/splits/mine.txt", '# chosen\ntake #1\n"take #2" # second\n');
    const mine = await readCorpus(join(root, "hash"), "mine", { cache, transcripts: "none" });
    expect(mine.utterances.map(({ id }) => id)).toEqual(["take #1", "take #2"]);
  });

  it("are no paths of a manifest's own but of its directory", async () => {
    const manifest = put("rows.jsonl", '{"audio":"hash/train/take.flac","id":"1"}\n');
    const exclude = put("bad.txt", "hash/train/take.flac\n");
    const corpus = await readCorpus(manifest, undefined, {
      cache,
      transcripts: "none",
      exclude,
      onProblem: "skip",
    });
    expect(corpus).toMatchObject({ utterances: [], excluded: 1 });
  });
});

describe("readCorpus", () => {
  it("reads unlabelled speech", async () => {
    put("LibriSpeech/dev/3/4/3-4.trans.txt", "");
    const { utterances } = await readCorpus(root, "dev+train", { cache, transcripts: "none" });
    expect(utterances).toHaveLength(3);
    expect(utterances.filter((utterance) => "text" in utterance)).toEqual([]);
  });

  it("tells its progress and can be stopped", async () => {
    const calls: [number, number | undefined][] = [];
    await ids("train", { onProgress: (...call) => calls.push(call) });
    expect(calls[0]).toEqual([0, undefined]);
    expect(calls.at(-1)).toEqual([2, 2]);
    await expect(ids("train", { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });

  it.each([
    ["1-2-0000 ONE\n1-2-0001 TWO\0\n", "1-2.trans.txt:2: transcript of utterance 1-2-0001 must be text, but"],
    [`1-2-0000 ONE\n1-2-0001 ${"A".repeat(1.1e6)}\n`, "must be at most 1048576 characters, but is longer."],
  ])("refuses transcripts that are none", async (transcripts, message) => {
    put("LibriSpeech/train/1/2/1-2.trans.txt", transcripts);
    await expect(ids("train")).rejects.toThrow(message);
    expect(await ids("train", { onProblem: "skip" })).toEqual(["1-2-0000"]);
  });

  it("says what a root must be", async () => {
    await expect(readCorpus(join(root, "none"), "x")).rejects.toThrow(
      "none must be a directory, but does not exist.",
    );
    await expect(readCorpus(join(root, "none.csv"), "x")).rejects.toThrow(
      "none.csv must be a manifest, but does not",
    );
    put("a.toml", "");
    await expect(readCorpus(join(root, "a.toml"), "x")).rejects.toThrow(
      "a manifest (.jsonl, .csv, .tsv), but is neither",
    );
    await expect(readCorpus(join(root, "splits"), undefined)).rejects.toThrow(
      "must hold LibriSpeech/<split>/",
    );
  });
});

const shared = sharedData("LibriSpeech-mini");
describe.skipIf(!shared.isThere)("real speech (skipped where ../shared/data is missing)", () => {
  it("has lists of ids that share nothing", async () => {
    expect(await listSplits(shared.path)).toEqual(["dev", "test", "test-other", "train", "train-clean-100"]);
    const { utterances } = await readCorpus(shared.path, "train+dev+test", { cache });
    expect(utterances).toHaveLength(351);
  });
});
