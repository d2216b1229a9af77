import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { forcedAlignment } from "./forced-alignment.js";

// Made by torchaudio: reference/golden_alignment.py.
const GOLDEN = new URL("../../../test/golden/alignments.json", import.meta.url);

interface Case {
  frames: number;
  size: number;
  blank: number;
  labels: number[];
  logits: number[];
  path: number[];
  score: number;
  spans: [start: number, end: number, probability: number][];
}

describe("forced alignment", () => {
  test("gives torchaudio's paths, scores and spans, with stars too", async () => {
    const cases = JSON.parse(await readFile(GOLDEN, "utf8")) as Case[];
    expect(cases.length).toBeGreaterThan(50);
    for (const { frames, size, blank, labels, logits, ...wanted } of cases) {
      const found = forcedAlignment(Float32Array.from(logits), frames, size, blank, Int32Array.from(labels));
      expect([...found.path]).toEqual(wanted.path);
      expect(found.score).toBeCloseTo(wanted.score, 9);
      expect(found.spans).toHaveLength(wanted.spans.length);
      for (const [index, { start, end, probability }] of found.spans.entries()) {
        expect([start, end]).toEqual(wanted.spans[index]!.slice(0, 2));
        expect(probability).toBeCloseTo(wanted.spans[index]![2], 8);
      }
    }
  });
});
