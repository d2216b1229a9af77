import { fromHost, tensor, ctcLoss as torchLoss } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { ctcLoss } from "./ctc-loss.js";

describe("the CTC loss", () => {
  it("is libtorch's: of equal neighbours, one label, none, as many frames as labels", () => {
    const random = new Random(1, "loss");
    const [size, blank] = [6, 0];
    for (const [frames, labels] of [
      [20, [1, 1, 2, 3, 3, 5]],
      [7, [4]],
      [9, []],
      [3, [1, 2, 3]],
      [3, [1, 1]],
      [1, [2]],
    ] as const) {
      const logits = Float32Array.from({ length: frames * size }, () => 8 * random.uniform() - 4);
      const expected = torchLoss(
        fromHost(logits, [frames, 1, size], "cpu").logSoftmax(-1, "float64"),
        tensor(Int32Array.from(labels), [labels.length], { dtype: "int64" }),
        [frames],
        [labels.length],
        blank,
        0,
        false,
      ).toArray()[0]!;
      expect(ctcLoss(logits, frames, size, blank, Int32Array.from(labels))).toBeCloseTo(expected, 9);
    }
  });

  it("is infinite where labels need more frames", () => {
    expect(ctcLoss(new Float32Array(12), 2, 6, 0, Int32Array.of(1, 1))).toBe(Number.POSITIVE_INFINITY);
  });
});
