import { describe, expect, it } from "vitest";
import { noGrad } from "../autograd.js";
import { scope } from "../handles.js";
import { ones, randn } from "../operators.generated.js";
import { manualSeed } from "../runtime.js";
import { type Tensor, tensor } from "../tensor.js";
import { init, LayerNorm, Linear, Module, parameter, stateName, WeightNorm } from "./index.js";

class Inner extends Module {
  attentionWeight = parameter(ones([2]));
  original0 = parameter(ones([1]));
}

class Outer extends Module {
  layers = [new Inner(), new Inner()];
  finalProjection = new Linear(2, 2, { bias: false });
  maskedSpecEmbed = parameter(tensor([1, 2, 3]));
  readonly hiddenSize = 2;
  nothing: Tensor | undefined;
}

describe("Module", () => {
  it("names parameters by their fields, in snake_case, own ones first", () => {
    expect(Array.from(new Outer().namedParameters(), ([name]) => name)).toEqual([
      "masked_spec_embed",
      "layers.0.attention_weight",
      "layers.0.original0",
      "layers.1.attention_weight",
      "layers.1.original0",
      "final_projection.weight",
    ]);
    expect(Array.from(new Linear(1, 1).namedParameters("encoder."), ([name]) => name)).toEqual([
      "encoder.weight",
      "encoder.bias",
    ]);
    expect(stateName("featureExtractor")).toBe("feature_extractor");
  });

  it("switches training everywhere below", () => {
    const model = new Outer().eval();
    expect([model.training, model.layers[1]?.training, model.finalProjection.training]).toEqual([
      false,
      false,
      false,
    ]);
    expect(model.train().layers[0]?.training).toBe(true);
  });

  it("counts and freezes parameters", () => {
    const model = new Outer();
    expect(model.parameterCount()).toBe(3 + 2 * 3 + 4);
    model.layers[0]?.freeze();
    expect(model.parameterCount()).toBe(3 + 3 + 4);
    model.freeze();
    expect(model.parameters().some((tensor) => tensor.requiresGrad)).toBe(false);
    expect(model.freeze(false).parameterCount()).toBe(3 + 2 * 3 + 4);
  });

  it("clears gradients", () => {
    const layer = new Linear(2, 1);
    layer
      .forward(ones([1, 2]))
      .sum()
      .backward();
    expect(layer.weight.grad?.toArray()).toEqual([1, 1]);
    layer.zeroGrad();
    expect([layer.weight.grad, layer.bias?.grad]).toEqual([undefined, undefined]);
  });

  it("outlives the scope that it was made in, also converted", () => {
    const layer = scope(() => {
      const made = new Linear(2, 2);
      return { made, converted: new Linear(2, 2).to({ dtype: "bfloat16" }) };
    });
    expect(layer.made.forward(ones([1, 2])).shape).toEqual([1, 2]);
    expect(layer.converted.weight.dtype).toBe("bfloat16");
    expect([layer.converted.weight.requiresGrad, layer.converted.bias?.requiresGrad]).toEqual([true, true]);
    expect(layer.converted.forward(ones([1, 2], { dtype: "bfloat16" })).dtype).toBe("bfloat16");
  });
});

describe("deferred first weights", () => {
  class Network extends Module {
    linear = new Linear(3, 2);
    norm = new LayerNorm(2);
    weight = new WeightNorm(init.normal([2, 3, 4], 0.1), 2);
  }

  it("are those that would have been, once they are filled", () => {
    manualSeed(4);
    const plain = new Network();
    const deferred = init.deferred(() => new Network());
    manualSeed(4);
    for (const parameter of deferred.parameters()) init.fillDeferred(parameter);
    const expected = new Map(plain.namedParameters());
    for (const [name, parameter] of deferred.namedParameters()) {
      expect(parameter.equal(expected.get(name)!), name).toBe(true);
      expect(parameter.requiresGrad).toBe(true);
    }
  });

  it("draw no random numbers before, and are filled once", () => {
    const drawn = (make: () => void) => {
      manualSeed(4);
      make();
      return randn([1]).item();
    };
    expect(drawn(() => init.deferred(() => new Network()))).toBe(drawn(() => {}));
    const { linear } = init.deferred(() => new Network());
    init.fillDeferred(linear.weight);
    const values = linear.weight.toArray();
    init.fillDeferred(linear.weight);
    expect(linear.weight.toArray()).toEqual(values);
  });

  it("are those of the moved parameters where a module was moved before", () => {
    manualSeed(4);
    const plain = new Network().to({ dtype: "float64" });
    const moved = init.deferred(() => new Network()).to({ dtype: "float64" });
    manualSeed(4);
    for (const parameter of moved.parameters()) init.fillDeferred(parameter);
    const { original0, original1 } = moved.weight;
    const norms = noGrad(() => original1.norm(2, [0, 1], true));
    expect(original0.sub(norms).abs().amax().item()).toBe(0);
    expect(original0.shape).toEqual(plain.weight.original0.shape);
  });

  it("take their magnitudes from directions that were loaded", () => {
    const { weight } = init.deferred(() => new Network());
    noGrad(() => weight.original1.copy_(ones([2, 3, 4])));
    init.forgetFill(weight.original1);
    init.fillDeferred(weight.original0);
    expect(weight.original0.toArray()[0]).toBeCloseTo(Math.sqrt(6), 6);
  });
});
