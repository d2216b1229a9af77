import { describe, expect, it } from "vitest";
import { noGrad } from "../autograd.js";
import { ones, randn } from "../operators/operators.generated.js";
import { manualSeed } from "../runtime.js";
import { scope } from "../tensors/handles.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import {
  buffer,
  init,
  LayerNorm,
  Linear,
  Module,
  ModuleDict,
  parameter,
  Sequential,
  stateName,
  WeightNorm,
} from "./index.js";

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
    expect(Array.from(new Linear(1, 1).namedParameters("encoder"), ([name]) => name)).toEqual([
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

const names = (entries: Iterable<[string, unknown]>) => Array.from(entries, ([name]) => name);

describe("modules and tensors in containers", () => {
  class Heads extends Module {
    heads = { digits: new Linear(1, 1, { bias: false }), speakers: [new Linear(1, 1, { bias: false })] };
    byLanguage = new Map([["en-US", [[new Linear(1, 1, { bias: false })], [parameter(ones([1]))]]]]);
    scales = [parameter(ones([2])), { upper: buffer(ones([3])) }];
  }

  it("are part of the module, under the field and their place", () => {
    const module = new Heads();
    expect(names(module.namedParameters())).toEqual([
      "by_language.en-US.1.0",
      "scales.0",
      "heads.digits.weight",
      "heads.speakers.0.weight",
      "by_language.en-US.0.0.weight",
    ]);
    expect(names(module.namedBuffers())).toEqual(["scales.1.upper"]);
    expect(names(module.namedChildren())).toEqual([
      "heads.digits",
      "heads.speakers.0",
      "by_language.en-US.0.0",
    ]);
  });

  it("are moved in place", () => {
    const module = new Heads().to({ dtype: "float64" });
    const { digits, speakers } = module.heads;
    const [[linear], [own]] = module.byLanguage.get("en-US") as [[Linear], [Tensor]];
    const tensors = [digits.weight, speakers[0]!.weight, linear.weight, own, ...module.buffers()];
    expect(tensors.map(({ dtype }) => dtype)).toEqual(tensors.map(() => "float64"));
    expect(names(module.namedParameters())).toEqual(names(new Heads().namedParameters()));
    expect(module.parameters().every(({ requiresGrad }) => requiresGrad)).toBe(true);
  });

  it("are refused where they have no key, or could not be told apart", () => {
    const holding = (field: unknown) => {
      class Model extends Module {
        parts = field;
      }
      return () => new Model().parameters();
    };
    const layer = () => new Linear(1, 1);
    class Pair {
      first = layer();
    }
    expect(holding(new Set([layer()]))).toThrow(
      /^Model: 'parts' must hold modules and parameters in fields, .* but is a Set that holds a Linear/,
    );
    expect(holding([new Pair()])).toThrow(/'parts.0' must hold .* but is a Pair that holds a Linear/);
    expect(holding(new Map([[{}, layer()]]))).toThrow(/keys of 'parts' must be strings .* one is an object/);
    expect(holding({ "a.b": layer() })).toThrow(/must be strings without a point, .* one is 'a\.b'/);
    expect(holding(ones([1]))).toThrow(/'parts' must be made by nn\.parameter, .* but is a plain Tensor/);
    expect(() => {
      class Frozen extends Module {
        parts = Object.freeze([parameter(ones([1]))]);
      }
      new Frozen().to({ dtype: "float64" });
    }).toThrow(/'parts.0' must be writable, .* but is frozen/);
  });

  it("are not looked for in what holds none, or in what holds itself", () => {
    const circle: Record<string, unknown> = { layer: new Linear(1, 1, { bias: false }) };
    circle.self = circle;
    class Model extends Module {
      circle = circle;
      options = { depth: 3, sizes: [1, 2], names: new Set(["a"]), by: new Map([[1, 2]]), of: new Date(0) };
      samples = new Float32Array(3);
      readonly #cache = ones([1]);
      get cache() {
        return this.#cache;
      }
    }
    expect(names(new Model().namedParameters())).toEqual(["circle.layer.weight"]);
  });
});

describe("what is in several places", () => {
  class Tied extends Module {
    embedding = new Linear(2, 2, { bias: false });
    head = new Linear(2, 2, { bias: false });
    again = this.embedding;
    constructor() {
      super();
      this.head.weight = this.embedding.weight;
    }
  }

  it("is one parameter, and in the state under each key", () => {
    const model = new Tied();
    expect(names(model.namedParameters())).toEqual(["embedding.weight"]);
    expect(names(model.namedModules())).toEqual(["", "embedding", "head"]);
    expect([...model.stateDict().keys()]).toEqual(["embedding.weight", "head.weight", "again.weight"]);
    model.to({ dtype: "float64" });
    expect(model.head.weight).toBe(model.embedding.weight);
    expect(model.parameterCount()).toBe(4);
  });

  it("is refused where a module holds itself", () => {
    class Circle extends Module {
      inner: Module | undefined;
      weight = parameter(ones([1]));
    }
    const circle = new Circle();
    circle.inner = circle;
    expect(circle.eval().parameters()).toHaveLength(1);
    expect(() => circle.stateDict()).toThrow(/must not hold itself, but does as 'inner'/);
  });
});

describe("buffers", () => {
  class Counter extends Module {
    scale = parameter(ones([2]));
    mean = buffer(tensor([1, 2]));
    count = buffer(tensor(3n));
    scratch = buffer(ones([4]), { persistent: false });
  }

  it("are no parameters, and are moved; integers stay integers", () => {
    const module = new Counter();
    expect(names(module.namedParameters())).toEqual(["scale"]);
    expect(names(module.namedBuffers("norm"))).toEqual(["norm.mean", "norm.count", "norm.scratch"]);
    expect(
      module
        .freeze(false)
        .buffers()
        .some(({ requiresGrad }) => requiresGrad),
    ).toBe(false);
    module.to({ dtype: "bfloat16" });
    expect(module.buffers().map(({ dtype }) => dtype)).toEqual(["bfloat16", "int64", "bfloat16"]);
    expect(() => module.to({ dtype: "int64" })).toThrow(/'dtype' must be 'float32' or .* but is 'int64'/);
  });

  it("are in the state dict where they are persistent", () => {
    const [from, into] = [new Counter(), new Counter()];
    noGrad(() => {
      for (const each of from.stateDict().values()) each.add_(1);
    });
    expect([...from.stateDict().keys()]).toEqual(["scale", "mean", "count"]);
    expect(into.loadStateDict(from.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect([into.scale.toArray(), into.mean.toArray(), into.count.item()]).toEqual([[2, 2], [2, 3], 4]);
    expect(into.scale.requiresGrad).toBe(true);
  });
});

describe("loadStateDict", () => {
  const other = () => ({ weight: ones([1, 2]), gain: ones([1]) });

  it("refuses what does not fit with all that is wrong, and changes nothing", () => {
    const layer = new Linear(2, 1);
    const before = layer.weight.toArray();
    expect(() => layer.loadStateDict(other())).toThrow(
      /^Linear: the state must fit the module: missing are bias; unexpected are gain$/,
    );
    expect(() => layer.loadStateDict({ weight: ones([2]), bias: ones([1]) }, { strict: false })).toThrow(
      /weight must have the shape \[1, 2\], but has \[2\]/,
    );
    for (const state of [undefined, 3, { weight: 3 }, [1], [["weight", 1]], "x"])
      expect(() => layer.loadStateDict(state as never)).toThrow(/the state must (be|hold)/);
    expect(layer.weight.toArray()).toEqual(before);
  });

  it("takes what fits where it is not strict", () => {
    const layer = new Linear(2, 1);
    expect(layer.loadStateDict(other(), { strict: false })).toEqual({
      missingKeys: ["bias"],
      unexpectedKeys: ["gain"],
    });
    expect(layer.weight.toArray()).toEqual([1, 1]);
  });
});

describe("Sequential", () => {
  it("calls its layers in order, functions too, and names them by their places", () => {
    const [first, last] = [new Linear(2, 3), new Linear(3, 1)];
    const network = new Sequential(first, (x) => x.relu(), last);
    expect(names(network.namedParameters("net"))).toEqual([
      "net.0.weight",
      "net.0.bias",
      "net.2.weight",
      "net.2.bias",
    ]);
    const x = randn([4, 2]);
    expect(network.forward(x).equal(last.forward(first.forward(x).relu()))).toBe(true);
    expect([network.length, network.at(-1), [...network].length]).toEqual([3, last, 3]);
    expect(network.eval().at(0)).toHaveProperty("training", false);
    expect(() => new Sequential(first, 3 as never)).toThrow(/layer 1 must be a Module .* but is 3/);
  });
});

describe("ModuleDict", () => {
  it("holds modules by name, which may come and go", () => {
    class Model extends Module {
      heads = new ModuleDict({ digits: new Linear(1, 1, { bias: false }) });
    }
    const { heads } = new Model();
    heads.set("speakerIds", new Linear(1, 1, { bias: false }));
    expect(names(heads.namedParameters("heads"))).toEqual(["heads.digits.weight", "heads.speakerIds.weight"]);
    expect([heads.size, [...heads.keys()], heads.has("digits")]).toEqual([2, ["digits", "speakerIds"], true]);
    expect(heads.delete("digits")).toBe(true);
    expect(names(heads)).toEqual(["speakerIds"]);
    expect(() => heads.set("a.b", new Linear(1, 1))).toThrow(/without a point, but is 'a\.b'/);
    expect(() => heads.set("a", 1 as never)).toThrow(/'a' must be a Module, but is 1/);
    expect(() => new ModuleDict([1] as never)).toThrow(/pairs of name and Module, but one is 1/);
  });
});

describe("forward hooks", () => {
  it("see arguments and output, and may replace both, in their order", () => {
    const layer = new Linear(2, 1, { bias: false });
    const x = tensor([[1, 2]]);
    const plain = layer.forward(x).item();
    const seen: unknown[] = [];
    const removers = [
      layer.registerForwardPreHook((module, [input]) => {
        seen.push(module === layer, input === x);
        return [input.mul(2)];
      }),
      layer.registerForwardHook((_, [input], output) => {
        seen.push(input.toArray(), output.item());
      }),
      layer.registerForwardHook((_, __, output) => output.add(1)),
    ];
    expect(layer.forward(x).item()).toBeCloseTo(2 * plain + 1, 5);
    expect(seen).toEqual([true, true, [2, 4], 2 * plain]);
    removers[0]!();
    expect(layer.forward(x).item()).toBeCloseTo(plain + 1, 5);
    for (const remove of removers) remove();
    expect(Object.hasOwn(layer, "forward")).toBe(false);
    expect(layer.forward(x).item()).toBe(plain);
  });

  it("are called inside other modules, and are no part of a module", () => {
    const inner = new Linear(1, 1);
    const network = new Sequential(inner, new Linear(1, 1));
    let calls = 0;
    inner.registerForwardHook(() => {
      calls++;
      return undefined;
    });
    network.forward(ones([1, 1]));
    expect(calls).toBe(1);
    expect(names(network.namedParameters())).toEqual(["0.weight", "0.bias", "1.weight", "1.bias"]);
  });

  it("leave a module's own forward in place when they go", () => {
    class Arrow extends Module {
      forward = (x: Tensor) => x.mul(3);
    }
    const module = new Arrow();
    const { forward } = module;
    const remove = module.registerForwardHook((_, __, output) => output.neg());
    expect(module.forward(ones([])).item()).toBe(-3);
    remove();
    remove();
    expect(module.forward).toBe(forward);
  });

  it("are refused where they cannot work", () => {
    const layer = new Linear(1, 1);
    expect(() => layer.registerForwardHook(3 as never)).toThrow(/'hook' must be a function, but is 3/);
    class Nothing extends Module {}
    expect(() => (new Nothing() as Linear).registerForwardHook(() => undefined)).toThrow(
      /must have a method forward/,
    );
    layer.registerForwardPreHook((_, [x]) => x as never);
    expect(() => layer.forward(ones([1, 1]))).toThrow(/must return an array of arguments or nothing/);
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
