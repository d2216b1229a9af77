import { enableGrad, manualSeed, noGrad, randn, type Tensor } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { createConfig, featureFrames, type Wav2Vec2Config } from "../configuration.js";
import { FeatureEncoder } from "./feature-encoder.js";

const SAMPLES = 300 * 320 + 79; // three pieces
const LENGTHS = [SAMPLES, 400, 128 * 320 + 80, 129 * 320 + 80, 4321];

function encoderOf(overrides: Partial<Wav2Vec2Config>): FeatureEncoder {
  manualSeed(1);
  const encoder = new FeatureEncoder(createConfig({ convDim: Array(7).fill(6), ...overrides }));
  noGrad(() => {
    for (const parameter of encoder.parameters()) parameter.add_(randn(parameter.shape).mul(0.3));
  });
  return encoder;
}

function difference(one: Tensor, other: Tensor): number {
  expect(one.shape).toEqual(other.shape);
  return one.sub(other).abs().amax().item() / other.abs().amax().item();
}

describe.each<[string, Partial<Wav2Vec2Config>]>([
  ["group norm", {}],
  ["group norm with bias", { convBias: true }],
  ["layer norm", { featExtractNorm: "layer", convBias: true }],
  ["group norm over the padding", { referencePadding: true }],
  ["another activation", { featExtractActivation: "relu" }],
])("features without a gradient, with %s", (_, overrides) => {
  const encoder = encoderOf(overrides);
  const input = randn([LENGTHS.length, SAMPLES]).add(0.5).mul(0.2);
  const batch = input.mul(padding(input));

  it("are those with one, in each clip's own frames", () => {
    const whole = enableGrad(() => encoder.forward(batch, LENGTHS).detach());
    const pieces = noGrad(() => encoder.forward(batch, LENGTHS));
    expect(pieces.shape).toEqual(whole.shape);
    for (const [row, samples] of LENGTHS.entries()) {
      const frames = featureFrames(createConfig({}), samples);
      const own = (x: Tensor) => x.select(0, row).narrow(0, 0, frames);
      expect(difference(own(pieces), own(whole)), `${samples} samples`).toBeLessThan(1e-5);
    }
  });

  it("are those of a frozen encoder in training, which lets a gradient into its input where one is wanted", () => {
    const frozen = encoderOf(overrides);
    frozen.freeze();
    const pieces = noGrad(() => frozen.forward(batch, LENGTHS));
    expect(enableGrad(() => frozen.forward(batch, LENGTHS)).toBytes()).toEqual(pieces.toBytes());
    const clip = randn([1, 4000]);
    clip.requiresGrad = true;
    enableGrad(() => frozen.forward(clip, [4000]).sum().backward());
    expect(clip.grad!.abs().amax().item()).toBeGreaterThan(0);
  });

  it("have the gradients of layers that are called one by one, as they are where one has hooks", () => {
    const incoming = randn([LENGTHS.length, featureFrames(createConfig({}), SAMPLES), 6]);
    const gradients = () => {
      enableGrad(() => encoder.forward(batch, LENGTHS).mul(incoming).sum().backward());
      const found = encoder.parameters().map((parameter) => parameter.grad!.clone());
      encoder.zeroGrad();
      return found;
    };
    const together = gradients();
    const remove = encoder.convLayers[0]!.conv.registerForwardHook(() => undefined);
    const apart = gradients();
    remove();
    for (const [index, [key]] of [...encoder.namedParameters()].entries()) {
      // A bias before a norm over time has none but rounding.
      if (key === "conv_layers.0.conv.bias" && overrides.featExtractNorm !== "layer") continue;
      expect(difference(together[index]!, apart[index]!), key).toBeLessThan(1e-4);
    }
  });

  it("are seen whole by hooks", () => {
    const seen: number[] = [];
    const remove = encoder.convLayers[6]!.conv.registerForwardHook((_module, _input, output) => {
      seen.push(output.shape[0]!);
      return undefined;
    });
    noGrad(() => encoder.forward(batch, LENGTHS));
    remove();
    if (overrides.featExtractNorm !== "layer") expect(seen).toEqual([LENGTHS.length]);
  });
});

/** 1 in each clip's own samples. */
function padding(input: Tensor): Tensor {
  return noGrad(() => {
    const mask = input.mul(0);
    for (const [row, samples] of LENGTHS.entries()) mask.narrow(0, row, 1).narrow(1, 0, samples).add_(1);
    return mask;
  });
}
