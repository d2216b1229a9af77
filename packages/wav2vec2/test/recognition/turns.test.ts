import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nn, scope } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { readAudio } from "../../src/audio/audio-file.js";
import type { AudioSource } from "../../src/audio/audio-source.js";
import { streamAudio } from "../../src/audio/audio-stream.js";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { openSource } from "../../src/audio/sources/open-source.js";
import { encodeWav } from "../../src/audio/wav/wav.js";
import { Random } from "../../src/data/random.js";
import { inTurns } from "../../src/in-turns.js";
import { createConfig } from "../../src/model/configuration.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { Aligner } from "../../src/recognition/alignment/align.js";
import { Recognizer } from "../../src/recognition/recognizer.js";
import { makeDecoder } from "../../src/recognition/transcript/decoding-choice.js";
import { transcriptOf } from "../../src/recognition/transcript/transcript-of.js";
import { alignmentSteps, forcedAlignment } from "../../src/text/alignment/forced-alignment.js";
import { textFit } from "../../src/text/alignment/text-fit.js";
import { CtcDecoder } from "../../src/text/decoding/ctc-decoder.js";
import { loadLanguageModel } from "../../src/text/language-model/load-language-model.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";
import { temporaryDirectory } from "../fixtures/temporary-directory.js";

// The library leaves the event loop its turns: what else a server does goes on. Turns are counted, not timed.

/** How often the event loop has its turn while some work is done. */
async function turnsOf(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let done = false;
  const count = (): void => {
    turns++;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await work();
  done = true;
  return turns;
}

const random = new Random(1, "turns");
const noise = (seconds: number) =>
  Float32Array.from({ length: seconds * 16_000 }, () => random.uniform() - 0.5);

const vocabulary = Vocabulary.fromTranscripts(["ABC "]);
const ctc = {
  model: scope(
    () =>
      new Wav2Vec2ForCTC(
        createConfig({
          vocabSize: vocabulary.size,
          padTokenId: vocabulary.blankId,
          hiddenSize: 16,
          numHiddenLayers: 1,
          numAttentionHeads: 2,
          intermediateSize: 16,
          convDim: [8, 8],
          convKernel: [20, 16],
          convStride: [20, 16],
          numConvPosEmbeddings: 4,
          numConvPosEmbeddingGroups: 2,
        }),
      ),
  ),
  tokenizer: new CtcTokenizer(vocabulary),
  normalize: false,
};

describe("the event loop has its turn", () => {
  it("many times while audio in memory is read", async () => {
    const seconds = 40;
    const samples = noise(seconds);
    for (const bytes of [
      encodeFlac(samples, 16_000),
      encodeWav(samples, 44_100),
      encodeFlac(samples, 48_000),
    ])
      expect(await turnsOf(() => readAudio(bytes))).toBeGreaterThan(8);
    for (const source of [encodeFlac(samples, 16_000), [samples], samples])
      expect(
        await turnsOf(async () => {
          for await (const _ of streamAudio(source));
        }),
      ).toBeGreaterThanOrEqual(seconds);
  });

  it("while sources of one large part are read, whatever they are", async () => {
    const samples = noise(130); // 4 MB of 16 bits
    const wav = encodeWav(samples, 16_000);
    const flac = encodeFlac(samples, 16_000);
    const sources: Record<string, AudioSource> = {
      "a Blob": new Blob([wav]),
      "an ArrayBuffer": wav.slice().buffer,
      "one chunk": [wav],
      "one chunk of FLAC": [flac],
      "a web stream of one chunk": new Blob([wav]).stream(),
      samples,
      "a block of samples": [samples],
    };
    for (const [name, source] of Object.entries(sources)) {
      const isStream = name.includes("web");
      if (!isStream) expect(await turnsOf(() => readAudio(source)), name).toBeGreaterThan(12);
      const stream = async () => {
        for await (const _ of streamAudio(source));
      };
      expect(await turnsOf(stream), name).toBeGreaterThan(130);
    }
    let largest = 0;
    const opened = await openSource([wav]);
    if (opened.kind !== "stream") throw new Error("bytes are a stream");
    for await (const { length } of opened.chunks) largest = Math.max(largest, length);
    expect(largest).toBeLessThanOrEqual(2 ** 16);
  });

  it("between the windows of a recording in memory and while it is decoded", async () => {
    const recognizer = new Recognizer(ctc);
    const seconds = 90; // five windows
    const turns = await turnsOf(() => recognizer.transcribe(noise(seconds), { words: true }));
    expect(turns).toBeGreaterThanOrEqual(seconds + seconds / 2 + 5);
  });

  it("while many hotwords and the words of a language model are gone through", async () => {
    const words = Array.from(
      { length: 27 ** 3 },
      (_, i) => [i, i / 27, i / 729].map((n) => "ABC"[Math.floor(n) % 3]).join("") + i,
    ).map((word) => word.replace(/\d/g, (digit) => "ABCABCABCA"[Number(digit)]! + "C".repeat(Number(digit))));
    const unique = [...new Set(words)];
    expect(await turnsOf(() => makeDecoder(ctc.tokenizer, { hotwords: unique }))).toBeGreaterThan(20);
    const path = join(await temporaryDirectory("turns"), "words.arpa");
    const unigrams = ["<s>", "</s>", ...unique].map((word) => `-2\t${word}\t-0.5`);
    const bigrams = unique.map((word) => `-1\t<s> ${word}`);
    const counts = `ngram 1=${unigrams.length}\nngram 2=${bigrams.length}`;
    const sections = ["\\1-grams:", ...unigrams, "", "\\2-grams:", ...bigrams, "", "\\end\\", ""];
    await writeFile(path, `\\data\\\n${counts}\n\n${sections.join("\n")}`);
    expect(await turnsOf(() => loadLanguageModel(path))).toBeGreaterThan(20);
    const languageModel = await loadLanguageModel(path);
    const decoder = () => inTurns(CtcDecoder.inSteps(ctc.tokenizer, { languageModel }));
    expect(await turnsOf(decoder)).toBeGreaterThan(20);
  });

  it("while emissions are decoded as a whole", async () => {
    const recognizer = new Recognizer(ctc, new CtcDecoder(ctc.tokenizer, { beamWidth: 4 }));
    const frames = 3000;
    const logits = Float32Array.from({ length: frames * vocabulary.size }, () => random.uniform());
    expect(await turnsOf(() => recognizer.read({ logits, frames }, frames * 320))).toBeGreaterThanOrEqual(29);
  });

  it("while a long text is aligned, and the alignment is the same", async () => {
    const frames = 6000;
    const logits = Float32Array.from({ length: frames * 8 }, () => random.uniform());
    const labels = Int32Array.from({ length: 2500 }, () => 1 + random.integer(7));
    let aligned: unknown;
    const turns = await turnsOf(async () => {
      aligned = await inTurns(alignmentSteps(logits, frames, 8, 0, labels));
    });
    expect(turns).toBeGreaterThan(10);
    const { path, scores, ...rest } = forcedAlignment(logits, frames, 8, 0, labels);
    expect(aligned).toEqual({ path, scores, ...rest });
    const fitting = await turnsOf(() => inTurns(textFit(logits, 8, 0, { path, scores }, 0.02)));
    expect(fitting).toBeGreaterThanOrEqual(12);
    expect(await turnsOf(() => new Aligner(ctc).align(noise(60), "A B C"))).toBeGreaterThanOrEqual(60);
  });
});

describe("a signal", () => {
  it("is heeded between two windows of samples that are all there", async () => {
    const recognizer = new Recognizer(ctc);
    const stop = new AbortController();
    const reason = new Error("enough");
    let partials = 0;
    const onPartial = () => {
      partials++;
      stop.abort(reason);
    };
    const whole = recognizer.transcribe(noise(200), { signal: stop.signal, onPartial });
    await expect(whole).rejects.toBe(reason);
    expect(partials).toBe(1);
    const later = new AbortController();
    setImmediate(() => later.abort(reason));
    await expect(recognizer.transcribe(noise(200), { signal: later.signal })).rejects.toBe(reason);
    const aligning = new AbortController();
    setImmediate(() => aligning.abort(reason));
    await expect(new Aligner(ctc).align(noise(200), "A", { signal: aligning.signal })).rejects.toBe(reason);
  });
});

describe("a model in memory", () => {
  it("is a recogniser's, with options of decoding, and stays usable for training", async () => {
    const recognizer = new Recognizer(ctc, { beamWidth: 3 });
    expect(recognizer.decoder.options.beamWidth).toBe(3);
    const { text, start, end, words, segments } = await recognizer.transcribe(noise(2));
    expect([typeof text, start, end, words]).toEqual(["string", 0, 2, []]);
    expect(segments).toHaveLength(1);
    expect(ctc.model).toBeInstanceOf(nn.Module);
    expect(() => new Recognizer(ctc, { beamWidth: 0 })).toThrow("beamWidth must be");
  });

  it("gives times without the noise of floating point", async () => {
    const [secondsPerFrame, firstFrame, frames] = [0.02, 35, 8];
    expect(String(firstFrame * secondsPerFrame)).toBe("0.7000000000000001");
    const hypothesis = {
      text: "",
      labels: new Int32Array(0),
      score: 0,
      acousticScore: 0,
      lmScore: 0,
      blankShare: 1,
    };
    const piece = { hypothesis, emissions: { logits: new Float32Array(0), frames }, firstFrame };
    const { start, end } = await transcriptOf(ctc.tokenizer, piece, { words: true, secondsPerFrame });
    expect([start, end]).toEqual([0.7, 0.86]);
  });
});
