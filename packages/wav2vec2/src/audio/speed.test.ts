import { describe, expect, it } from "vitest";
import { changeSpeed } from "./speed.js";

const tone = (frequency: number, length: number) =>
  Float32Array.from({ length }, (_, t) => Math.sin((2 * Math.PI * frequency * t) / 16000));

describe("changed speed", () => {
  it("leaves a clip as it is at factor 1", () => {
    const clip = tone(440, 1000);
    expect(changeSpeed(clip, 1)).toEqual(clip);
  });

  it("raises or lowers the pitch by the factor, and length and pitch together", () => {
    for (const factor of [0.9, 0.95, 1.07, 1.1]) {
      const changed = changeSpeed(tone(500, 8000), factor);
      expect(changed).toHaveLength(Math.round(8000 / factor));
      const expected = tone(500 * factor, changed.length);
      const error = Math.max(...changed.subarray(10, -10).map((x, t) => Math.abs(x - expected[t + 10]!)));
      expect(error).toBeLessThan(0.01);
    }
  });

  it("takes empty and one-sample clips, and refuses factors that are not positive", () => {
    expect(changeSpeed(new Float32Array(0), 1.1)).toHaveLength(0);
    expect(changeSpeed(Float32Array.of(0.5), 0.9)).toEqual(Float32Array.of(0.5));
    expect(() => changeSpeed(tone(1, 10), 0)).toThrow(/must be positive/);
  });
});
