import { describe, expect, it } from "vitest";
import { greedyConfidence } from "./confidence.js";

const logs = (...rows: number[][]) => Float32Array.from(rows.flat(), (p) => Math.log(p) + 3);

describe("greedyConfidence", () => {
  it("is the mean probability where something is heard", () => {
    const logits = logs([0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.1, 0.4, 0.5]);
    expect(greedyConfidence(logits, 3, 3, 0)).toBeCloseTo(0.6, 6);
  });

  it("of silence is how sure it is that it is silence", () => {
    expect(greedyConfidence(logs([0.9, 0.1], [0.7, 0.3]), 2, 2, 0)).toBeCloseTo(0.8, 6);
    expect(greedyConfidence(new Float32Array(0), 0, 2, 0)).toBe(0);
  });
});
