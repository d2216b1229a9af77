import { expect, it } from "vitest";
import { Random } from "../data/random.js";
import { normalize } from "./normalize.js";

it("normalize gives what Wav2Vec2FeatureExtractor gives", () => {
  // transformers 5.23, Wav2Vec2FeatureExtractor(do_normalize=True)([0.1, -0.2, 0.3, 0.05], sampling_rate=16000)
  const expected = [0.21055832505226135, -1.4739086627960205, 1.3335363864898682, -0.07018616050481796];
  const actual = normalize(Float32Array.of(0.1, -0.2, 0.3, 0.05));
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6);
});

it("normalize keeps float64 precision on long clips far from zero", () => {
  const random = new Random(3);
  const samples = Float32Array.from({ length: 400_000 }, () => 0.9 + 1e-2 * (random.uniform() - 0.5));
  const normalized = normalize(samples);
  const mean = normalized.reduce((sum, value) => sum + value, 0) / normalized.length;
  const variance = normalized.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normalized.length;
  expect(Math.abs(mean)).toBeLessThan(1e-6);
  expect(variance).toBeCloseTo(1e-4 / 12 / (1e-4 / 12 + 1e-7), 2);
});

it("normalize turns silence into zeros", () => {
  expect(normalize(new Float32Array(5).fill(0.25))).toEqual(new Float32Array(5));
});
