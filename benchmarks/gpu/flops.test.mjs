import { expect, test } from "vitest";
import { PRESETS } from "../../packages/wav2vec2/src/model/presets.ts";
import { contextFlops, encoderFlops, framesOf, headFlops, stepFlops } from "./flops.mjs";
import { publishedPeak } from "./peaks.mjs";

const RATE = 16000;
/** An hour in fairseq's crops of 15.6 s. */
const HOUR = Array(Math.round(3600 / 15.6)).fill(15.6 * RATE);

test("an hour of audio costs what is known of BASE and LARGE", () => {
  // By hand: transformer 6 x 85 M x 180,000 frames = 0.92e14, convolutions 0.53e14, attention 0.16e14, and the
  // convolution of positions.
  const base = { ...PRESETS.base, layerdrop: 0 };
  const frames = framesOf(base, HOUR[0]);
  expect(frames).toBe(779);
  const near = (value, expected) => expect(Math.abs(value / expected - 1)).toBeLessThan(0.02);
  near(3 * HOUR.length * encoderFlops(base, HOUR[0]), 0.53e14);
  const attention = 3 * HOUR.length * 12 * 4 * frames * frames * 768;
  near(attention, 0.155e14);
  const position = 6 * 180e3 * (768 * 768 * 8 + 512 * 768);
  near(3 * HOUR.length * contextFlops(base, frames), 0.92e14 + attention + position);
  near(stepFlops(base, { task: "pretrain", samples: HOUR }), 1.66e14);
  const large = { ...PRESETS["large-lv60"], layerdrop: 0 };
  near(stepFlops(large, { task: "pretrain", samples: HOUR }), 4.3e14);
});

test("frozen convolutions count once, dropped layers not at all", () => {
  const config = { ...PRESETS.base, layerdrop: 0 };
  const step = { task: "finetune", samples: [10 * RATE] };
  const [whole, frozen] = [stepFlops(config, step), stepFlops(config, { ...step, frozenEncoder: true })];
  expect(whole - frozen).toBe(2 * encoderFlops(config, 10 * RATE));
  const half = stepFlops({ ...config, layerdrop: 0.5 }, step);
  expect(half).toBeLessThan(whole);
  expect(half).toBeGreaterThan(whole / 2);
  expect(headFlops(config, "finetune", 100)).toBe(2 * 100 * 768 * config.vocabSize);
});

test("cards are known by the names that the driver gives them", () => {
  expect(publishedPeak("NVIDIA H100 80GB HBM3")).toBe(989);
  expect(publishedPeak("NVIDIA H100 PCIe")).toBe(756);
  expect(publishedPeak("NVIDIA H200")).toBe(989);
  expect(publishedPeak("NVIDIA A100-SXM4-80GB")).toBe(312);
  expect(publishedPeak("NVIDIA A10G")).toBe(70);
  expect(publishedPeak("NVIDIA A10")).toBe(125);
  expect(publishedPeak("NVIDIA L40S")).toBe(362);
  expect(publishedPeak("Tesla V100-SXM2-16GB")).toBeUndefined();
});
