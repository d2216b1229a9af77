import { describe, expect, it } from "vitest";
import { greedyDecode } from "./greedy.js";

/** Logits of 4 tokens whose largest is the given one in each frame. */
const logitsOf = (ids: number[]) =>
  Float32Array.from(ids.flatMap((best) => [0, 1, 2, 3].map((id) => (id === best ? -1 : -2 - id))));

describe("greedyDecode", () => {
  it("collapses repeats, then drops blanks", () => {
    const ids = [0, 2, 2, 0, 2, 3, 3, 1, 0, 0];
    const decoding = greedyDecode(logitsOf(ids), 10, 4, 0);
    expect([...decoding.frameIds]).toEqual(ids);
    expect([...decoding.labels]).toEqual([2, 2, 3, 1]);
    expect(decoding.blankShare).toBeCloseTo(0.4);
  });

  it("takes the blank's id", () => {
    expect([...greedyDecode(logitsOf([0, 3, 0, 0, 1]), 5, 4, 3).labels]).toEqual([0, 0, 1]);
  });

  it("takes the first of equal logits and minus infinity in its stride", () => {
    const none = Number.NEGATIVE_INFINITY;
    expect([...greedyDecode(Float32Array.of(none, none, 5, 5, 7, 7), 3, 2, 1).frameIds]).toEqual([0, 0, 0]);
  });

  it("decodes no frames to nothing", () => {
    expect(greedyDecode(new Float32Array(0), 0, 4, 0)).toEqual({
      frameIds: Int32Array.of(),
      labels: Int32Array.of(),
      blankShare: 0,
    });
  });

  it("refuses wrong sizes and NaN", () => {
    expect(() => greedyDecode(new Float32Array(7), 2, 4, 0)).toThrow("2 x 4 values, but hold 7");
    const logits = logitsOf([1, 2]);
    logits[6] = Number.NaN;
    expect(() => greedyDecode(logits, 2, 4, 0)).toThrow("frame 1 holds NaN");
  });
});
