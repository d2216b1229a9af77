import { describe, expect, it } from "vitest";
import { Random } from "../random.js";
import { bandwidth } from "./bandwidth.js";
import { measureClip } from "./measure.js";

const random = new Random(1, "measure");
const noise = (length: number, amplitude = 0.2) =>
  Float32Array.from({ length }, () => amplitude * (2 * random.uniform() - 1));
const tone = (frequency: number, length = 16000) =>
  Float32Array.from({ length }, (_, t) => 0.5 * Math.sin((2 * Math.PI * frequency * t) / 16000));

describe("measureClip", () => {
  it("gives level and offset apart", () => {
    const samples = tone(1000).map((sample) => sample + 0.25);
    const { rms, mean, clipped } = measureClip(samples);
    expect(mean).toBeCloseTo(0.25, 6);
    expect(rms).toBeCloseTo(0.5 / Math.SQRT2, 6);
    expect(clipped).toBe(0);
    expect(measureClip(new Float32Array(100).fill(0.25)).rms).toBe(0);
  });

  it("counts samples at full scale in runs of three or more, of either sign and at the ends", () => {
    const top = 32767 / 32768;
    const samples = noise(100);
    samples.set([top, top], 10);
    expect(measureClip(samples).clipped).toBe(0);
    samples.set([top, top, top], 20);
    samples.set([-1, -1, -1, -1], 30);
    samples.set([-1, -1, -1], 97);
    expect(measureClip(samples).clipped).toBeCloseTo(0.1, 12);
  });

  it("has the same digest for the same samples alone", () => {
    const samples = noise(1000);
    const { digest } = measureClip(samples);
    expect(measureClip(samples.slice()).digest).toBe(digest);
    expect(measureClip(new Float32Array([9, ...samples]).subarray(1)).digest).toBe(digest);
    samples[500]! += 1e-4;
    expect(measureClip(samples).digest).not.toBe(digest);
  });
});

describe("bandwidth", () => {
  it.each([500, 2000, 3900, 6000])("of a tone of %i Hz ends there", (frequency) => {
    const found = bandwidth(tone(frequency), 16000);
    expect(found).toBeGreaterThan(frequency - 40);
    expect(found).toBeLessThan(frequency + 600); // the window's skirt
  });

  it("of noise is all, of silence and of very short clips unknown", () => {
    expect(bandwidth(noise(5000), 16000)).toBe(8000);
    expect(bandwidth(new Float32Array(5000), 16000)).toBe(0);
    expect(bandwidth(noise(511), 16000)).toBe(0);
  });
});
