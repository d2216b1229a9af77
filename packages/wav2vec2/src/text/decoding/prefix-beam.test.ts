import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { beamDecode } from "./prefix-beam.js";

/** The most likely labels by adding up every alignment of so many frames. */
function bruteForce(logits: Float32Array, frames: number, vocabulary: number, blank: number): string {
  const sums = new Map<string, number>();
  for (let path = 0; path < vocabulary ** frames; path++) {
    let [probability, previous, rest] = [1, -1, path];
    const labels: number[] = [];
    for (let frame = 0; frame < frames; frame++) {
      const row = logits.subarray(frame * vocabulary, (frame + 1) * vocabulary);
      const id = rest % vocabulary;
      rest = Math.floor(rest / vocabulary);
      probability *= Math.exp(row[id]!) / row.reduce((sum, value) => sum + Math.exp(value), 0);
      if (id !== previous && id !== blank) labels.push(id);
      previous = id;
    }
    sums.set(labels.join(), (sums.get(labels.join()) ?? 0) + probability);
  }
  return [...sums].sort((a, b) => b[1] - a[1])[0]![0];
}

describe("prefix beam search", () => {
  it("finds the most likely labels over all alignments", () => {
    const random = new Random(3, "beam");
    for (let trial = 0; trial < 60; trial++) {
      const [frames, vocabulary] = [1 + random.integer(6), 2 + random.integer(3)];
      const blank = random.integer(vocabulary);
      const logits = Float32Array.from({ length: frames * vocabulary }, () => 4 * random.uniform());
      const labels = beamDecode(logits, frames, vocabulary, blank, 1000);
      expect(labels.join()).toBe(bruteForce(logits, frames, vocabulary, blank));
    }
  });

  it("keeps a label that is spread over frames, each of which prefers the blank", () => {
    const row = [Math.log(0.6), Math.log(0.4)];
    expect([...beamDecode(Float32Array.from([...row, ...row]), 2, 2, 0, 4)]).toEqual([1]);
  });

  it("takes no frames, and refuses sizes that do not fit, NaN and an empty beam", () => {
    expect(beamDecode(new Float32Array(0), 0, 3, 0, 4)).toHaveLength(0);
    expect(() => beamDecode(new Float32Array(4), 1, 3, 0, 4)).toThrow(/must hold 1 x 3/);
    expect(() => beamDecode(Float32Array.of(0, Number.NaN), 1, 2, 0, 4)).toThrow(/frame 0 holds NaN/);
    expect(() => beamDecode(Float32Array.of(0, 1), 1, 2, 0, 0)).toThrow(/at least 1/);
  });
});
