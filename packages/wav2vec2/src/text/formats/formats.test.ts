import { describe, expect, test } from "vitest";
import { Random } from "../../data/random.js";
import { displayWidth } from "../../unicode/display-width.js";
import { graphemes } from "../../unicode/unicode-forms.js";
import { cuesOf } from "./cues.js";
import { type Format, transcriptWriter } from "./formats.js";
import { spacedWords, type TimedWord, type Transcript } from "./transcript.js";

function word(text: string, start: number, end: number, confidence = 0.9): TimedWord {
  const step = (end - start) / [...text].length;
  const characters = [...text].map((character, i) => ({
    text: character,
    start: start + i * step,
    end: start + (i + 1) * step,
    confidence,
  }));
  return { text, start, end, confidence, characters };
}

/** Words with spaces between. */
function spaced(words: TimedWord[]) {
  return words.map((each, index) => ({ ...each, spaced: index > 0 }));
}

function transcript(words: TimedWord[], start: number, end: number): Transcript {
  return { text: words.map(({ text }) => text).join(" "), start, end, words };
}

function write(format: Format, parts: Transcript[], options = {}): string {
  const writer = transcriptWriter(format, "a clip.wav", options);
  return writer.begin() + parts.map((part) => writer.add(part)).join("") + writer.end();
}

const parts = [
  transcript([word("a<b", 0.5, 1), word('say"', 1.02, 1.5, 0.5)], 0, 4),
  transcript([], 4, 6),
  transcript([word("-->", 3661.25, 3661.5)], 3660, 3662),
];

describe("formats", () => {
  test("SRT numbers cues through all parts", () => {
    expect(write("srt", parts)).toBe(
      '1\n00:00:00,500 --> 00:00:01,500\na<b say"\n\n2\n01:01:01,250 --> 01:01:02,000\n-->\n\n',
    );
  });

  test("WebVTT escapes what would be markup", () => {
    expect(write("vtt", parts)).toBe(
      'WEBVTT\n\n00:00:00.500 --> 00:00:01.500\na&lt;b say"\n\n01:01:01.250 --> 01:01:02.000\n--&gt;\n\n',
    );
  });

  test("CTM has a word a line", () => {
    expect(write("ctm", parts)).toBe(
      'a_clip 1 0.500 0.500 a<b 0.900\na_clip 1 1.020 0.480 say" 0.500\na_clip 1 3661.250 0.250 --> 0.900\n',
    );
  });

  test("JSON is one object whose words can be read back", () => {
    const read = JSON.parse(write("json", parts, { characters: true }));
    expect(read).toMatchObject({ file: "a clip.wav", text: 'a<b say" -->', duration: 3662 });
    expect(read.words).toHaveLength(3);
    expect(read.words[0]).toMatchObject({ text: "a<b", start: 0.5, end: 1, confidence: 0.9 });
    expect(read.words[0].characters[2]).toEqual({ text: "b", start: 0.833, end: 1, confidence: 0.9 });
    expect(JSON.parse(write("json", [transcript([], 0, 2)]))).toEqual({
      file: "a clip.wav",
      words: [],
      text: "",
      duration: 2,
    });
  });

  test("text is a line a part, an empty one where nothing was said", () => {
    expect(write("text", parts)).toBe('a<b say"\n-->\n');
    expect(write("text", [transcript([], 0, 2)])).toBe("\n");
  });

  test("TextGrid intervals fill each tier without gaps or overlaps", () => {
    const text = write("textgrid", parts);
    expect(text).toContain('text = "say"""');
    const tiers = text.split("item [").slice(2);
    expect(tiers).toHaveLength(2);
    for (const tier of tiers) {
      const bounds = [...tier.matchAll(/^ {12}xm(?:in|ax) = (.*)$/gm)].map(([, value]) => Number(value));
      expect(bounds.length).toBe(2 * Number(/size = (\d+)/.exec(tier)![1]));
      expect([bounds[0], bounds.at(-1)]).toEqual([0, 3662]);
      for (let i = 0; i < bounds.length; i += 2) {
        expect(bounds[i + 1]!).toBeGreaterThan(bounds[i]!);
        if (i > 0) expect(bounds[i]).toBe(bounds[i - 1]);
      }
    }
  });
});

describe("cues", () => {
  test("of any words keep all of them in order, in two lines and seven seconds, without overlap", () => {
    const random = new Random(4, "cues");
    for (let trial = 0; trial < 50; trial++) {
      let time = 0;
      const words = Array.from({ length: 1 + random.integer(80) }, () => {
        time += random.uniform() < 0.1 ? 2 * random.uniform() : 0.05 * random.uniform();
        const start = time;
        time += 0.05 + 0.6 * random.uniform();
        return word("x".repeat(1 + random.integer(12)), start, time);
      });
      const cues = cuesOf(spaced(words), time + 0.3);
      expect(cues.flatMap(({ lines }) => lines.join(" ").split(" "))).toEqual(words.map(({ text }) => text));
      for (const [index, { start, end, lines }] of cues.entries()) {
        expect(lines.length).toBeLessThanOrEqual(2);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
        expect(end).toBeGreaterThan(start);
        expect(end - start).toBeLessThanOrEqual(7);
        expect(end).toBeLessThanOrEqual(cues[index + 1]?.start ?? time + 0.3);
      }
    }
  });

  test("two lines are about as long", () => {
    const words = "the quick brown fox jumps over the lazy dog again".split(" ");
    const [cue] = cuesOf(spaced(words.map((text, i) => word(text, i * 0.3, i * 0.3 + 0.3))), 9);
    expect(cue!.lines).toEqual(["the quick brown fox jumps", "over the lazy dog again"]);
  });
});

describe("cues of writing without spaces", () => {
  /** Letters of scripts, some with marks, and the columns that a line of them has at most. */
  const SCRIPTS: [name: string, letters: string, columns: number][] = [
    ["Japanese", "あいうえおかきくけこさしすせそ東京駅、。", 32],
    ["Chinese", "我们今天去北京大学看书，。", 32],
    ["Thai", "ก ข คำ งี่ จ ฉ ช ซ", 35],
    ["Lao", "ກ ຂ ຄຳ ງີ່ ຈ", 35],
    ["Khmer", "ក ខ គា ឃិ ង។", 35],
    ["Burmese", "က ခ ဂါ ဃိ င။", 35],
    ["Tibetan", "ཀ ཁ གི ང་", 42],
    ["letters without a delimiter", "abcdefg", 42],
  ];

  test.each(SCRIPTS)(
    "%s: all characters in order, in two lines and seven seconds",
    (name, letters, columns) => {
      const random = new Random(5, name);
      const tokens = graphemes(letters).filter((letter) => letter !== " ");
      for (let trial = 0; trial < 20; trial++) {
        let time = 0;
        const words = Array.from({ length: 1 + random.integer(200) }, () => {
          time += random.uniform() < 0.05 ? random.uniform() : 0.05 * random.uniform();
          const start = time;
          time += 0.05 + 0.1 * random.uniform();
          return word(tokens[random.integer(tokens.length)]!, start, time);
        });
        const text = words.map((each) => each.text).join("");
        const cues = cuesOf(spacedWords(text, words), time + 0.3);
        expect(cues.flatMap(({ lines }) => lines).join("")).toBe(text);
        for (const [index, { start, end, lines }] of cues.entries()) {
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
          expect(end).toBeGreaterThan(start);
          expect(end - start).toBeLessThanOrEqual(7);
          expect(end).toBeLessThanOrEqual(cues[index + 1]?.start ?? time + 0.3);
        }
      }
    },
  );

  test("end behind a sentence, a clause or a pause rather than in the middle of a word", () => {
    const text =
      "昨日は雨が降っていましたから家で本を読んでいました。今日は天気がいいので、公園まで歩いて行きました。";
    const words = [...text].map((letter, i) => word(letter, i * 0.2, i * 0.2 + 0.2));
    const cues = cuesOf(spacedWords(text, words), 20).map(({ lines }) => lines);
    expect(cues.map((lines) => lines.join("").at(-1))).toEqual(["。", "。"]);
    const paused = [..."あ".repeat(60)].map((letter, i) =>
      word(letter, i * 0.15 + (i >= 24 ? 0.4 : 0), i * 0.15 + 0.15 + (i >= 24 ? 0.4 : 0)),
    );
    expect(cuesOf(spacedWords("あ".repeat(60), paused), 20)[0]!.lines.join("")).toBe("あ".repeat(24));
  });

  test("do not begin a line with a small kana or a mark", () => {
    const text = `あ${"きゃ".repeat(40)}`;
    const words = [...text].map((letter, i) => word(letter, i * 0.1, i * 0.1 + 0.1));
    for (const { lines } of cuesOf(spacedWords(text, words), 20))
      for (const line of lines) expect(line).toMatch(/^[あき]/);
  });

  test("keep the spaces that the text has", () => {
    const words = [..."วันนี้ฝนตก"].map((letter, i) => word(letter, i * 0.1, i * 0.1 + 0.1));
    expect(cuesOf(spacedWords("วันนี้ ฝนตก", words), 5)[0]!.lines).toEqual(["วันนี้ ฝนตก"]);
  });
});

test("an emoji takes two columns of a line, which else stays as long as it was", () => {
  const text = `😀 ${"word ".repeat(8)}`.trim();
  const words = text.split(" ").map((each, i) => word(each, i * 0.2, i * 0.2 + 0.2));
  expect(cuesOf(spacedWords(text, words), 9)[0]!.lines).toEqual([text]);
});

describe("a word", () => {
  test("longer than a line is divided, with the times of its characters", () => {
    const [first, second] = cuesOf(spaced([word("a".repeat(100), 0, 5)]), 9);
    expect([first!.lines, second!.lines]).toEqual([["a".repeat(42), "a".repeat(42)], ["a".repeat(16)]]);
    expect(second!.start).toBeCloseTo(4.2, 6);
    const { characters: _, ...unknown } = word("b".repeat(60), 0, 5); // as it comes out of JSON
    expect(
      cuesOf(spaced([unknown as TimedWord]), 9)
        .flatMap(({ lines }) => lines)
        .join(""),
    ).toBe("b".repeat(60));
  });

  test("longer than seven seconds is divided, and a character is shown for seven", () => {
    const cues = cuesOf(spaced([word("abcd", 0, 20)]), 30);
    expect(cues.map(({ lines }) => lines.join(""))).toEqual(["a", "b", "c", "d"]);
    const [star, ...rest] = cuesOf(spaced([word("*", 2, 30)]), 40);
    expect([star, rest]).toEqual([{ start: 2, end: 9, lines: ["*"] }, []]);
  });
});

test("formats of several pieces join them as their writing does", () => {
  const parts = (texts: string[]) =>
    texts.map(
      (text, i): Transcript => ({
        text,
        start: i,
        end: i + 1,
        words: [...text].map((c, k) => word(c, i + k / 10, i + k / 10 + 0.1)),
      }),
    );
  const json = (texts: string[]) => {
    const writer = transcriptWriter("json", "a.wav");
    return JSON.parse(
      writer.begin() +
        parts(texts)
          .map((each) => writer.add(each))
          .join("") +
        writer.end(),
    ).text;
  };
  expect(json(["今日は。", "", "いい天気"])).toBe("今日は。いい天気");
  expect(json(["ONE", "TWO"])).toBe("ONE TWO");
  expect(json(["สวัสดี", "ครับ"])).toBe("สวัสดี ครับ");
});

test.each(["srt", "vtt", "ctm", "textgrid"] as const)(
  "%s says that it needs words, and is empty for silence",
  (format) => {
    const writer = transcriptWriter(format, "a.wav");
    writer.begin();
    expect(() => writer.add({ text: "there is text", start: 0, end: 2, words: [] })).toThrow(
      "Transcribe with words: true.",
    );
    expect(() => writer.add({ text: "", start: 0, end: 2, words: [] })).not.toThrow();
  },
);

test("what kept the rest of a recording from being recognised stands in its JSON", () => {
  const writer = transcriptWriter("json", "a.flac");
  const written = `${writer.begin()}${writer.end("a.flac must be whole, but is cut.")}`;
  expect(JSON.parse(written)).toMatchObject({ error: "a.flac must be whole, but is cut." });
});
