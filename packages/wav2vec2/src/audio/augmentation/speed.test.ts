import { describe, expect, it } from "vitest";
import { power } from "./power.js";
import { changeSpeed } from "./speed.js";

const tone = (frequency: number, length: number) =>
  Float32Array.from({ length }, (_, t) => Math.sin((2 * Math.PI * frequency * t) / 16000));

/** Power of a tone in a clip, and of all that is not this tone, both relative to full scale. */
function decompose(clip: Float32Array, frequency: number): { gain: number; rest: number } {
  const sine = tone(frequency, clip.length);
  const cosine = Float32Array.from(sine, (_, t) => Math.cos((2 * Math.PI * frequency * t) / 16000));
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, t) => sum + x * b[t]!, 0);
  const [ss, sc, cc] = [dot(sine, sine), dot(sine, cosine), dot(cosine, cosine)];
  const [ys, yc] = [dot(clip, sine), dot(clip, cosine)];
  const a = (ys * cc - yc * sc) / (ss * cc - sc * sc);
  const b = (yc * ss - ys * sc) / (ss * cc - sc * sc);
  const rest = clip.map((x, t) => x - a * sine[t]! - b * cosine[t]!);
  return { gain: Math.hypot(a, b), rest: 2 * power(rest) };
}

const decibels = (ratio: number) => 10 * Math.log10(ratio);

describe("changed speed", () => {
  it("leaves a clip as it is at factor 1", () => {
    const clip = tone(440, 1000);
    expect(changeSpeed(clip, 1)).toEqual(clip);
    expect(changeSpeed(clip, 1)).not.toBe(clip);
  });

  it("raises or lowers the pitch by the factor, and length and pitch together", () => {
    for (const factor of [0.5, 0.9, 0.95, 1.07, 1.1, 2.3]) {
      const changed = changeSpeed(tone(500, 8000), factor);
      expect(changed).toHaveLength(Math.round(8000 / factor));
      const expected = tone(500 * factor, changed.length);
      const edge = Math.ceil(50 / factor);
      const error = changed
        .subarray(edge, -edge)
        .reduce((most, x, t) => Math.max(most, Math.abs(x - expected[t + edge]!)), 0);
      expect(error).toBeLessThan(0.002);
    }
  });

  it.each([0.9, 0.97, 1.01, 1.04, 1.1, 1.5])("keeps loudness and adds nothing at factor %d", (factor) => {
    const nyquist = 8000 / Math.max(1, factor);
    for (const share of [0.05, 0.2, 0.4, 0.6, 0.75]) {
      const frequency = share * nyquist;
      const changed = changeSpeed(tone(frequency, 8000), factor).subarray(100, -100);
      const { gain, rest } = decompose(changed, frequency * factor);
      expect(Math.abs(decibels(gain ** 2))).toBeLessThan(0.02);
      expect(decibels(rest)).toBeLessThan(-60);
    }
  });

  it("removes what a faster clip cannot hold instead of folding it back", () => {
    const changed = changeSpeed(tone(7500, 8000), 1.1); // would be 8250 Hz, and 7750 Hz folded back
    expect(decibels(2 * power(changed.subarray(100, -100)))).toBeLessThan(-60);
  });

  it("takes empty and short clips, and refuses factors that are not positive", () => {
    expect(changeSpeed(new Float32Array(0), 1.1)).toHaveLength(0);
    expect(changeSpeed(Float32Array.of(0.5), 0.9)).toHaveLength(1);
    expect(changeSpeed(Float32Array.of(0.5, 0.5), 0.1)).toHaveLength(20);
    expect(() => changeSpeed(tone(1, 10), 0)).toThrow(/must be positive/);
  });
});
