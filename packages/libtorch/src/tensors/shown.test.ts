import { inspect } from "node:util";
import { expect, it } from "vitest";
import { arange, einsum, nn, ones, operator, optim, scope, type Tensor, tensor } from "../index.js";

// What people see who type what they know of PyTorch.

class Block extends nn.Module {
  readonly width = 4;
  first = new nn.Linear(4, 2);
  norm = new nn.LayerNorm(2);
}

class Net extends nn.Module {
  layers = [new Block(), new Block(), new Block()];
  conv = new nn.Conv1d(4, 2, 3, { stride: 2, groups: 2 });
  dropout = new nn.Dropout(0.1);
  scale = nn.parameter(ones([3]));
}

it("a module is shown as the tree of its modules, with options and parameters", () => {
  expect(inspect(new Net())).toBe(`Net(
  scale=[3]
  (layers.0-2): 3 x Block(
    width=4
    (first): Linear(4, 2, bias=true)
    (norm): LayerNorm(2, eps=0.00001)
  )
  (conv): Conv1d(4, 2, kernel=3, stride=2, padding=0, groups=2, bias=true)
  (dropout): Dropout(p=0.1)
)  # 59 parameters`);
  expect(inspect({ a: { b: { net: new Net() } } }, { depth: 1 })).not.toContain("weight");
  expect(inspect(new nn.Sequential(new nn.Embedding(3, 2), new nn.GroupNorm(1, 2)))).toContain(
    "(0): Embedding(3, 2)\n  (1): GroupNorm(1, 2, eps=0.00001)",
  );
});

it("a tensor becomes its values in JSON", () => {
  expect(
    JSON.stringify({
      x: tensor([
        [1, 2.5],
        [3, Number.NaN],
      ]),
      y: tensor(4),
    }),
  ).toBe('{"x":[[1,2.5],[3,null]],"y":4}');
  expect(JSON.stringify(tensor([], [0, 3]))).toBe("[]");
  const x = tensor([1]);
  x.dispose();
  expect(JSON.stringify(x)).toBe('"Tensor(freed)"');
});

it("arange takes the end alone", () => {
  expect(arange(4).toArray()).toEqual([0, 1, 2, 3]);
  expect(arange(2, { dtype: "float32" }).dtype).toBe("float32");
  expect(arange(1, 4).toArray()).toEqual([1, 2, 3]);
  expect(arange(0, 1, 0.5, { dtype: "float64" }).toArray()).toEqual([0, 0.5]);
  expect(() => arange("4" as never)).toThrow("'end' must be a finite number, but is '4'");
  expect(() => arange(0, undefined as never, 2)).toThrow("'end' must be a number, but is undefined");
});

it("tensors beside one another, where an array is meant, are told", () => {
  const x = ones([2, 2]);
  expect(() => einsum("ij,jk->ik", x as never, x as never)).toThrow(
    "Several tensors go into one array: [a, b]",
  );
  expect(() => einsum("ij->ji", x as never)).toThrow("but is a Tensor. Give [a, b]");
});

it("an optimiser without parameters is refused", () => {
  for (const parameters of [[], [{ parameters: [] }]])
    expect(() => new optim.SGD(parameters, { learningRate: 0.1 })).toThrow(
      "'parameters' must hold at least one Tensor, but holds none",
    );
});

it("libtorch's own parts are refused, with the operator that checks its arguments", () => {
  expect(() => operator("_ctc_loss_backward")).toThrow("Use 'ctc_loss'");
  expect(() => operator("aten::_foreach_copy", [], [])).toThrow("which can end the process");
  expect(operator("_weight_norm", ones([2, 2]), ones([2, 1]), 0).shape).toEqual([2, 2]);
});

/** Keeps a mean a row of matrices, as Adafactor does. */
class Rows extends optim.Optimizer {
  readonly name = "Rows";
  readonly momentNames = ["rows"];
  override momentShape(_: string, { shape }: Tensor) {
    return shape.slice(0, 1);
  }
  protected update({ parameter, gradient, moments, learningRate }: optim.ParameterUpdate): void {
    moments[0]!.add_(gradient.mean([1]));
    parameter.add_(moments[0]!.unsqueeze(1), { alpha: -learningRate });
  }
}

it("an optimiser's moments may have another shape than the parameter", () => {
  const train = (optimizer: Rows, x: Tensor) => {
    scope(() => x.square().sum().backward());
    optimizer.step();
    optimizer.zeroGrad();
  };
  const x = nn.parameter(ones([2, 3]));
  const one = new Rows([x], { learningRate: 0.1 });
  train(one, x);
  const state = one.state();
  expect(state.moments.rows![0]!.shape).toEqual([2]);
  const y = nn.parameter(x.detach().clone());
  const other = new Rows([y], { learningRate: 0.1 });
  other.loadState(state);
  train(one, x);
  train(other, y);
  expect(y.toArray()).toEqual(x.toArray());
  expect(() => other.loadState({ ...state, moments: { rows: [ones([3])] } })).toThrow(
    "must have the shape [2], but has [3]",
  );
});
