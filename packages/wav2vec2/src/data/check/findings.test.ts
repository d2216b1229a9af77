import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { findDuplicates } from "./duplicates.js";
import { writeExcludeList } from "./exclude-list.js";
import { formRemarks, transcriptFindings } from "./transcript-findings.js";

const utterance = (id: string, text?: string, seconds = 1) => ({
  id,
  path: `${id}.flac`,
  samples: 16000 * seconds,
  seconds,
  ...(text !== undefined && { text }),
});

describe("transcriptFindings", () => {
  const problems = (text: string, characters?: Set<string>) =>
    transcriptFindings(utterance("a", text), characters).problems.map(
      ({ kind, message }) => `${kind}: ${message}`,
    );

  it("lets any script pass without a vocabulary, with its joiners, but no control characters", () => {
    for (const text of ["HELLO 42", "grüße, ça va?", "می‌خواهم", "क्‍ष", "日本語", "👩‍🚀"])
      expect(problems(text)).toEqual([]);
    for (const [text, code] of [
      ["a\u0000b", "0000"],
      ["a\u00ADb", "00AD"],
      ["\uFEFFab", "FEFF"],
      ["a\uFFFDb", "FFFD"],
      ["a\uD800b", "D800"],
    ] as const) {
      expect(problems(text)).toEqual([expect.stringMatching(`^control-character: .*U\\+${code}`)]);
    }
  });

  it("names each unknown character once, and the case that would do", () => {
    const known = new Set(["A", "B", " "]);
    expect(problems("AB BA", known)).toEqual([]);
    expect(problems("A-É-B", known)).toEqual([
      'unknown-character: transcript of a must be of the vocabulary\'s characters, but holds "-" (U+002D), "É" (U+00C9).',
    ]);
    expect(problems("Abba", known)[0]).toMatch(/Write it in upper case\.$/);
    expect(problems("AB", new Set("ab"))[0]).toMatch(/Write it in lower case\.$/);
    expect(problems("A B", new Set("AB"))[0]).toContain('" " (U+0020)');
  });

  it("knows characters in another form", () => {
    expect(problems("cafe\u0301’", new Set("café'"))).toEqual([]);
    expect(problems("caf\u00e9", new Set("cafe\u0301"))).toEqual([]);
    expect(problems("caf\u00e9", new Set("cafe"))[0]).toContain('"é" (U+00E9)');
  });

  it("remarks on more characters a second than anyone speaks, and on fewer", () => {
    const rate = (length: number, seconds: number) =>
      transcriptFindings(utterance("a", "A".repeat(length), seconds), undefined).remarks.map(
        ({ kind }) => kind,
      );
    expect(rate(40, 1)).toEqual([]);
    expect(rate(41, 1)).toEqual(["speaking-rate"]);
    expect(rate(5, 5)).toEqual([]);
    expect(rate(5, 6)).toEqual(["speaking-rate"]);
  });
});

describe("formRemarks", () => {
  const remarks = (texts: string[], characters?: Set<string>) =>
    formRemarks(
      texts.map((text, i) => utterance(String(i), text)),
      characters,
    ).map(({ kind, id, message }) => [kind, id, message]);

  it("names each letter that is written in several ways, with a clip", () => {
    expect(remarks(["caf\u00e9", "caf\u00e9", "cafe\u0301", "it's", "it’s"])).toEqual([
      [
        "several-forms",
        "4",
        "' is written in two ways (2 clips, such as 3 and 4): U+0027 in 1, U+2019 in 1. A model takes them for different letters; training reads them as one.",
      ],
      [
        "several-forms",
        "2",
        "é is written in two ways (3 clips, such as 0 and 2): U+00E9 in 2, U+0065 U+0301 in 1. A model takes them for different letters; training reads them as one.",
      ],
    ]);
    expect(remarks(["cafe\u0301", "DON'T", "می\u200cخواهم میخواهم", "σοφος"])).toEqual([]);
  });

  it("counts transcripts that are in another form than a vocabulary", () => {
    expect(remarks(["caf\u00e9", "cafe"], new Set("cafe\u0301"))).toEqual([
      [
        "other-form",
        "0",
        '1 transcript has letters in another form than the vocabulary, such as 0: "é" is U+00E9 here and U+0065 U+0301 there. They are read in its form.',
      ],
    ]);
    expect(remarks(["caf\u00e9"], new Set("café"))).toEqual([]);
  });
});

describe("findDuplicates", () => {
  const clip = (id: string, digest: string, text?: string) => ({ clip: utterance(id, text), digest });

  it("keeps the first of equal clips, and none where transcripts differ", () => {
    const found = findDuplicates([
      clip("a", "1", "X"),
      clip("b", "2", "X"),
      clip("c", "1", "X"),
      clip("d", "3", "X"),
      clip("e", "3", "Y"),
      clip("f", "3", "Y"),
      clip("g", "1", "X"),
    ]);
    expect(found.map(({ id, kind }) => [id, kind])).toEqual([
      ["c", "duplicate-audio"],
      ["g", "duplicate-audio"],
      ["d", "contradictory-transcripts"],
      ["e", "contradictory-transcripts"],
      ["f", "contradictory-transcripts"],
    ]);
    expect(found[1]!.message).toBe("g.flac must have samples of its own, but has those of a.flac.");
    expect(found[4]!.message).toContain('d.flac holds the same samples with another: "Y" and "X"');
  });

  it("treats unlabelled clips as alike", () => {
    expect(findDuplicates([clip("a", "1"), clip("b", "1")]).map(({ kind }) => kind)).toEqual([
      "duplicate-audio",
    ]);
  });
});

it("leaves a good clip in that shares its id with a bad one", async () => {
  const directory = await mkdtemp(join(tmpdir(), "exclude-"));
  const problem = (id: string, file: string) => ({
    id,
    file,
    kind: "silent" as const,
    message: `${file} is\nsilent.`,
  });
  const count = await writeExcludeList(join(directory, "list"), {
    good: [utterance("a")],
    problems: [problem("a", "dev/a.flac"), problem("b", "b.flac"), problem("b", "b.flac"), problem("", "x")],
  });
  expect(count).toBe(3);
  expect(await readFile(join(directory, "list"), "utf8")).toBe(
    `${resolve("dev/a.flac")}  # silent: dev/a.flac is silent.\n` +
      "b  # silent: b.flac is silent. silent: b.flac is silent.\n" +
      `${resolve("x")}  # silent: x is silent.\n`,
  );
  await rm(directory, { recursive: true });
});
