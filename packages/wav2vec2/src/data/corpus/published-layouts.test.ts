import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { corpusDirectory, flac, wav } from "../../../test/corpus-fixture.js";
import { readCorpus } from "./corpus.js";

let { root, put, cache } = corpusDirectory();
beforeEach(() => {
  ({ root, put, cache } = corpusDirectory());
});

const texts = async (split: string | undefined, at = root) =>
  Object.fromEntries((await readCorpus(at, split, { cache })).utterances.map(({ id, text }) => [id, text]));
const problems = async (split: string | undefined) =>
  (await readCorpus(root, split, { cache, onProblem: "skip" })).problems.map(({ kind, message }) => [
    kind,
    message,
  ]);

describe("corpora as they are published", () => {
  it("Hugging Face's audiofolder: a table in each split's directory", async () => {
    put("train/a.wav", wav(800));
    put("train/metadata.csv", "file_name,transcription\n./a.wav,hello\n");
    put("validation/deep/c.wav", wav(800));
    put("validation/deep/metadata.jsonl", '{"file_name": "c.wav", "transcription": "again"}\n');
    expect(await texts("train")).toEqual({ a: "hello" });
    expect(await texts("validation")).toEqual({ "deep/c": "again" });
    expect(await texts("train+validation")).toEqual({ a: "hello", "deep/c": "again" });
    put("train/b.wav", wav(900));
    put("train/b.txt", "beside");
    expect(await texts("train")).toEqual({ a: "hello", b: "beside" });
    put("train/d.wav", wav(900));
    expect(await problems("train")).toEqual([["audio-without-transcript", expect.stringContaining("d.wav")]]);
    await expect(texts("train", join(root, "train"))).rejects.toThrow(
      `must hold a split train, but is that itself. Give the directory above it, ${root}.`,
    );
  });

  it("Hugging Face's audiofolder: one table above the splits' directories", async () => {
    put("train/a.wav", wav(800));
    put("test/b.wav", wav(800));
    put("metadata.csv", "file_name,transcription\ntrain/a.wav,one\ntest/b.wav,two\n");
    expect(Object.values(await texts("train"))).toEqual(["one"]);
    expect(Object.values(await texts("test"))).toEqual(["two"]);
  });

  it("Libri-light: LibriSpeech's chapters at any depth", async () => {
    put("1h/0/clean/84/121123/84-121123-0000.flac", flac(800));
    put("1h/0/clean/84/121123/84-121123.trans.txt", "84-121123-0000 GO DO YOU HEAR\n");
    put("9h/other/700/122866/700-122866-0000.flac", flac(800));
    put("9h/other/700/122866/700-122866.trans.txt", "700-122866-0000 GO\n");
    expect(Object.values(await texts("1h+9h"))).toEqual(["GO DO YOU HEAR", "GO"]);
    put(
      "1h/0/clean/84/121123/84-121123.trans.txt",
      "84-121123-0000 GO\n84-121123-0001 LOST\n84-121123-0000 GONE\n",
    );
    expect(await problems("1h")).toEqual([
      ["duplicate-id", expect.stringContaining("trans.txt:1: utterance 84-121123-0000 must stand once")],
      ["transcript-without-audio", expect.stringContaining("trans.txt:2: utterance 84-121123-0001")],
    ]);
  });

  it("MLS, OpenSLR, LJSpeech, CSS10 and VoxForge: a list above the clips", async () => {
    for (const [list, line] of [
      ["mls/train/transcripts.txt", "10_20_000001\tein wort"],
      ["slr/train/line_index.tsv", "10_20_000001\tein wort"],
      ["lj/train/metadata.csv", "10_20_000001|ein wort|ein Wort"],
      ["css/train/transcript.txt", "audio/10/10_20_000001.wav|ein wort|x|1.5"],
      ["vox/train/PROMPTS", "x/mfc/10_20_000001 ein wort"],
      ["kaldi/train/text", "10_20_000001 ein wort"],
    ] as const) {
      put(list, `${line}\n`);
      const [corpus = ""] = list.split("/");
      put(`${corpus}/train/audio/10/10_20_000001.flac`, flac(800));
      expect(await texts("train", join(root, corpus)), list).toEqual({ "audio/10/10_20_000001": "ein wort" });
    }
    put("above/wavs/1.wav", wav(800));
    put("above/metadata.csv", "1|eins|eins\n");
    expect(await texts("wavs", join(root, "above"))).toEqual({ 1: "eins" });
    expect(await texts(undefined, join(root, "above"))).toEqual({ "wavs/1": "eins" });
  });

  it("a text of that name that is no list is none, and another table is named", async () => {
    put("train/lecture.wav", wav(800));
    put("train/lecture.txt", "one two");
    put("train/transcript.txt", "All that was said.\nAnd more.\n");
    expect(await texts("train")).toEqual({ lecture: "one two" });
    put("train/more.wav", wav(900));
    put("train/labels.csv", "path,sentence\nmore.wav,three\n");
    expect(await problems("train")).toEqual([
      [
        "audio-without-transcript",
        expect.stringContaining(`If ${join(root, "train/labels.csv")} holds the transcripts, name it`),
      ],
    ]);
  });

  it("Kaldi's and ESPnet's data directories", async () => {
    put("audio/r1.flac", flac(16000));
    put("audio/r2.flac", flac(8000));
    put(
      "data/train/wav.scp",
      "r1 flac -c -d -s audio/r1.flac |\nr2 audio/r2.flac\nr3 sox x.wav -t wav - |\n",
    );
    put(
      "data/train/segments",
      "r1-a r1 0.00 0.25\nr1-b r1 0.25 -1\nr2-a r2 0.1 0.4\nr3-a r3 0 1\nr9-a r9 0 1\n",
    );
    put("data/train/text", "r1-a ONE  TWO\nr1-b THREE\nlost FOUR\n");
    put("data/train/utt2spk", "r1-a anna\n");
    const { utterances, problems } = await readCorpus(join(root, "data"), "train", {
      cache,
      onProblem: "skip",
    });
    expect(utterances).toMatchObject([
      { id: "r1-a", samples: 4000, text: "ONE TWO", speaker: "anna" },
      { id: "r1-b", samples: 12000, text: "THREE", start: 0.25 },
    ]);
    expect(problems.map(({ id, kind }) => `${id} ${kind}`).sort()).toEqual([
      "lost transcript-without-audio",
      "r2-a audio-without-transcript",
      "r3-a manifest-row",
      "r9-a manifest-row",
    ]);
    put("data/dev/wav.scp", "r2 audio/r2.flac\n");
    put("data/dev/text", "r2 FIVE\n");
    expect(await texts("dev", join(root, "data"))).toEqual({ r2: "FIVE" });
    expect(await texts(undefined, join(root, "data/dev"))).toEqual({ r2: "FIVE" });
  });

  it("DeepSpeech's and SpeechBrain's tables", async () => {
    put("a.wav", wav(800));
    put("deepspeech.csv", "wav_filename,wav_filesize,transcript\na.wav,1644,one\n");
    put("speechbrain.csv", "ID,duration,wav,spk_id,wrd\nu1,0.05,a.wav,anna,ONE\n");
    expect(await texts("deepspeech")).toEqual({ a: "one" });
    const { utterances } = await readCorpus(root, "speechbrain", { cache });
    expect(utterances).toMatchObject([{ id: "u1", text: "ONE", speaker: "anna" }]);
    await expect(texts(undefined, put("train_manifest.json", "{}"))).rejects.toThrow("has to end in .jsonl");
  });
});
