import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { corpusDirectory, flac, wav } from "../../../../test/fixtures/corpus-fixture.js";
import { ConfigurationError, UserError } from "../../../errors.js";
import { Random } from "../../random.js";
import type { Utterance } from "../../utterance.js";
import { listSplits, readCorpus } from "../corpus.js";
import { writeManifest } from "./manifest-writer.js";

let { root, put, cache } = corpusDirectory();
beforeEach(() => {
  ({ root, put, cache } = corpusDirectory());
  put("a.flac", flac(16000));
  put("clips/b ü.wav", wav(8000));
  put("long.flac", flac(32000));
});

type Options = NonNullable<Parameters<typeof readCorpus>[2]>;
const read = async (file: string, options: Options = {}, split?: string) =>
  (await readCorpus(join(root, file), split, { cache, ...options })).utterances;
const check = async (file: string, options: Options = {}) =>
  readCorpus(join(root, file), undefined, { cache, onProblem: "skip", ...options });

const TWO = [
  { id: "a", path: "a.flac", samples: 16000, seconds: 1, text: "ONE TWO" },
  { id: "clips/b ü", path: "clips/b ü.wav", samples: 8000, seconds: 0.5, text: "THREE", speaker: "7" },
];
const inRoot = (utterances: Utterance[]) =>
  utterances.map((each) => ({ ...each, path: join(root, each.path) }));

describe("forms of manifests", () => {
  const forms: [string, string, string][] = [
    [
      "JSON lines",
      "m.jsonl",
      '{"audio":"a.flac","text":" ONE  TWO"}\n\n{"audio":"clips/b ü.wav","text":"THREE","speaker":7,"more":[1]}\n',
    ],
    ["CSV", "m.csv", 'audio,text,speaker\na.flac,"ONE\nTWO",\nclips/b ü.wav,THREE,7\n'],
    [
      "CSV with CRLF and a byte order mark",
      "m.csv",
      "\ufeffaudio,text,speaker\r\na.flac,ONE TWO,\r\nclips/b ü.wav,THREE,7\r\n",
    ],
    ["TSV", "m.tsv", "audio\ttext\tspeaker\na.flac\tONE TWO\t\nclips/b ü.wav\tTHREE\t7"],
    [
      "TSV with CRLF and a byte order mark",
      "m.tsv",
      "\ufeffspeaker\taudio\ttext\r\n\ta.flac\tONE TWO\r\n7\tclips/b ü.wav\tTHREE\r\n",
    ],
    [
      "audiofolder's",
      "metadata.csv",
      "file_name,transcription,speaker\na.flac,ONE TWO,\nclips/b ü.wav,THREE,7\n",
    ],
    [
      "NeMo's",
      "m.jsonl",
      '\ufeff{"audio_filepath":"a.flac","duration":99,"text":"ONE TWO"}\n{"audio_filepath":"clips/b ü.wav","duration":0.5,"text":"THREE","speaker":"7"}',
    ],
  ];
  it.each(forms)("%s", async (_, name, contents) => {
    put(name, contents);
    expect(await read(name)).toEqual(inRoot(TWO));
    expect(await listSplits(root)).toEqual([name.slice(0, name.indexOf("."))]);
    expect((await readCorpus(root, name.slice(0, name.indexOf(".")), { cache })).utterances).toHaveLength(2);
    expect(await read(name, { transcripts: "none" })).toEqual(
      inRoot(TWO).map(({ text: _, ...each }) => each),
    );
  });

  it("Common Voice's, whose quotation marks are characters", async () => {
    put("cv/clips/common_voice_en_1.wav", wav(1600));
    put(
      "cv/train.tsv",
      'client_id\tpath\tsentence\tup_votes\nabc\tcommon_voice_en_1.wav\t"Oh," he said.\t2\n',
    );
    put("cv/clip_durations.tsv", "clip\tduration[ms]\ncommon_voice_en_1.wav\t100\n");
    expect(await listSplits(join(root, "cv"))).toEqual(["train"]);
    expect((await readCorpus(join(root, "cv"), "train", { cache })).utterances).toEqual([
      {
        id: "common_voice_en_1",
        path: join(root, "cv/clips/common_voice_en_1.wav"),
        samples: 1600,
        seconds: 0.1,
        text: '"Oh," he said.',
        speaker: "abc",
      },
    ]);
  });

  it.each([
    ["train.wrd", "ONE TWO\nTHREE\n"],
    ["train.ltr", "O N E | T W O |\nT H R E E |\n"],
  ])("fairseq's, with %s", async (labels, contents) => {
    put("train.tsv", `${root}\na.flac\t16000\nclips/b ü.wav\t8000\n`);
    await expect(read("train.tsv")).rejects.toThrow("train.tsv:1 must have a column text or");
    expect(await read("train.tsv", { transcripts: "none" })).toHaveLength(2);
    put(labels, contents);
    const utterances = await read("train.tsv");
    expect(utterances.map(({ path, text }) => ({ path, text }))).toEqual(
      inRoot(TWO).map(({ path, text }) => ({ path, text })),
    );
    put(labels, "ONE\n");
    await expect(read("train.tsv")).rejects.toThrow("a line for each of the 2 clips");
  });

  it("parts of files, by start and end or by NeMo's offset and duration", async () => {
    put(
      "m.jsonl",
      [
        { audio: "long.flac", text: "A", start: 0.5, end: 1.25 },
        { audio: "long.flac", text: "B", start: "1.5" },
        { audio: "long.flac", text: "C", end: 0.25 },
        { audio: "long.flac", text: "D", start: 0, end: 2.004 },
        { audio_filepath: "long.flac", text: "E", offset: 1, duration: 0.5 },
        { audio: "a.flac", text: "F", start: 0.25, id: "mine" },
      ]
        .map((row) => JSON.stringify(row))
        .join("\n"),
    );
    const utterances = await read("m.jsonl");
    expect(utterances.map(({ id, samples, start, end }) => [id, samples, start, end])).toEqual([
      ["long#0-0.25", 4000, undefined, 0.25],
      ["long#0-2.004", 32000, undefined, undefined],
      ["long#0.5-1.25", 12000, 0.5, 1.25],
      ["long#1-1.5", 8000, 1, 1.5],
      ["long#1.5-", 8000, 1.5, undefined],
      ["mine", 12000, 0.25, undefined],
    ]);
  });

  it("a column that tells splits apart", async () => {
    put("m.csv", "audio,text,split\na.flac,A,train\nlong.flac,B,dev\nclips/b ü.wav,C,train\n");
    expect(await read("m.csv", {}, "train")).toHaveLength(2);
    expect(await read("m.csv", {}, "train+dev")).toHaveLength(3);
    expect(await read("m.csv")).toHaveLength(3);
    await expect(read("m.csv", {}, "dve")).rejects.toThrow("split must be one of dev, train (in");
    put("n.csv", "audio,text\na.flac,A\n");
    await expect(read("n.csv", {}, "train")).rejects.toThrow("n.csv:1 must have a column split");
  });
});

describe("what is wrong with a manifest", () => {
  it.each([
    ["m.csv", "recording,text\na.flac,A\n", "m.csv:1 must have a column audio or audio_filepath"],
    [
      "m.csv",
      "recording,text\na.flac,A\n",
      "but has recording, text. Known columns: audio (or audio_filepath",
    ],
    ["m.csv", "audio\na.flac\n", "m.csv:1 must have a column text or sentence"],
    [
      "m.csv",
      "path,file_name,text\na.flac,a.flac,A\n",
      "must have one column for audio, but has file_name and path",
    ],
    ["m.tsv", "", "must hold utterances"],
    ["m.csv", "", "must hold utterances"],
    ["m.jsonl", "", "must hold utterances"],
    ["m.csv", '"audio,text\na.flac', "m.csv:1 must be CSV"],
  ])("%s %j is refused", async (name, contents, message) => {
    put(name, contents);
    await expect(read(name)).rejects.toThrow(UserError);
    await expect(read(name)).rejects.toThrow(message);
  });

  it("without rows is said to be, whatever split is asked for", async () => {
    put("m.jsonl", "");
    await expect(read("m.jsonl", {}, "train")).rejects.toThrow(
      "m.jsonl must hold utterances, but has no rows.",
    );
  });

  it("UTF-16 is refused", async () => {
    put("m.tsv", Buffer.from("\ufeffaudio\ttext\na.flac\tA\n", "utf16le"));
    await expect(read("m.tsv")).rejects.toThrow(
      "m.tsv:1 must be UTF-8 text, but is UTF-16. Convert it: iconv -f UTF-16 -t UTF-8 ",
    );
  });

  // Each beside a good row, which is found in spite of it.
  const rows: [string, string | Uint8Array, string, string][] = [
    ["m.jsonl", "{audio}", "manifest-row", "m.jsonl:2 must be a JSON object, but is not: "],
    ["m.jsonl", "[1]", "manifest-row", "m.jsonl:2 must be a JSON object, but is not."],
    ["m.jsonl", '{"text":"A"}', "manifest-row", "m.jsonl:2 must have a column audio"],
    [
      "m.jsonl",
      '{"audio":5,"text":"A"}',
      "manifest-row",
      "m.jsonl:2 must name an audio file, but audio is 5",
    ],
    ["m.jsonl", '{"audio":"a.flac","text":["A"]}', "manifest-row", 'must be a string, but is ["A"]'],
    ["m.jsonl", '{"audio":"a.flac","start":NaN}', "manifest-row", "m.jsonl:2 must be a JSON object"],
    [
      "m.jsonl",
      '{"audio":"a.flac"}',
      "transcript-without-text",
      "m.jsonl:2: utterance a must have a transcript",
    ],
    ["m.jsonl", '{"audio":"a.flac","text":" "}', "transcript-without-text", "m.jsonl:2: utterance a"],
    ["m.jsonl", '{"audio":"a.flac","text":"A\\u0000B"}', "invalid-text", "NUL"],
    [
      "m.jsonl",
      '{"audio":"a.flac","text":"A\0B"}',
      "manifest-row",
      "m.jsonl:2 must be text, but holds a NUL",
    ],
    [
      "m.jsonl",
      `{"audio":"a.flac","text":"${"A".repeat(3e6)}"}`,
      "manifest-row",
      "m.jsonl:2 must be at most",
    ],
    ["m.jsonl", Buffer.from('{"audio":"\xfc.flac"}', "latin1"), "manifest-row", "m.jsonl:2 must be UTF-8"],
    [
      "m.jsonl",
      '{"audio":"none.flac","text":"A"}',
      "missing-audio",
      "none.flac must be an audio file, but does not exist",
    ],
    ["m.jsonl", '{"audio":"empty.flac","text":"A"}', "empty-file", "0 bytes"],
    ["m.jsonl", '{"audio":"clips","text":"A"}', "corrupt-header", "is a directory"],
    [
      "m.jsonl",
      '{"audio":"good.flac","text":"A"}',
      "duplicate-id",
      "m.jsonl:2: utterance good must stand once, but stands at",
    ],
    [
      "m.csv",
      "a.flac,A,B,C,D",
      "manifest-row",
      "m.csv:2 must have 4 fields as its first line has, but has 5",
    ],
    ["m.csv", Buffer.from("\xfc.flac,A,,", "latin1"), "manifest-row", "m.csv:2 must be UTF-8"],
    ["m.csv", "a.flac,A\0,,", "manifest-row", "m.csv:2 must be text, but holds a NUL"],
    ["m.csv", 'a.flac,"A,,', "manifest-row", "m.csv:2 must be CSV, but neither this row nor"],
    ["m.csv", "a.flac,A,2,1", "segment", "m.csv:2: end must be after start, but start is 2 and end 1."],
    ["m.csv", "a.flac,A,0.5,0.5", "segment", "end must be after start"],
    ["m.csv", "a.flac,A,1,", "segment", "start of utterance a#1- must be within"],
    ["m.csv", "a.flac,A,0,1.02", "segment", "of 1 s, but is 1.02 s."],
    ["m.csv", "a.flac,A,-1,1", "segment", 'start must be seconds, 0 or more, but is "-1"'],
    ["m.csv", "a.flac,A,NaN,1", "segment", 'but is "NaN"'],
    ["m.csv", "a.flac,A,0,Infinity", "segment", 'but is "Infinity"'],
    ["m.csv", "a.flac,A,0,0.00001", "segment", "shorter than a sample"],
    ["m.tsv", "a.flac\tA", "manifest-row", "m.tsv:2 must have 4 fields"],
    ["m.tsv", "\tA\t\t", "manifest-row", "m.tsv:2 must name an audio file, but audio is empty"],
  ];
  it.each(rows)("%s %j is %s", async (name, row, kind, message) => {
    put("good.flac", flac(1600));
    put("empty.flac", "");
    const heading = { "m.csv": "audio,text,start,end\n", "m.tsv": "audio\ttext\tstart\tend\n" }[name];
    const good = { "m.csv": "good.flac,GOOD,,\n", "m.tsv": "good.flac\tGOOD\t\t\n" }[name];
    const json = '{"audio":"good.flac","text":"GOOD"}\n';
    put(
      name,
      Buffer.concat([Buffer.from(heading ?? json), Buffer.from(row), Buffer.from(`\n${good ?? ""}`)]),
    );
    const { utterances, problems } = await check(name);
    expect(problems).toEqual([
      { id: expect.any(String), file: expect.any(String), kind, message: expect.stringContaining(message) },
    ]);
    const lost = message.includes("nor");
    expect(utterances.map(({ id }) => id)).toEqual(lost ? [] : ["good"]);
    await expect(read(name)).rejects.toThrow(message);
  });
});

describe("writeManifest", () => {
  const random = new Random(1, "manifests");
  const ALPHABET = [..."AB ',\"|üß日\\#"];
  const someText = () =>
    Array.from({ length: 1 + random.integer(8) }, () => ALPHABET[random.integer(ALPHABET.length)])
      .join("")
      .trim()
      .replace(/\s+/g, " ") || "X";
  const some = (i: number): Utterance => {
    const utterance: Utterance = { id: `${i}`, path: join(root, "a.flac"), samples: 16000, seconds: 1 };
    utterance.text = someText();
    if (random.integer(2)) utterance.split = someText();
    if (random.integer(2)) utterance.speaker = someText();
    if (random.integer(2)) utterance.chapter = `${random.integer(9)}`;
    if (random.integer(2)) {
      utterance.start = 0.25;
      if (random.integer(2)) utterance.end = 0.5 + random.uniform() / 2;
      const from = 4000;
      utterance.samples = (utterance.end === undefined ? 16000 : Math.round(utterance.end * 16000)) - from;
      utterance.seconds = utterance.samples / 16000;
    }
    return utterance;
  };

  it.each(["jsonl", "csv"])("writes .%s that is read back the same", async (ending) => {
    for (let round = 0; round < 20; round++) {
      const utterances = Array.from({ length: random.integer(9) + 1 }, (_, i) => some(i));
      await writeManifest(join(root, `out.${ending}`), utterances);
      expect(await read(`out.${ending}`)).toEqual(utterances);
    }
  });

  it("writes fairseq's form with its labels", async () => {
    put("m.csv", "audio,text\na.flac,ONE TWO\nclips/b ü.wav,THREE\n");
    await writeManifest(join(root, "clips/out.tsv"), await read("m.csv"));
    expect(readFileSync(join(root, "clips/out.tsv"), "utf8")).toBe(
      `${root}\na.flac\t16000\nclips/b ü.wav\t8000\n`,
    );
    expect(readFileSync(join(root, "clips/out.wrd"), "utf8")).toBe("ONE TWO\nTHREE\n");
    expect(readFileSync(join(root, "clips/out.ltr"), "utf8")).toBe("O N E | T W O |\nT H R E E |\n");
    expect(await read("clips/out.tsv")).toMatchObject([{ text: "ONE TWO" }, { text: "THREE" }]);
  });

  it("refuses what a form has no place for", async () => {
    const part = { id: "x", path: join(root, "a.flac"), samples: 8000, seconds: 0.5, start: 0.5 };
    await expect(writeManifest(join(root, "x.tsv"), [part])).rejects.toThrow("must list whole files");
    expect(existsSync(join(root, "x.tsv"))).toBe(false);
    await expect(writeManifest(join(root, "x.json"), [part])).rejects.toThrow(ConfigurationError);
  });
});
