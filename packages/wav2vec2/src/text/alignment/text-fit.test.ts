import { expect, test } from "vitest";
import { atOnce } from "../../in-turns.js";
import { forcedAlignment, WILDCARD } from "./forced-alignment.js";
import { textFit } from "./text-fit.js";

// Four tokens: the blank and three letters. Each frame is sure of one.
const BLANK = 0;
const emissions = (tokens: readonly number[]) =>
  Float32Array.from(tokens.flatMap((token) => [0, 1, 2, 3].map((id) => (id === token ? 8 : 0))));
const fitOf = (tokens: readonly number[], labels: readonly number[]) => {
  const logits = emissions(tokens);
  const path = forcedAlignment(logits, tokens.length, 4, BLANK, Int32Array.from(labels));
  return atOnce(textFit(logits, 4, BLANK, path, 0.02));
};
const SAID = [0, 1, 0, 2, 0, 3, 0, 0, 1, 0, 2, 0, 3, 0, 1, 0];

test("a text that is what was said fits wholly", () => {
  expect(fitOf(SAID, [1, 2, 3, 1, 2, 3, 1])).toEqual({ fit: expect.closeTo(1, 6), other: [] });
});

test("speech in no word costs at its frames, and is told with its place", () => {
  const said = [0, 1, 0, 2, 0, 0, 0, 3, 0, 3, 0, 3, 0];
  const { fit, other } = fitOf(said, [1, 2]);
  expect(fit).toBeCloseTo(Math.exp((-8 * 3) / said.length), 5);
  expect(other).toEqual([{ start: 7, end: 12, labels: Int32Array.from([3, 3, 3]) }]);
});

test("a letter or two that were misheard are no other speech, though they cost", () => {
  const { fit, other } = fitOf(SAID, [1, 2, 3, 1, 1, 3, 1]);
  expect(other).toEqual([]);
  expect(fit).toBeLessThan(0.7);
});

test("speech far apart is told apart", () => {
  const silence = new Array<number>(40).fill(BLANK);
  const { other } = fitOf([3, 0, 3, 0, 3, ...silence, 2, ...silence, 1, 0, 1, 0, 1], [2]);
  expect(other.map(({ start, end }) => [start, end])).toEqual([
    [0, 5],
    [86, 91],
  ]);
});

test("a wildcard takes any speech", () => {
  expect(fitOf(SAID, [1, 2, 3, WILDCARD])).toEqual({ fit: expect.closeTo(1, 6), other: [] });
});
