import { describe, expect, test } from "vitest";
import { Random } from "../../data/random.js";
import { forcedAlignment, framesNeeded, WILDCARD } from "./forced-alignment.js";

const BLANK = 0;

function randomLogits(random: Random, frames: number, size: number): Float32Array {
  return Float32Array.from({ length: frames * size }, () => 6 * random.uniform() - 3);
}

function randomLabels(random: Random, count: number, size: number, wildcards: boolean): Int32Array {
  return Int32Array.from({ length: count }, () =>
    wildcards && random.uniform() < 0.2 ? WILDCARD : 1 + random.integer(size - 1),
  );
}

/** ln p, with a further column of zeros for the wildcard. */
function logProbabilities(logits: Float32Array, frames: number, size: number): number[][] {
  return Array.from({ length: frames }, (_, frame) => {
    const row = [...logits.subarray(frame * size, (frame + 1) * size)];
    const norm = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
    return [...row.map((value) => value - norm), 0];
  });
}

/** What a path reads as: repeats collapsed, blanks dropped. */
function collapse(path: readonly number[]): string {
  return path.filter((token, frame) => token !== BLANK && token !== path[frame - 1]).join(" ");
}

/** The score of the best of all (size + 1)^frames paths. */
function bruteForce(scores: number[][], size: number, labels: Int32Array): number {
  const wanted = [...labels].map((label) => (label === WILDCARD ? size : label)).join(" ");
  let best = Number.NEGATIVE_INFINITY;
  const path: number[] = [];
  const extend = (score: number): void => {
    if (path.length === scores.length) {
      if (score > best && collapse(path) === wanted) best = score;
      return;
    }
    for (let token = 0; token <= size; token++) {
      path.push(token);
      extend(score + scores[path.length - 1]![token]!);
      path.pop();
    }
  };
  extend(0);
  return best;
}

/** The textbook's search, which keeps a pointer for every state at every frame. */
function plainPath(scores: number[][], size: number, labels: Int32Array): number[] {
  const tokens = [BLANK, ...[...labels].flatMap((label) => [label === WILDCARD ? size : label, BLANK])];
  let values = tokens.map((_, state) => (state < 2 ? 0 : Number.NEGATIVE_INFINITY));
  const pointers = scores.map((row, frame) => {
    const came = tokens.map((token, state) => {
      if (frame === 0) return 0;
      const skips = state > 2 && token !== BLANK && token !== tokens[state - 2];
      const steps = [0, ...(state > 0 ? [1] : []), ...(skips ? [2] : [])];
      return steps.reduce((best, step) => (values[state - step]! > values[state - best]! ? step : best));
    });
    values = tokens.map((token, state) => values[state - came[state]!]! + row[token]!);
    return came;
  });
  const end = tokens.length - 1;
  let state = values[end]! > values[end - 1]! ? end : end - 1;
  const path: number[] = [];
  for (const came of pointers.reverse()) {
    path.push(tokens[state] === size ? WILDCARD : tokens[state]!);
    state -= came[state]!;
  }
  return path.reverse();
}

describe("forced alignment", () => {
  test("is the best of all paths that read as the labels, wildcards too", () => {
    const random = new Random(1, "forced alignment");
    for (let trial = 0; trial < 120; trial++) {
      const size = 2 + random.integer(3);
      const frames = 1 + random.integer(5);
      const labels = randomLabels(random, random.integer(4), size, trial % 2 === 0);
      if (framesNeeded(labels) > frames) continue;
      const logits = randomLogits(random, frames, size);
      const { score, path } = forcedAlignment(logits, frames, size, BLANK, labels);
      expect(score).toBeCloseTo(bruteForce(logProbabilities(logits, frames, size), size, labels), 10);
      expect(collapse([...path])).toBe([...labels].join(" "));
    }
  });

  test("searched again piece by piece is the textbook's path", () => {
    const random = new Random(2, "forced alignment");
    for (let trial = 0; trial < 40; trial++) {
      const size = 2 + random.integer(6);
      const frames = 1 + random.integer(400);
      const labels = randomLabels(random, random.integer(1 + frames), size, trial % 2 === 0);
      if (labels.length === 0 || framesNeeded(labels) > frames) continue;
      const logits = randomLogits(random, frames, size);
      const { path } = forcedAlignment(logits, frames, size, BLANK, labels);
      expect([...path]).toEqual(plainPath(logProbabilities(logits, frames, size), size, labels));
    }
  });

  test("spans are the labels' frames, in order, and their probabilities the mean of the frames'", () => {
    const random = new Random(3, "forced alignment");
    for (let trial = 0; trial < 100; trial++) {
      const size = 2 + random.integer(6);
      const frames = 1 + random.integer(60);
      const labels = randomLabels(random, random.integer(1 + Math.ceil(frames / 2)), size, true);
      if (framesNeeded(labels) > frames) continue;
      const { path, scores, spans } = forcedAlignment(
        randomLogits(random, frames, size),
        frames,
        size,
        BLANK,
        labels,
      );
      expect(spans).toHaveLength(labels.length);
      const covered = new Set<number>();
      let behind = 0;
      for (const [index, { start, end, probability }] of spans.entries()) {
        expect(start).toBeGreaterThanOrEqual(behind);
        expect(end).toBeGreaterThan(start);
        behind = end;
        let sum = 0;
        for (let frame = start; frame < end; frame++) {
          expect(path[frame]).toBe(labels[index]);
          sum += Math.exp(scores[frame]!);
          covered.add(frame);
        }
        expect(probability).toBeCloseTo(sum / (end - start), 12);
        expect(probability).toBeLessThanOrEqual(1 + 1e-12);
      }
      expect(behind).toBeLessThanOrEqual(frames);
      for (const [frame, token] of path.entries()) expect(token === BLANK).toBe(!covered.has(frame));
    }
  });

  test("log-probabilities give what logits give", () => {
    const random = new Random(4, "forced alignment");
    const [frames, size] = [50, 6];
    const logits = randomLogits(random, frames, size);
    const labels = randomLabels(random, 15, size, true);
    const normalized = Float32Array.from(
      logProbabilities(logits, frames, size).flatMap((row) => row.slice(0, size)),
    );
    const one = forcedAlignment(logits, frames, size, BLANK, labels);
    const other = forcedAlignment(normalized, frames, size, BLANK, labels);
    expect([...other.path]).toEqual([...one.path]);
    expect(other.score).toBeCloseTo(one.score, 4);
  });

  test("takes as many frames as labels and blanks between equal ones need, and no fewer", () => {
    const labels = Int32Array.from([1, 1, 2, WILDCARD, WILDCARD]);
    expect(framesNeeded(labels)).toBe(7);
    const { path } = forcedAlignment(new Float32Array(7 * 3), 7, 3, BLANK, labels);
    expect([...path]).toEqual([1, 0, 1, 2, WILDCARD, 0, WILDCARD]);
    expect(() => forcedAlignment(new Float32Array(6 * 3), 6, 3, BLANK, labels)).toThrow(
      "frames must be at least 7 for 5 labels, repeats apart, but are 6.",
    );
  });

  test("no labels are blanks alone", () => {
    const { path, spans } = forcedAlignment(new Float32Array(4 * 3), 4, 3, BLANK, new Int32Array(0));
    expect([...path]).toEqual([0, 0, 0, 0]);
    expect(spans).toEqual([]);
    expect(forcedAlignment(new Float32Array(0), 0, 3, BLANK, new Int32Array(0)).score).toBe(0);
  });

  test("refuses what is no number, no label or no size", () => {
    const align = (logits: number[], labels: number[]) =>
      forcedAlignment(Float32Array.from(logits), 2, 2, BLANK, Int32Array.from(labels));
    expect(() => align([0, 0, 0, Number.NaN], [1])).toThrow("some at frame 1 are not");
    expect(() => align([0, Number.NEGATIVE_INFINITY, 0, 0], [1])).toThrow("some at frame 0 are not");
    expect(() => align([0, 0, 0], [1])).toThrow("logits must hold 2 x 2 numbers, but hold 3.");
    for (const label of [0, 2, -2])
      expect(() => align([0, 0, 0, 0], [label])).toThrow(`but label 0 is ${label}`);
  });
});
