import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { addNoise } from "./noise.js";
import { power } from "./power.js";

const random = new Random(3, "noise");
const sound = (length: number, loudness = 0.3) =>
  Float32Array.from({ length }, () => loudness * (2 * random.uniform() - 1));

describe("added noise", () => {
  it("has the signal-to-noise ratio that was asked for, whatever its length and loudness", () => {
    for (const snrDb of [-10, 0, 5.5, 20, 40]) {
      for (const length of [1, 7, 999, 1000, 5000]) {
        const clip = sound(1000);
        const noisy = addNoise(clip, sound(length, 0.01 + random.uniform()), snrDb, random.integer(9000));
        const added = noisy.map((x, t) => x - clip[t]!);
        expect(Math.abs(10 * Math.log10(power(clip) / power(added)) - snrDb)).toBeLessThan(0.01);
      }
    }
  });

  it("begins at the offset, and from the beginning again where the noise ends", () => {
    const clip = Float32Array.of(1, -1, 1, -1, 1, -1, 1);
    const noise = Float32Array.of(0.1, 0.2, 0.3);
    const added = addNoise(clip, noise, 0, 4).map((x, t) => x - clip[t]!);
    const shape = Array.from(added, (x) => Math.round((x / added[2]!) * 10));
    expect(shape).toEqual([20, 30, 10, 20, 30, 10, 20]);
  });

  it("measures the part of the noise that is added, not all of it", () => {
    const noise = new Float32Array(3000);
    noise.set(sound(1000, 0.001), 500);
    noise.set(sound(1000, 1), 2000);
    const clip = sound(1000);
    const added = addNoise(clip, noise, 10, 500).map((x, t) => x - clip[t]!);
    expect(Math.abs(10 * Math.log10(power(clip) / power(added)) - 10)).toBeLessThan(0.01);
  });

  it("leaves clips alone that are silent, or get silence", () => {
    const clip = sound(10);
    const silence = new Float32Array(10);
    expect(addNoise(silence, clip, 10, 0)).toBe(silence);
    expect(addNoise(clip, silence, 10, 0)).toBe(clip);
    expect(addNoise(clip, new Float32Array(0), 10, 0)).toBe(clip);
    expect(addNoise(new Float32Array(0), clip, 10, 0)).toHaveLength(0);
    expect(() => addNoise(clip, clip, 10, -1)).toThrow(RangeError);
  });
});
