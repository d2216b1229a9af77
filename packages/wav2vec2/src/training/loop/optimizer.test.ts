import { nn, noGrad, onesLike, type Tensor, tensor, zerosLike } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { createConfig } from "../../model/configuration.js";
import { Wav2Vec2ForCTC } from "../../model/heads/ctc.js";
import { Wav2Vec2Model } from "../../model/wav2vec2-model.js";
import { resolveRecipe } from "../recipe/recipe.js";
import { makeOptimizer, parameterGroups } from "./optimizer.js";

class Network extends nn.Module {
  convolution = new nn.Conv1d(2, 3, 4);
  linear = new nn.Linear(3, 2);
  norm = new nn.LayerNorm(2);
  frozen = new nn.Linear(2, 2);
  /** Of no layer, as the codebooks and the vector of masked frames. */
  table = nn.parameter(tensor(Float32Array.of(1, 2), [1, 2, 1]));
  vector = nn.parameter(tensor(Float32Array.of(1, 2)));

  constructor() {
    super();
    for (const parameter of this.parameters()) noGrad(() => parameter.fill_(3));
    this.frozen.freeze();
  }
}

const recipe = (optimizer: Record<string, unknown>) =>
  resolveRecipe({
    data: { root: "unused" },
    optimizer: { learning_rate: 0.1, weight_decay: 0.5, ...optimizer },
  });

/** Each parameter's value, all of one are equal, after steps with such gradients. */
function after(network: Network, settings: Record<string, unknown>, gradients: ((of: Tensor) => Tensor)[]) {
  const optimizer = makeOptimizer(network, recipe(settings));
  for (const gradient of gradients) {
    for (const parameter of network.parameters()) parameter.grad = gradient(parameter);
    optimizer.step();
  }
  return Object.fromEntries(
    Array.from(network.namedParameters(), ([name, parameter]) => [name, Number(parameter.toArray()[0])]),
  );
}

const shrunk = expect.closeTo(3 * (1 - 0.1 * 0.5), 5);

describe("the optimiser of training", () => {
  it("decays matrices alone, not biases and norms", () => {
    expect(after(new Network(), {}, [zerosLike])).toEqual({
      "convolution.weight": shrunk,
      "convolution.bias": 3,
      "linear.weight": shrunk,
      "linear.bias": 3,
      "norm.weight": 3,
      "norm.bias": 3,
      "frozen.weight": 3,
      "frozen.bias": 3,
      table: shrunk,
      vector: 3,
    });
  });

  it("decays everything that is trained where the recipe says so", () => {
    const {
      "frozen.weight": weight,
      "frozen.bias": bias,
      ...trained
    } = after(new Network(), { decay_biases_and_norms: true }, [zerosLike]);
    expect([weight, bias]).toEqual([3, 3]);
    expect(Object.values(trained)).toEqual(Object.values(trained).map(() => shrunk));
  });

  it("leaves out what is frozen", () => {
    const network = new Network();
    const { parameters } = makeOptimizer(network, recipe({}));
    expect(parameters).toHaveLength(network.parameters().length - 2);
    expect(parameters.every(({ requiresGrad }) => requiresGrad)).toBe(true);
  });

  it("has the recipe's learning rate, betas and eps", () => {
    const [rate, beta1, beta2, eps] = [0.1, 0.8, 0.7, 0.5];
    const settings = { weight_decay: 0, betas: [beta1, beta2], eps };
    const values = after(new Network(), settings, [onesLike, zerosLike]);
    // AdamW with gradients 1 and 0 (arXiv 1711.05101, algorithm 2): the moments, corrected for their bias
    const step = (mean: number, square: number) => (rate * mean) / (Math.sqrt(square) + eps);
    const first = step(1, 1);
    const second = step((beta1 * (1 - beta1)) / (1 - beta1 ** 2), (beta2 * (1 - beta2)) / (1 - beta2 ** 2));
    for (const name of ["linear.weight", "linear.bias"])
      expect(values[name]).toBeCloseTo(3 - first - second, 5);
    expect(values["frozen.bias"]).toBe(3);
  });
});

describe("learning rates by layer", () => {
  /** How far each part moved in the first step, in which Adam moves all by their learning rate. */
  function moved(settings: Record<string, unknown>, doStableLayerNorm = false) {
    const model = new Wav2Vec2ForCTC(
      createConfig({
        hiddenSize: 8,
        intermediateSize: 8,
        numHiddenLayers: 3,
        numAttentionHeads: 2,
        convDim: [4],
        convKernel: [4],
        convStride: [2],
        numConvPosEmbeddings: 2,
        numConvPosEmbeddingGroups: 2,
        doStableLayerNorm,
      }),
    );
    for (const parameter of model.parameters()) noGrad(() => parameter.fill_(0));
    const moves = after(model as never, { weight_decay: 0, ...settings }, [onesLike]);
    return (name: string) => -Number(moves[name]!.toPrecision(5));
  }

  it("fall by a factor from layer to layer, and the head has its own", () => {
    const rate = moved({ layer_decay: 0.5, head_learning_rate: 0.3 });
    expect(rate("lm_head.weight")).toBe(0.3);
    expect(rate("wav2vec2.encoder.layers.2.attention.q_proj.weight")).toBe(0.1);
    expect(rate("wav2vec2.encoder.layers.1.final_layer_norm.bias")).toBe(0.05);
    expect(rate("wav2vec2.encoder.layers.0.attention.q_proj.weight")).toBe(0.025);
    expect(rate("wav2vec2.encoder.layer_norm.weight")).toBe(0.0125);
    expect(rate("wav2vec2.feature_projection.projection.weight")).toBe(0.0125);
    expect(rate("wav2vec2.feature_extractor.conv_layers.0.conv.weight")).toBe(0.00625);
  });

  it("hold for any module with a network in it, and are refused for others", () => {
    const network = { hiddenSize: 8, intermediateSize: 8, numHiddenLayers: 2, numAttentionHeads: 2 };
    const conv = {
      convDim: [4],
      convKernel: [4],
      convStride: [2],
      numConvPosEmbeddings: 2,
      numConvPosEmbeddingGroups: 2,
    };
    class Own extends nn.Module {
      inner = { backbone: new Wav2Vec2Model(createConfig({ ...network, ...conv })) };
      speakers = new nn.Linear(8, 2);
    }
    const own = new Own();
    const groups = parameterGroups(own, recipe({ layer_decay: 0.5, head_learning_rate: 0.3 }));
    const names = new Map(Array.from(own.namedParameters(), ([name, parameter]) => [parameter, name]));
    const shares = new Map(groups.map((group) => [names.get(group.parameters[0]!), group.learningRateScale]));
    expect(shares.get("speakers.weight")).toBeCloseTo(3);
    expect(shares.get("inner.backbone.encoder.layers.1.attention.q_proj.weight")).toBe(1);
    expect(shares.get("inner.backbone.encoder.layers.0.attention.q_proj.weight")).toBe(0.5);
    expect(shares.get("inner.backbone.feature_extractor.conv_layers.0.conv.weight")).toBe(0.125);
    expect(() => parameterGroups(new nn.Linear(2, 2), recipe({ layer_decay: 0.5 }))).toThrow(
      /layer_decay and optimizer.head_learning_rate tell layers and heads apart by the module's Wav2Vec2Model/,
    );
    expect(parameterGroups(new nn.Linear(2, 2), recipe({}))).toHaveLength(2);
  });

  it("know that a pre-norm encoder's norm is above its layers, and are one where nothing is said", () => {
    expect(moved({ layer_decay: 0.5 }, true)("wav2vec2.encoder.layer_norm.weight")).toBe(0.1);
    const rate = moved({});
    expect(rate("lm_head.weight")).toBe(0.1);
    expect(rate("wav2vec2.feature_extractor.conv_layers.0.conv.weight")).toBe(0.1);
  });
});
