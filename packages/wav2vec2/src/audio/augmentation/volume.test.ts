import { describe, expect, it } from "vitest";
import { changeVolume } from "./volume.js";

describe("changed volume", () => {
  it("is a factor of the amplitude, clipped at full scale", () => {
    const clip = Float32Array.of(0.1, -0.4, 0.9, -0.9);
    const rounded = (db: number) => Array.from(changeVolume(clip, db), (x) => Math.round(x * 1000) / 1000);
    expect(rounded(20 * Math.log10(2))).toEqual([0.2, -0.8, 1, -1]);
    expect(rounded(-20)).toEqual([0.01, -0.04, 0.09, -0.09]);
    expect(changeVolume(clip, 0)).toEqual(clip);
  });
});
