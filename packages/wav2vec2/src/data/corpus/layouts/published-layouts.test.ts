import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { corpusDirectory, flac, wav } from "../../../../test/fixtures/corpus-fixture.js";
import { listSplits, readCorpus } from "../corpus.js";

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
      ["lj/train/metadata.csv", "10_20_000001|1 Wort|ein wort"],
      ["css/train/transcript.txt", "audio/10/10_20_000001.wav|1 W.|ein wort|1.5"],
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
      "r1 flac -c -d -s audio/r1.flac |\nr2 audio/r2.flac\nr3 sox x.wav -t wav - speed 2 |\n",
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
  });

  const speakers = async (split: string | undefined, at: string) =>
    (await readCorpus(at, split, { cache })).utterances.map(({ id, text, speaker }) => [id, text, speaker]);
  const at = (path: string) => join(root, path);

  it("Libri-light's limited supervision, LibriTTS and MLS: speakers come along", async () => {
    const chapter = "librispeech_finetuning/1h/0/clean/84/121123/84-121123";
    put(`${chapter}-0000.flac`, flac(800));
    put(`${chapter}.trans.txt`, "84-121123-0000 GO\n");
    put("librispeech_finetuning/phones/phones_mapping.json", "{}");
    expect(await speakers("1h", root)).toEqual([["0/clean/84/121123/84-121123-0000", "GO", "84"]]);
    const clip = "LibriTTS/dev-clean/84/121123/84_121123_000007_000001";
    put(`tts/${clip}.wav`, wav(800));
    put(`tts/${clip}.normalized.txt`, "four words");
    put(`tts/${clip}.original.txt`, "4 words");
    put("tts/LibriTTS/dev-clean/84/121123/84_121123.trans.tsv", "84_121123_000007_000001\t4\tfour\n");
    expect(await speakers("dev-clean", at("tts"))).toEqual([
      ["84/121123/84_121123_000007_000001", "four words", "84"],
    ]);
    put("mls/train/audio/10148/10119/10148_10119_000000.flac", flac(800));
    put("mls/train/transcripts.txt", "10148_10119_000000\tein wort\n");
    put("mls/train/segments.txt", "10148_10119_000000\thttps://example.org/x.mp3\t1\t2\n");
    put("mls/train/limited_supervision/9hr/handles.txt", "10148_10119_000000\n");
    put("mls/metainfo.txt", "SPEAKER | GENDER\n");
    expect(await speakers("train", at("mls"))).toEqual([
      ["audio/10148/10119/10148_10119_000000", "ein wort", "10148"],
    ]);
  });

  it("Libri-light: speakers and books of unlabelled speech", async () => {
    put("small/100/sea_fairies_0812_librivox_64kb_mp3/01_baum.flac", flac(800));
    put("small/100/sea_fairies_0812_librivox_64kb_mp3/01_baum.json", '{"speaker": "100", "snr": 8.1}');
    put("small/101/talk/a.flac", flac(800));
    put("small/101/talk/a.json", '{"speaker": "anna"}');
    const { utterances } = await readCorpus(root, "small", { cache, transcripts: "none" });
    expect(utterances.map(({ speaker, chapter }) => [speaker, chapter])).toEqual([
      ["100", "sea_fairies_0812_librivox_64kb_mp3"],
      [undefined, undefined],
    ]);
  });

  it("Common Voice: the tables of all versions", async () => {
    put(
      "v1/cv-valid-train.csv",
      "filename,text,up_votes,down_votes,age,gender,accent,duration\ncv-valid-train/sample-0.mp3,learn,1,0,,,,\n",
    );
    put("v1/cv-valid-train/sample-0.mp3", wav(800));
    expect(await texts("cv-valid-train", at("v1"))).toEqual({ "cv-valid-train/sample-0": "learn" });
    const votes = "up_votes\tdown_votes\tage\tgender";
    put(
      "v2/en/train.tsv",
      `client_id\tpath\tsentence\t${votes}\taccent\nann\t000abc\t"He" said\t2\t0\t\t\t\n`,
    );
    put("v2/en/clips/000abc.mp3", wav(800));
    expect(await speakers("train", at("v2/en"))).toEqual([["000abc", '"He" said', "ann"]]);
    put(
      "v19/en/train.tsv",
      `client_id\tpath\tsentence_id\tsentence\tsentence_domain\t${votes}\taccents\tvariant\tlocale\tsegment\n` +
        "ann\tc.mp3\ts1\tHe said\t\t2\t0\t\t\t\t\ten\t\n",
    );
    put("v19/en/reported.tsv", "sentence_id\tsentence\tlocale\treason\ns1\tHe\ten\tx\n");
    put("v19/en/clip_durations.tsv", "clip\tduration[ms]\nc.mp3\t50\n");
    put("v19/en/validated_sentences.tsv", "sentence_id\tsentence\tis_used\tclips_count\ns1\tHe\t1\t1\n");
    put("v19/en/clips/c.mp3", wav(800));
    expect(await speakers("train", at("v19/en"))).toEqual([["c", "He said", "ann"]]);
    expect(await listSplits(at("v19/en"))).toEqual(["train"]);
    await expect(texts("train", at("v19"))).rejects.toThrow(`It is in ${at("v19/en")}: give that.`);
    put(
      "sps/ss-corpus-ttj.tsv",
      "client_id\taudio_id\taudio_file\tduration_ms\tprompt_id\tprompt\ttranscription\tvotes\tage\tgender\tlanguage\tsplit\n" +
        "ann\t1\ts1.mp3\t50\t1\tWhat?\tyes it is\t2\t\t\tttj\ttrain\n",
    );
    put("sps/audios/s1.mp3", wav(800));
    expect(await speakers("train", at("sps/ss-corpus-ttj.tsv"))).toEqual([["s1", "yes it is", "ann"]]);
  });

  it("TED-LIUM: STM and SPHERE", async () => {
    put(
      "TEDLIUM_release-3/legacy/train/stm/A_2010.stm",
      ";; comment\nA_2010 1 A_2010 0.01 0.03 <o,f0,male> i 'm here <unk> {SMACK} the(2) end\n" +
        "A_2010 1 inter_segment_gap 0.03 0.04 <o,,unknown> ignore_time_segment_in_scoring\nA_2010 1 A_2010 0.04\n",
    );
    put("TEDLIUM_release-3/legacy/train/sph/A_2010.sph", wav(800));
    put("TEDLIUM_release-3/speaker-adaptation/README", "");
    const { utterances, problems } = await readCorpus(root, "train", { cache, onProblem: "skip" });
    const expected = { id: "A_2010-0.01-0.03", text: "i'm here the end", speaker: "A_2010", samples: 320 };
    expect(utterances).toMatchObject([expected]);
    expect(problems.map(({ kind, message }) => [kind, message])).toEqual([
      [
        "manifest-row",
        expect.stringContaining("A_2010.stm:4 must be: recording, channel, speaker, start, end"),
      ],
    ]);
    for (const path of ["TEDLIUM_release-3", "TEDLIUM_release-3/legacy"])
      expect(await listSplits(at(path))).toEqual(["train"]);
    const stm = "TEDLIUM_release-3/legacy/train/stm/A_2010.stm";
    expect((await readCorpus(at(stm), undefined, { cache, onProblem: "skip" })).utterances).toMatchObject([
      expected,
    ]);
  });

  it("VoxPopuli: tables of ids", async () => {
    const header = "id\traw_text\tnormalized_text\tspeaker_id\tsplit\tgender\tis_gold_transcript\taccent";
    put("en/2009/20090112-1.ogg", wav(800));
    put("en/asr_train.tsv", `${header}\n20090112-1\tHi.\thi\t77\ttrain\tmale\tTrue\tNone\n`);
    expect(await speakers("asr_train", at("en"))).toEqual([["20090112-1", "hi", "77"]]);
  });

  it("AISHELL: texts without the spaces between words", async () => {
    put("wav/train/S0002/BAC009S0002W0122.wav", wav(800));
    put("wav/dev/S0724/BAC009S0724W0121.wav", wav(800));
    put(
      "transcript/aishell_transcript_v0.8.txt",
      "BAC009S0002W0122 而 对 楼市 成交\nBAC009S0724W0121 广州市\nBAC009S0002W0999 无\n",
    );
    expect(await speakers("train", root)).toEqual([["S0002/BAC009S0002W0122", "而对楼市成交", "S0002"]]);
    expect(await listSplits(root)).toEqual(["dev", "train"]);
    put("three/train/wav/SSB0005/SSB00050001.wav", wav(800));
    put("three/train/content.txt", "SSB00050001.wav\t广 guang3 州 zhou1\n");
    expect(await speakers("train", at("three"))).toEqual([["wav/SSB0005/SSB00050001", "广州", "SSB0005"]]);
  });

  it("GigaSpeech: subsets of one list, tags left out", async () => {
    const segment = (sid: string, begin_time: number, text_tn: string, subsets: string[]) => ({
      sid,
      speaker: "N/A",
      begin_time,
      end_time: begin_time + 0.01,
      text_tn,
      subsets,
    });
    const segments = [
      segment("POD1_S1", 0.01, "HI <COMMA> \\ {YOU} <PERIOD>", ["{XL}", "{S}"]),
      segment("POD1_S2", 0.02, "<MUSIC>", ["{XL}"]),
      segment("POD1_S3", 0.03, "MORE", ["{XL}"]),
    ];
    const audios = [{ title: 'a "title" [x]', path: "audio/podcast/P0/POD1.opus", segments }];
    const list = { dataset: "GigaSpeech", language: "EN", audios };
    put("audio/podcast/P0/POD1.opus", wav(800));
    for (const indent of [undefined, 2]) {
      put("GigaSpeech.json", JSON.stringify(list, null, indent));
      expect(await texts("S")).toEqual({ POD1_S1: "HI \\ {YOU}" });
      expect(await texts("XL")).toEqual({ POD1_S1: "HI \\ {YOU}", POD1_S3: "MORE" });
      expect(await texts("S", at("GigaSpeech.json"))).toEqual({ POD1_S1: "HI \\ {YOU}" });
    }
    expect(await listSplits(root)).toEqual(["DEV", "L", "M", "S", "TEST", "XL", "XS"]);
    put("audio/podcast/P0/POD1.flac", flac(800));
    const [utterance] = (await readCorpus(root, "S", { cache })).utterances;
    expect(utterance).toMatchObject({ path: at("audio/podcast/P0/POD1.flac"), start: 0.01, end: 0.02 });
  });

  it("NeMo's .json, SpeechBrain's JSON and old CSV, lists of objects", async () => {
    put("a.wav", wav(1600));
    put(
      "train_manifest.json",
      '{"audio_filepath": "a.wav", "duration": 0.1, "text": "hi"}\n{"audio_filepath": "a.wav", "offset": 0.01, "duration": 0.05, "text": "ho"}\n',
    );
    expect(await texts("train_manifest")).toEqual({ a: "hi", "a#0.01-0.06": "ho" });
    put("one.json", '{"audio_filepath": "a.wav", "text": "hi"}');
    expect(await texts("one")).toEqual({ a: "hi" });
    put(
      "list.json",
      '[\n{"audio": "a.wav", "text": "hi"},\n{"audio": {"path": "a.wav"}, "text": "ho", "id": 7}, 5]',
    );
    expect(
      (await readCorpus(at("list.json"), undefined, { cache, onProblem: "skip" })).problems,
    ).toMatchObject([
      {
        kind: "manifest-row",
        message: expect.stringContaining("list.json:3 must be a JSON object, but is 5."),
      },
    ]);
    const rows = { u1: { wav: "{data_root}/a.wav", length: 0.1, words: "HI", spk_id: "7" } };
    for (const indent of [undefined, 2]) {
      put("brain.json", JSON.stringify(rows, null, indent));
      expect(await speakers("brain", root)).toEqual([["u1", "HI", "7"]]);
    }
    put(
      "brain.csv",
      "ID, duration, wav, wav_format, wav_opts, spk_id, wrd, wrd_format, wrd_opts\nu1, 0.1, $data_root/a.wav, wav, , 7, HI YOU, string,\n",
    );
    await expect(speakers("brain", root)).rejects.toThrow("must be one thing");
    expect(await speakers(undefined, at("brain.csv"))).toEqual([["u1", "HI YOU", "7"]]);
    put("gone.csv", "ID,wav,wrd\nu1,$data_root/b.wav,HI\n");
    await expect(texts("gone")).rejects.toThrow(
      `from $data_root. Put the directory there: sed -i 's|[$]data_root|`,
    );
    put("vox.csv", "ID,duration,wav,start,stop,spk_id,wrd\nu1,0.05,a.wav,0,400,x,HI\n");
    await expect(texts("vox")).rejects.toThrow("start and stop, which SpeechBrain counts in samples");
    expect(await listSplits(root)).not.toContain("package");
  });

  it("fairseq's tables: of a directory that is gone, and for translation", async () => {
    put("gone.tsv", "/nowhere\na.wav\t800\n");
    put("gone.wrd", "HI\n");
    await expect(texts("gone")).rejects.toThrow(
      "gone.tsv:1 must name the directory of the audio, but /nowhere does",
    );
    put("s2t.tsv", "id\taudio\tn_frames\ttgt_text\tspeaker\nu\ta.wav\t800\thi\t3\n");
    put("a.wav", wav(800));
    expect(await speakers("s2t", root)).toEqual([["u", "hi", "3"]]);
  });

  it("THCHS-30: the first line of three beside each recording", async () => {
    put("data_thchs30/data/A2_0.wav", wav(800));
    put("data_thchs30/data/A2_0.wav.trn", "绿 是 阳春 烟 景\nlv4 shi4 yang2 chun1\nl v4 sh ix4\n");
    expect(await texts("data", join(root, "data_thchs30"))).toEqual({ A2_0: "绿是阳春烟景" });
  });

  it("VoxForge: prompts in a directory beside that of the recordings", async () => {
    put("voxforge/anon-1/wav/rb-01.wav", wav(800));
    put("voxforge/anon-1/etc/PROMPTS", "anon-1/mfc/rb-01 HELLO THERE\n");
    put("voxforge/anon-1/etc/README", "of the recording");
    put("voxforge/ben-2/wav/rb-01.wav", wav(800));
    put("voxforge/ben-2/etc/PROMPTS", "ben-2/mfc/rb-01 AND AGAIN\n");
    expect(await texts(undefined, join(root, "voxforge"))).toEqual({
      "anon-1/wav/rb-01": "HELLO THERE",
      "ben-2/wav/rb-01": "AND AGAIN",
    });
  });

  it("VCTK: texts in a tree of their own, microphones apart", async () => {
    put("wav48_silence_trimmed/p225/p225_001_mic1.flac", flac(4800, 48000));
    put("wav48_silence_trimmed/p225/p225_001_mic2.flac", flac(4800, 48000));
    put("txt/p225/p225_001.txt", "Please call Stella.\n");
    put("speaker-info.txt", "ID AGE\n");
    const both = ["1", "2"].map((mic) => [`p225/p225_001_mic${mic}`, "Please call Stella.", "p225"]);
    expect(await speakers("wav48_silence_trimmed", root)).toEqual(both);
    expect(await speakers(undefined, root)).toEqual(
      both.map(([id, ...rest]) => [`wav48_silence_trimmed/${id}`, ...rest]),
    );
    put("old/wav48/p225/p225_001.wav", wav(800));
    put("old/txt/p225/p225_001.txt", "Please call Stella.\n");
    expect(await speakers("wav48", at("old"))).toEqual([["p225/p225_001", "Please call Stella.", "p225"]]);
  });

  it("TIMIT: names in capitals, and transcripts behind their first and last sample", async () => {
    const clip = "TRAIN/DR1/FCJF0/SA1";
    put(`${clip}.WAV`, wav(800));
    put(`${clip}.TXT`, "0 46797 She had your dark suit.\n");
    put(`${clip}.PHN`, "0 3050 h#\n");
    put(`${clip}.WRD`, "3050 5723 she\n");
    put("DOC/README.TXT", "x");
    expect(await speakers("TRAIN", root)).toEqual([["DR1/FCJF0/SA1", "She had your dark suit.", "FCJF0"]]);
    put("plain/a.wav", wav(800));
    put("plain/a.txt", "0 46797 are numbers");
    expect(await texts("plain")).toEqual({ a: "0 46797 are numbers" });
  });

  it("FLEURS, LJSpeech and other tables without names", async () => {
    put("fleurs/train.tsv", "903\t100.wav\tHi, you.\thi you\th i | y o u |\t800\tMALE\n");
    put("fleurs/audio/train/100.wav", wav(800));
    expect(await texts("train", at("fleurs"))).toEqual({ 100: "hi you" });
    put("lj/metadata.csv", 'LJ001|In 1455|In fourteen\nLJ002|"Yes" he|"Yes" he\n');
    put("lj/wavs/LJ001.wav", wav(800));
    put("lj/wavs/LJ002.wav", wav(900));
    const expected = { LJ001: "In fourteen", LJ002: '"Yes" he' };
    expect(await texts(undefined, at("lj/metadata.csv"))).toEqual(expected);
    expect(await texts("wavs", at("lj"))).toEqual(expected);
    put("a.wav", wav(800));
    put("comma.csv", 'a.wav,"yes, it is"\n');
    put("tab.tsv", 'it "is"\ta.wav\n');
    put("bar.txt", "a.wav|yes\n");
    put("semicolon.csv", "path;sentence\na.wav;hello, you\n");
    expect(await texts(undefined, at("comma.csv"))).toEqual({ a: "yes, it is" });
    expect(await texts("tab")).toEqual({ a: 'it "is"' });
    expect(await texts(undefined, at("bar.txt"))).toEqual({ a: "yes" });
    expect(await texts("semicolon")).toEqual({ a: "hello, you" });
    const unclear = put("unclear.csv", "a.wav,anna,yes\n");
    await expect(texts(undefined, unclear)).rejects.toThrow("Put a line above it such as audio,other1,text");
  });

  it("Kaldi: what decoding alone does is read without running it, and else the way out works", async () => {
    const audio = put("audio/r1.flac", flac(800));
    put("stereo.sph", Buffer.concat([Buffer.from(SPHERE.padEnd(1024)), Buffer.alloc(3200)]));
    const mark = join(root, "ran");
    const scp = [
      `sph sph2pipe -f wav -p -c 1 ${audio} |`,
      `sox sox ${audio} -t wav -r 16k -b 16 - |`,
      `two sph2pipe -f wav -p -c 2 ${join(root, "stereo.sph")} |`,
      "ark data/raw.ark:12",
      `odd cat ${audio} | tee ${mark} |`,
    ];
    put("data/wav.scp", `${scp.join("\n")}\n`);
    put("data/text", "sph A\nsox A\ntwo A\nark A\nodd A\n");
    const { utterances, problems: found } = await readCorpus(join(root, "data"), undefined, {
      cache,
      onProblem: "skip",
    });
    expect(utterances.map(({ id }) => id)).toEqual(["sox", "sph"]);
    const messageOf = (id: string) => found.find((problem) => problem.id === id)?.message ?? "";
    expect(messageOf("two")).toContain(
      `takes one of the 2 channels of ${join(root, "stereo.sph")}. Make a file of it: sph2pipe`,
    );
    expect(messageOf("ark")).toContain("ark lies in a Kaldi archive.");
    expect(existsSync(mark)).toBe(false);
    const [, command = ""] = /: (\(D=.*\))$/.exec(messageOf("odd")) ?? [];
    execFileSync("sh", ["-c", command], { stdio: "ignore" });
    expect(readFileSync(join(root, "data/odd.wav"))).toEqual(readFileSync(audio));
  });

  it("what has to be converted first is named with the command", async () => {
    const refused = async (name: string, file: string, contents: string | Uint8Array = "x") => {
      put(`${name}/${file}`, contents);
      return String(await readCorpus(at(name), "train", { cache }).catch((error: Error) => error.message));
    };
    expect(await refused("parquet", "data/train-00000-of-00001.parquet")).toContain(
      `data/train-00000-of-00001.parquet is a table of Hugging Face's datasets. Unpack it with: npx wav2vec2 data unpack ${at("parquet/data")} --to OUTPUT`,
    );
    put("saved/dataset_dict.json", '{"splits": ["train"]}');
    expect(await refused("saved", "train/data-00000-of-00001.arrow")).toContain(
      `data unpack ${at("saved")} --to OUTPUT`,
    );
    expect(await refused("lhotse", "recordings_train.jsonl.gz")).toContain(
      `lhotse kaldi export ${at("lhotse/recordings_train.jsonl.gz")} ${at("lhotse/supervisions_train.jsonl.gz")} OUTPUT`,
    );
    expect(await refused("tar", "wav/S0002.tar.gz")).toContain(
      `is an archive. Unpack all that lie there with: (cd ${at("tar/wav")} && for f in *.tar.gz; do tar -xf "$f"; done)`,
    );
    expect(await refused("folder", "data/train/a.wav", wav(800))).toContain(
      `It is in ${at("folder/data")}: give that.`,
    );
    put("kaldi/wav.scp", "");
    await expect(texts(undefined, at("kaldi/wav.scp"))).rejects.toThrow(
      `Give the directory: ${at("kaldi")}.`,
    );
    await expect(texts(undefined, put("x.parquet", "x"))).rejects.toThrow("data unpack");
  });
});

const SPHERE =
  "NIST_1A\n   1024\nchannel_count -i 2\nsample_rate -i 8000\nsample_count -i 800\nsample_n_bytes -i 2\nend_head\n";
