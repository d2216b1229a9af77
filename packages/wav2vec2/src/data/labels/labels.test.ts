import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { corpusDirectory, wav } from "../../../test/fixtures/corpus-fixture.js";
import { readCorpus } from "../corpus/corpus.js";
import { writeManifest } from "../corpus/manifest/manifest-writer.js";
import type { Utterance } from "../utterance.js";
import { columnOf, labelClips, labelNames, listLabels, requireLabels } from "./clip-labels.js";
import { readRttm, writeRttm } from "./rttm.js";
import { segmentClips } from "./segments.js";

let corpus: ReturnType<typeof corpusDirectory>;
beforeEach(() => {
  corpus = corpusDirectory();
});
afterEach(async () => {
  const { rm } = await import("node:fs/promises");
  await rm(corpus.root, { recursive: true });
});

const read = async (name: string, ...columns: string[]) =>
  (
    await readCorpus(`${corpus.root}/${name}`, undefined, {
      transcripts: "none",
      columns,
      cache: false,
    })
  ).utterances;

describe("labels of clips", () => {
  it("are in a column of a manifest, of any name", async () => {
    for (const name of ["a", "b", "c"]) corpus.put(`${name}.wav`, wav(4000));
    corpus.put("list.csv", 'audio,emotion,age\na.wav,happy,30\nb.wav,"sad, so sad",\nc.wav,,4\n');
    const utterances = await read("list.csv", "emotion");
    expect(utterances.map((each) => each.columns)).toEqual([
      { emotion: "happy" },
      { emotion: "sad, so sad" },
      {},
    ]);
    const { labelled, unlabelled } = labelClips(utterances, "emotion", "list.csv");
    expect(labelled.map(({ label }) => label)).toEqual(["happy", "sad, so sad"]);
    expect(unlabelled[0]!.message).toMatch(/c\.wav: utterance c must have a label in the column 'emotion'/);
    expect(() => requireLabels(unlabelled, undefined)).toThrow("Give it one, or leave such clips out");
    expect(() => requireLabels(unlabelled, "skip")).not.toThrow();
    const twice = [...unlabelled, ...unlabelled];
    expect(() => requireLabels(twice, "error")).toThrow("So have 1 others.");
    expect(() => labelClips(utterances, "mood", "list.csv")).toThrow(
      "Clips of list.csv must have labels in the column 'mood', but none has one, such as a.",
    );
    await writeManifest(`${corpus.root}/again.csv`, utterances);
    expect((await read("again.csv", "emotion")).map((each) => each.columns)).toEqual(
      utterances.map((each) => each.columns),
    );
  });

  it("are numbers and nothing else that JSON may have as well", async () => {
    for (const name of ["a", "b", "c"]) corpus.put(`${name}.wav`, wav(4000));
    corpus.put(
      "list.jsonl",
      '{"audio":"a.wav","label":3}\n{"audio":"b.wav","label":null}\n{"audio":"c.wav","label":" yes "}\n',
    );
    const utterances = await read("list.jsonl", "label");
    expect(utterances.map((each) => columnOf(each, "label"))).toEqual(["3", undefined, "yes"]);
  });

  it("are the directories that files lie in, unless a table says otherwise", async () => {
    corpus.put("train/yes/1.wav", wav(4000));
    corpus.put("train/no/1.wav", wav(4000));
    corpus.put("train/no/1.txt", "TEXT\n");
    corpus.put("test/x/1.wav", wav(4000));
    corpus.put("test/metadata.csv", "file_name,label\nx/1.wav,maybe\n");
    const labels = async (split: string, column: string) => {
      const options = { transcripts: "none", columns: [column], cache: false } as const;
      const { utterances } = await readCorpus(corpus.root, split, options);
      return utterances.map((each) => columnOf(each, column));
    };
    expect(await labels("train", "label")).toEqual(["no", "yes"]);
    expect(await labels("test", "label")).toEqual(["maybe"]);
    expect(await labels("train", "speaker")).toEqual([undefined, undefined]);
  });

  it("may be the speakers of LibriSpeech's layout", async () => {
    corpus.put(
      "dev/12/3/12-3-0000.flac",
      (await import("../../../test/fixtures/corpus-fixture.js")).flac(4000),
    );
    const { utterances } = await readCorpus(corpus.root, "dev", { transcripts: "none", cache: false });
    expect(utterances.map((each) => columnOf(each, "speaker"))).toEqual(["12"]);
  });

  it("have ids in the order of their characters, and are listed short", () => {
    expect(labelNames(["b", "a", "B", "a", "10", "9"])).toEqual(["10", "9", "B", "a", "b"]);
    expect(listLabels(["a", "b", "c"], 2)).toBe("'a', 'b' and 1 more");
  });
});

const clip = (changes: Partial<Utterance> = {}): Utterance => ({
  id: "talk",
  path: `${corpus.root}/talk.wav`,
  samples: 48000,
  seconds: 3,
  ...changes,
});

describe("segments", () => {
  const lines = [
    ";; made by hand",
    "SPKR-INFO talk 1 <NA> <NA> <NA> unknown anna <NA> <NA>",
    "SPEAKER talk 1 0.50 1.00 <NA> <NA> anna <NA> <NA>",
    "SPEAKER talk 1 1.20 4.00 <NA> <NA> ben <NA> <NA>",
    "SPEAKER other 1 0 1 <NA> <NA> carl <NA> <NA>",
  ];

  it("are read from RTTM beside a recording, and cut to a part of it", () => {
    corpus.put("talk.rttm", `${lines.join("\n")}\n`);
    const { labelled } = segmentClips(
      [clip(), clip({ start: 1, end: 2, seconds: 1 })],
      "segments",
      corpus.root,
    );
    expect(labelled[0]!.segments).toEqual([
      { start: 0.5, end: 1.5, label: "anna" },
      { start: 1.2, end: 3, label: "ben" },
    ]);
    const [first, second] = labelled[1]!.segments;
    expect(first).toEqual({ start: 0, end: 0.5, label: "anna" });
    expect([second!.start, second!.end]).toEqual([expect.closeTo(0.2), 1]);
  });

  it("come back as they were written", () => {
    const segments = [{ start: 0.25, end: 1, label: "a b" }];
    const path = corpus.put("x.rttm", writeRttm("x", segments));
    expect(readRttm(path).get("x")).toEqual([{ start: 0.25, end: 1, label: "a_b" }]);
  });

  it("are read from a column: a JSON list, or a file named from the corpus", () => {
    corpus.put("lists/all.rttm", `${lines.join("\n")}\n`);
    const list = JSON.stringify([{ start: 1, end: 2, label: "x" }]);
    const { labelled } = segmentClips(
      [clip({ columns: { segments: list } }), clip({ columns: { segments: "lists/all.rttm" } })],
      "segments",
      corpus.root,
    );
    expect(labelled.map(({ segments }) => segments.length)).toEqual([1, 2]);
  });

  it("are none in an empty file, and a clip without any file has no labels", () => {
    corpus.put("talk.rttm", "");
    expect(segmentClips([clip()], "segments", corpus.root).labelled[0]!.segments).toEqual([]);
    const { labelled, unlabelled } = segmentClips([clip({ path: "gone.wav" })], "segments", corpus.root);
    expect(labelled).toEqual([]);
    expect(unlabelled[0]!.message).toContain("must have segments in the column 'segments' or in gone.rttm");
  });

  it.each([
    ["SPEAKER talk 1 x 1 <NA> <NA> anna", /talk\.rttm:1 must be 'SPEAKER <recording> 1 <start>/],
    ["SPEAKER talk 1 1 -1 <NA> <NA> anna", /but is 'SPEAKER talk 1 1 -1/],
    ["0.5 1.5 anna", /talk\.rttm:1 must be/],
    ["SPEAKER tlak 1 1 1 <NA> <NA> anna", /must have lines of the recording talk, but has those of 'tlak'/],
  ])("that are wrong are refused: %s", (line, message) => {
    corpus.put("talk.rttm", `${line}\n`);
    expect(() => segmentClips([clip()], "segments", corpus.root)).toThrow(message);
  });

  it.each([
    '[{"start": 2, "end": 1, "label": "x"}]',
    '[{"start": 1, "end": 2}]',
    "[1",
    '[{"start":null,"end":1,"label":"x"}]',
  ])("in a list that are wrong are refused: %s", (segments) => {
    expect(() => segmentClips([clip({ columns: { segments } })], "segments", corpus.root)).toThrow(
      /segments of utterance talk must be a JSON list such as .* but are/,
    );
  });
});
