import { describe, expect, test } from "vitest";
import { Random } from "../../data/random.js";
import { CtcTokenizer } from "../tokenizer.js";
import { Vocabulary } from "../vocabulary.js";
import { alignableText } from "./alignable-text.js";
import { forcedAlignment, framesNeeded } from "./forced-alignment.js";
import { timedWords, wordTimes } from "./word-times.js";

const vocabulary = new Vocabulary(["<pad>", "<s>", "</s>", "<unk>", "|", "A", "B", "C"]);
const tokenizer = new CtcTokenizer(vocabulary);

describe("times", () => {
  test("are those of the frames from the first to behind the last, on from where the piece begins", () => {
    const labels = tokenizer.encode("AB C");
    const spans = [
      { start: 1, end: 3, probability: 0.5 },
      { start: 4, end: 5, probability: 0.8 },
      { start: 5, end: 6, probability: 0.9 },
      { start: 8, end: 10, probability: 1 },
    ];
    const range = { secondsPerFrame: 0.25, startSeconds: 100, endSeconds: 102.4 };
    expect(timedWords(tokenizer, labels, spans, range)).toEqual([
      {
        text: "AB",
        start: 100.25,
        end: 101.25,
        confidence: expect.closeTo(0.6, 12), // (0.5 + 0.5 + 0.8) / 3
        characters: [
          { text: "A", start: 100.25, end: 100.75, confidence: 0.5 },
          { text: "B", start: 101, end: 101.25, confidence: 0.8 },
        ],
      },
      {
        text: "C",
        start: 102,
        end: 102.4,
        confidence: 1,
        characters: [{ text: "C", start: 102, end: 102.4, confidence: 1 }],
      },
    ]);
  });

  test("of decoded labels are those of the words that the tokenizer makes of them", () => {
    const lower = new CtcTokenizer(vocabulary, { lowerCase: true });
    const labels = Int32Array.from([4, 4, 5, 3, 6, 4, 4, 7, 1, 4]); // | | A <unk> B | | C <s> |
    const spans = [...labels.keys()].map((start) => ({ start, end: start + 1, probability: 1 }));
    const words = timedWords(lower, labels, spans, { secondsPerFrame: 1, startSeconds: 0, endSeconds: 9 });
    expect(words.map(({ text, start, end }) => [text, start, end])).toEqual([
      ["ab", 2, 5],
      ["c", 7, 8],
    ]);
    expect(words.map(({ text }) => text)).toEqual(
      lower.decode(labels, { groupTokens: false }).split(" ").filter(Boolean),
    );
  });

  const oneFrameEach = (labels: Int32Array, frames = 1) =>
    [...labels.keys()].map((i) => ({ start: i * frames, end: (i + 1) * frames, probability: 1 }));

  test("without a word delimiter are those of each token, with its marks and punctuation", () => {
    const tokens = ["<pad>", "<unk>", "あ", "い", "、", "。", "「", "」", "か", "\u3099", "A", "B"];
    const japanese = new CtcTokenizer(new Vocabulary(tokens, { wordDelimiter: null }));
    const labels = japanese.encode("「あい」、か\u3099。AB");
    const words = timedWords(japanese, labels, oneFrameEach(labels), {
      secondsPerFrame: 0.5,
      startSeconds: 0,
      endSeconds: 99,
    });
    expect(words.map(({ text, start, end }) => [text, start, end])).toEqual([
      ["「あ", 0, 1],
      ["い」、", 1, 2.5],
      ["か\u3099。", 2.5, 4],
      ["A", 4, 4.5],
      ["B", 4.5, 5],
    ]);
    expect(words[1]!.characters.map(({ text }) => text)).toEqual(["い", "」", "、"]);
    expect(words.map(({ text }) => text).join("")).toBe(japanese.decode(labels, { groupTokens: false }));
  });

  test.each([
    ["今日は天気が良い", 0.25, 1], // what a word may be
    ["今日は天気が良い", 1, 8], // eight seconds
    ["今日".repeat(11), 0.25, 22], // 44 columns
    ["abc".repeat(15), 1, 1], // letters with spaces between words
  ])(
    "with a word delimiter that %s does not have, at %f s a letter, are of %i words",
    (text, secondsPerFrame, count) => {
      const delimited = new CtcTokenizer(Vocabulary.fromTranscripts([text]));
      const labels = delimited.encode(text);
      const range = { secondsPerFrame, startSeconds: 0, endSeconds: 99 };
      expect(timedWords(delimited, labels, oneFrameEach(labels), range)).toHaveLength(count);
    },
  );

  test("are of words in lower case as the text is", () => {
    const greek = new CtcTokenizer(Vocabulary.fromTranscripts(["ΟΔΟΣ ΣΑ"]), { lowerCase: true });
    const labels = greek.encode("οδος σα");
    const words = timedWords(greek, labels, oneFrameEach(labels), {
      secondsPerFrame: 1,
      startSeconds: 0,
      endSeconds: 99,
    });
    expect(words.map(({ text }) => text).join(" ")).toBe(greek.decode(labels, { groupTokens: false }));
  });

  test("of any emissions and texts lie within the recording, in order, and the words are the text", () => {
    const random = new Random(1, "times");
    let aligned = 0;
    for (let trial = 0; trial < 200; trial++) {
      const word = () =>
        Array.from({ length: 1 + random.integer(4) }, () => "ABC*"[random.integer(4)]!).join("");
      const text = Array.from({ length: 1 + random.integer(5) }, word).join(" ");
      const frames = 1 + random.integer(80);
      const { labels, words } = alignableText(tokenizer, text, { name: "clip" });
      if (framesNeeded(labels) > frames) continue;
      aligned++;
      const logits = Float32Array.from({ length: frames * 8 }, () => 9 * random.uniform());
      const { spans } = forcedAlignment(logits, frames, 8, 0, labels);
      const duration = frames * 0.02 - 0.015 * random.uniform();
      const timed = wordTimes(words, spans, { secondsPerFrame: 0.02, startSeconds: 0, endSeconds: duration });
      expect(timed.map((each) => each.text).join(" ")).toBe(text);
      let last = 0;
      for (const { start, end, confidence, characters, ...each } of timed) {
        expect(characters.map((character) => character.text).join("")).toBe(each.text);
        expect([start, end]).toEqual([characters[0]!.start, characters.at(-1)!.end]);
        expect(confidence).toBeGreaterThan(0);
        for (const character of characters) {
          expect(character.start).toBeGreaterThanOrEqual(last);
          expect(character.end).toBeGreaterThanOrEqual(character.start);
          expect(character.confidence).toBeLessThanOrEqual(1);
          last = character.end;
        }
      }
      expect(last).toBeLessThanOrEqual(duration);
    }
    expect(aligned).toBeGreaterThan(100);
  });
});
