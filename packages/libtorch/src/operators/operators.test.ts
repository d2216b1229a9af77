import { describe, expect, it } from "vitest";
import { TorchError } from "../errors.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import {
  arange,
  cat,
  conv1d,
  crossEntropyLoss,
  ctcLoss,
  embedding,
  eye,
  groupNorm,
  layerNorm,
  linear,
  mseLoss,
  ones,
  randperm,
  stack,
  where,
  zeros,
  zerosLike,
} from "./operators.generated.js";

const integers = (values: number[], shape = [values.length]) => tensor(values, shape, { dtype: "int64" });
const rounded = (x: Tensor, digits = 4) => x.toArray().map((value) => Number(value.toFixed(digits)));

describe("operators", () => {
  const x = tensor([1, -2, 3, 4], [2, 2]);

  it("calculate by element, with broadcasting", () => {
    expect(x.add(tensor([10, 20])).toArray()).toEqual([11, 18, 13, 24]);
    expect(x.sub(x).toArray()).toEqual([0, 0, 0, 0]);
    expect(x.mul(x).toArray()).toEqual([1, 4, 9, 16]);
    expect(x.div(tensor([2])).toArray()).toEqual([0.5, -1, 1.5, 2]);
    expect(x.clamp(0).toArray()).toEqual([1, 0, 3, 4]);
    expect(x.clamp(undefined, 2).toArray()).toEqual([1, -2, 2, 2]);
    expect(rounded(tensor([0, 1, -1]).gelu())).toEqual([0, 0.8413, -0.1587]);
  });

  it("choose the overload by what is given", () => {
    expect(x.add(1).toArray()).toEqual([2, -1, 4, 5]);
    expect(x.eq(3).toArray()).toEqual([0, 0, 1, 0]);
    expect(x.eq(x).all().item()).toBe(1);
    expect(x.sum().toArray()).toEqual([6]);
    expect(x.sum(0).toArray()).toEqual([4, 2]);
    const mask = x.lt(0);
    expect(x.maskedFill(mask, 9).toArray()).toEqual([1, 9, 3, 4]);
    expect(x.maskedFill(mask, tensor(8)).toArray()).toEqual([1, 8, 3, 4]);
  });

  it("take optional and keyword arguments, and one number for a list of one", () => {
    expect(x.add(x, { alpha: 10 }).toArray()).toEqual([11, -22, 33, 44]);
    expect(x.sum(0, true).shape).toEqual([1, 2]);
    expect(x.sum([0, 1]).shape).toEqual([]);
    expect(x.sum(undefined, undefined, { dtype: "float64" }).dtype).toBe("float64");
    expect(x.variance(0, { correction: 0 }).toArray()).toEqual([1, 9]);
    expect(x.slice(1, 1).toArray()).toEqual([-2, 4]);
    expect(x.argmax().item()).toBe(3);
    expect(x.argmax(0).toArray()).toEqual([1, 1]);
    expect(arange(0, 3, 1, { dtype: "int64" }).dtype).toBe("int64");
    expect(zeros([2], { dtype: "bool" }).dtype).toBe("bool");
    expect(zerosLike(x, { dtype: "int32" }).dtype).toBe("int32");
  });

  it("keep integers whole: a whole number is an integer, a fraction is not", () => {
    const counts = integers([1, 2]);
    expect(counts.add(1).dtype).toBe("int64");
    expect(counts.mul(1.5).dtype).toBe("float32");
    expect(counts.div(2).toArray()).toEqual([0.5, 1]);
    expect(counts.add(2 ** 53 - 2).toTypedArray()[0]).toBe(BigInt(2 ** 53 - 1));
  });

  it("work in place where the name says so, and return their tensor", () => {
    const y = x.clone();
    expect(y.mul_(2)).toBe(y);
    expect(y.add_(tensor([1, 1])).toArray()).toEqual([3, -3, 7, 9]);
    expect(y.zero_().toArray()).toEqual([0, 0, 0, 0]);
    expect(y.fill_(2).addcmul_(x, x, { value: 0.5 }).toArray()).toEqual([2.5, 4, 6.5, 10]);
    expect(
      y
        .copy_(x)
        .indexPut_([integers([0])], tensor([7, 7]))
        .toArray(),
    ).toEqual([7, 7, 3, 4]);
  });

  it("return several tensors as an array", () => {
    const [values, indices] = tensor([3, 1, 2]).sort();
    expect([values.toArray(), indices.toArray(), indices.dtype]).toEqual([[1, 2, 3], [1, 2, 0], "int64"]);
    expect(x.topk(1)[0].toArray()).toEqual([1, 4]);
    expect(x.unbind().map((row) => row.toArray())).toEqual([
      [1, -2],
      [3, 4],
    ]);
    expect(
      arange(0, 5)
        .split(2)
        .map((part) => part.numel),
    ).toEqual([2, 2, 1]);
    expect(x.equal(x.clone())).toBe(true);
  });

  it("cut, join and index", () => {
    const y = arange(0, 6).reshape([2, 3]);
    expect(y.permute([1, 0]).toArray()).toEqual([0, 3, 1, 4, 2, 5]);
    expect(y.narrow(1, 1, 2).toArray()).toEqual([1, 2, 4, 5]);
    expect(y.select(0, -1).toArray()).toEqual([3, 4, 5]);
    expect(arange(0, 5).unfold(0, 3, 2).toArray()).toEqual([0, 1, 2, 2, 3, 4]);
    expect(y.pad([1, 0], 9).toArray()).toEqual([9, 0, 1, 2, 9, 3, 4, 5]);
    expect(cat([y, y], 1).shape).toEqual([2, 6]);
    expect(stack([y, y]).shape).toEqual([2, 2, 3]);
    expect(y.index([undefined, integers([2, 0])]).toArray()).toEqual([2, 0, 5, 3]);
    expect(y.index([y.gt(3)]).toArray()).toEqual([4, 5]);
    expect(y.gather(1, integers([2, 0], [2, 1])).toArray()).toEqual([2, 3]);
    expect(where(y.gt(2), y, zerosLike(y)).toArray()).toEqual([0, 0, 0, 3, 4, 5]);
    expect(integers([0, 2]).oneHot(3).toArray()).toEqual([1, 0, 0, 0, 0, 1]);
    expect(randperm(5).sort()[0].toArray()).toEqual([0, 1, 2, 3, 4]);
  });

  it("multiply matrices and convolve", () => {
    const y = arange(0, 6, 1, { dtype: "float32" }).reshape([2, 3]);
    expect(x.mm(y).toArray()).toEqual([-6, -7, -8, 12, 19, 26]);
    expect(x.matmul(eye(2)).toArray()).toEqual(x.toArray());
    expect(linear(tensor([1, 2]), x, tensor([100, 200])).toArray()).toEqual([97, 211]);
    const signal = arange(0, 5, 1, { dtype: "float32" }).reshape([1, 1, 5]);
    expect(conv1d(signal, ones([1, 1, 3])).toArray()).toEqual([3, 6, 9]);
    expect(conv1d(signal, ones([1, 1, 3]), tensor([1]), 2, 1).toArray()).toEqual([2, 7, 8]);
  });

  it("normalise, embed and measure losses", () => {
    expect(rounded(layerNorm(tensor([1, 2, 3]), [3]))).toEqual([-1.2247, 0, 1.2247]);
    expect(rounded(groupNorm(tensor([1, 3, 10, 30], [1, 2, 2]), 2))).toEqual([-1, 1, -1, 1]);
    expect(embedding(x, integers([1, 1])).toArray()).toEqual([3, 4, 3, 4]);
    expect(rounded(tensor([1, 1]).softmax(0))).toEqual([0.5, 0.5]);
    expect(crossEntropyLoss(zeros([1, 4]), integers([2])).item()).toBeCloseTo(Math.log(4), 6);
    // Two frames of two equal classes: the label alone (three of the four paths) has probability 3/4.
    const loss = ctcLoss(zeros([2, 1, 2]).logSoftmax(-1), integers([1]), [2], [1], 0, 2);
    expect(loss.item()).toBeCloseTo(-Math.log(3 / 4), 6);
  });
});

describe("errors", () => {
  const x = zeros([2, 3]);

  it("carry the operator, the shapes and dtypes, and libtorch's reason", () => {
    const failure = catchError(() => x.mm(x));
    expect(failure).toBeInstanceOf(TorchError);
    expect(failure.operator).toBe("mm");
    expect(failure.message).toBe(
      "mm: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3) (self: Float [2, 3], mat2: Float [2, 3])",
    );
    expect(failure.message).not.toMatch(/Exception raised|\.cpp/);
  });

  it("name the argument that is of the wrong kind", () => {
    expect(() => x.add("x" as unknown as number)).toThrow(
      /^add.Scalar: 'other' \(Scalar\) must be a number, but is 'x'/,
    );
    expect(() => linear(3 as unknown as Tensor, x)).toThrow("linear: 'input' must be a Tensor, but is 3");
    expect(() => cat(x as unknown as Tensor[])).toThrow(
      "cat: 'tensors' must be an array of Tensors, but is a Tensor",
    );
    expect(() => x.sum(1.5)).toThrow(/'dim' .* must be an integer, but is 1.5/);
    expect(() => x.reshape([2, "3"] as unknown as number[])).toThrow(
      /'shape' .* must be an integer, but is '3'/,
    );
    expect(() => x.softmax(undefined as unknown as number)).toThrow(
      /'dim' \(int\) must be given, but is undefined/,
    );
    expect(() => x.to({ dtype: "float8" as "float16" })).toThrow(/'dtype' .* must be one of float32/);
    expect(() => zeros([1], null as unknown as undefined)).not.toThrow();
  });

  it("say how arguments are given where Python would give them by name, or a reduction as a word", () => {
    const scores = tensor([[1, 2]]); // [1, 2]
    const byPlace = "but is an object. Give arguments by their places, undefined for one that is left out";
    const named = { reduction: "sum", dim: -1 } as never;
    expect(() => crossEntropyLoss(scores, tensor([0], { dtype: "int64" }), named)).toThrow(byPlace);
    expect(() => scores.softmax(named)).toThrow(byPlace);
    expect(() => scores.sum(named)).toThrow(byPlace);
    for (const reduction of ["sum", named])
      expect(() => mseLoss(scores, scores, reduction as never)).toThrow(
        ". Give 0 for none, 1 for the mean, 2 for the sum",
      );
  });

  it("come before libtorch reads what is not there", () => {
    const logProbabilities = zeros([5, 1, 3]).logSoftmax(-1);
    expect(() => ctcLoss(logProbabilities, integers([7]), [5], [1])).toThrow(
      /targets must be 0 to 2, but one is 7/,
    );
    // Padding behind a target's length is not read.
    const padded = integers([1, -100, 2, 2], [2, 2]);
    const two = zeros([5, 2, 3]).logSoftmax(-1);
    expect(ctcLoss(two, padded, [5, 5], [1, 2]).isfinite().item()).toBe(1);
    expect(() => conv1d(zeros([1, 4, 8]), zeros([4, 4, 3]), undefined, 1, 0, 1, 0)).toThrow(TorchError);
  });

  it("come for memory that there is not", () => {
    expect(() => zeros([2 ** 40, 2 ** 10])).toThrow(TorchError);
    expect(zeros([1]).item()).toBe(0);
  });
});

function catchError(body: () => unknown): TorchError {
  try {
    body();
  } catch (error) {
    if (error instanceof TorchError) return error;
  }
  throw new Error("no TorchError was thrown");
}
