import { describe, expect, it } from "vitest";
import { TorchError } from "../errors.js";
import { memoryStatistics } from "../runtime.js";
import { scope } from "../tensors/handles.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { operator } from "./operator.js";
import { parseSchema } from "./operator-schema.js";

const leaf = () => tensor([1, 2, 3, 4], { requiresGrad: true });

describe("operator", () => {
  it("calls what has no method here, with its gradient", () => {
    const x = leaf();
    const deviation = operator("aten::std", x);
    deviation.backward();
    expect(deviation.item()).toBeCloseTo(1.29099, 5);
    // (x - mean) / (n - 1) / std
    for (const [i, value] of x.grad!.toArray().entries())
      expect(value).toBeCloseTo((i - 1.5) / 3 / 1.2909944, 5);
  });

  it("chooses the overload by the arguments, or takes the one that is named", () => {
    const x = leaf();
    expect(operator("std", x, { correction: 0 }).item()).toBeCloseTo(1.11803, 5);
    expect(operator("std.dim", x, [0], false, true).shape).toEqual([1]);
    expect(operator("max", x).item()).toBe(4);
    expect(operator("max", x, tensor([3, 3, 3, 3])).toArray()).toEqual([3, 3, 3, 4]);
    expect(operator<[Tensor, Tensor]>("max", x, 0).map((each) => each.item())).toEqual([4, 3]);
    expect(operator("div", x, 3, { roundingMode: "floor" }).toArray()).toEqual([0, 0, 1, 1]);
    expect(operator("div", x, 3, { rounding_mode: "floor" }).toArray()).toEqual([0, 0, 1, 1]);
    expect(operator("einsum", "i,j->ij", [x, x]).shape).toEqual([4, 4]);
    expect(operator("arange", 3).dtype).toBe("int64");
  });

  it("gives what the schema says: tensors, lists of them, numbers, booleans, nothing", () => {
    const x = leaf();
    expect(operator<Tensor[]>("split_with_sizes", x, [1, 3]).map(({ shape }) => shape)).toEqual([[1], [3]]);
    expect(operator<number>("size.int", x, 0)).toBe(4);
    expect(operator<number>("item", tensor(2.5))).toBe(2.5);
    expect(operator<boolean>("is_nonzero", tensor(0))).toBe(false);
    const y = tensor([1, 2]);
    expect(operator("add_", y, 3)).toBe(y);
    expect(y.toArray()).toEqual([4, 5]);
  });

  it("leaves no tensors behind", () => {
    const x = leaf();
    const { liveTensors } = memoryStatistics();
    scope(() => void operator("cumsum", operator("sinh", x), 0));
    expect(memoryStatistics().liveTensors).toBe(liveTensors);
  });

  it.each<[unknown[], RegExp]>([
    [["stdd"], /'stdd' must be an operator of this libtorch, but is not\. There is std$/],
    [["std.nothing"], /'std.nothing' must be an operator .* There is .*std\.dim/],
    [[3], /'name' must be the name of an operator such as 'std', but is 3/],
    [["cdist", leaf()], /cdist 'x2' \(Tensor\) must be given/],
    [["std.dim", leaf(), 0, { unbiasd: true }], /std\.dim has no argument 'unbiasd'\. Write 'unbiased'/],
    [["std.dim", leaf(), 0, { dim: 1 }], /is given 'dim' twice, by place and by name/],
    [["std.dim", leaf(), 0.5], /'dim' \(int\[1\]\?\) must be a whole number, but is 0\.5/],
    [["neg", leaf(), 1], /neg takes 1 arguments by place, but 2 were given/],
    [
      ["cat", [leaf(), 1]],
      /'tensors' \(Tensor\[\]\) must be an array, but an element must be a Tensor, but is 1/,
    ],
    [["std", "x"], /std must be called as one of these, but 'x' was given:\n {2}std\(Tensor self/],
  ])("refuses %#", (args, message) => {
    const error = (() => {
      try {
        return (operator as (...given: unknown[]) => unknown)(...args);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(TorchError);
    expect((error as TorchError).message).toMatch(message);
    expect((error as TorchError).code).toBe("ERR_TORCH_ARGUMENT");
  });

  it("passes libtorch's own refusals on under the operator's name", () => {
    expect(() => operator("mm", leaf(), leaf())).toThrow(
      expect.objectContaining({ operator: "mm", code: "ERR_TORCH_OPERATOR" }),
    );
    const freed = leaf();
    freed.dispose();
    expect(() => operator("neg", freed)).toThrow(expect.objectContaining({ code: "ERR_TORCH_FREED" }));
  });
});

describe("parseSchema", () => {
  it("reads parameters and results without their marks", () => {
    const { parameters, results } = parseSchema(
      "aten::max.dim_max(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) max, Tensor(b!)[] other, int[2]? size) -> " +
        "(Tensor(a!) values, Tensor(b!)[] indices, int)",
    );
    expect(parameters.map(({ name, type, isRequired }) => `${type} ${name}${isRequired ? "!" : ""}`)).toEqual(
      [
        ...["Tensor self!", "int dim!", "bool keepdim"],
        ...["Tensor max!", "Tensor[] other!", "int[2]? size"],
      ],
    );
    expect(parameters.map(({ isKeyword }) => isKeyword)).toEqual([false, false, false, true, true, true]);
    expect(parameters.map(({ isWritten }) => isWritten)).toEqual([false, false, false, true, true, false]);
    expect(results).toEqual(["Tensor", "Tensor[]", "int"]);
  });
});
