import { isGradEnabled, libtorchInfo, manualSeed, uniform } from "@wav2vec2/libtorch";
import { expect, it } from "vitest";
import { bfloat16Speed, type NetworkWidth } from "./speed-of.js";

const narrow: NetworkWidth = { hiddenSize: 24, intermediateSize: 48, convDim: [16, 24] };

it.each(["training", "inference"] as const)("a probe for %s leaves no trace", (use) => {
  manualSeed(1);
  const expected = uniform(4);
  manualSeed(1);
  const { threads } = libtorchInfo();
  const speed = bfloat16Speed(narrow, "cpu", use);
  expect(speed).toBeGreaterThan(0);
  expect(speed).toBeLessThan(Number.POSITIVE_INFINITY);
  expect(uniform(4)).toEqual(expected);
  expect([isGradEnabled(), libtorchInfo().threads]).toEqual([true, threads]);
});
