import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { argumentError, TorchError } from "../errors.js";
import { arange, ones, zeros } from "../operators/operators.generated.js";
import { bridgeCounters, memoryStatistics } from "../runtime.js";
import { isTensor } from "./handles.js";
import { type Dtype, fromBuffer, Tensor, tensor, tensorFromBytes } from "./tensor.js";

describe("tensors from numbers", () => {
  it("are float32 unless told otherwise, of one dimension unless told otherwise", () => {
    const x = tensor([1, 2.5, -3]);
    expect([x.dtype, x.shape, x.device, x.numel, x.isContiguous]).toEqual(["float32", [3], "cpu", 3, true]);
    expect(x.toArray()).toEqual([1, 2.5, -3]);
    expect(tensor(7).shape).toEqual([]);
    expect(tensor(7).item()).toBe(7);
  });

  it.each<[Dtype, number[], string]>([
    ["float32", [1.5, -2, 0.100000001490116], "Float32Array"],
    ["float64", [0.1, -1e300, 5e-324], "Float64Array"],
    ["float16", [1.5, -65504, 0.0999755859375], "Float32Array"],
    ["bfloat16", [1.5, -256, 0.10009765625], "Float32Array"],
    ["int64", [0, -1, Number.MAX_SAFE_INTEGER], "BigInt64Array"],
    ["int32", [0, -(2 ** 31), 2 ** 31 - 1], "Int32Array"],
    ["uint8", [0, 1, 255], "Uint8Array"],
    ["bool", [0, 1, 1], "Uint8Array"],
  ])("%s goes in and comes out", (dtype, values, arrayType) => {
    const x = tensor(values, [values.length], { dtype });
    expect(x.dtype).toBe(dtype);
    expect(x.toArray().map((value) => Math.fround(value))).toEqual(values.map((value) => Math.fround(value)));
    expect(x.toTypedArray().constructor.name).toBe(arrayType);
    expect(tensorFromBytes(x.toBytes(), x.shape, dtype).equal(x)).toBe(true);
  });

  it("round to the nearest bfloat16 and float16, ties to even", () => {
    const between = 1 + 2 ** -8; // half-way between the bfloat16 neighbours 1 and 1 + 2^-7
    expect(tensor([between, between + 2 ** -12], [2], { dtype: "bfloat16" }).toArray()).toEqual([
      1,
      1 + 2 ** -7,
    ]);
    expect(tensor([1 + 2 ** -11, 65536], [2], { dtype: "float16" }).toArray()).toEqual([
      1,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it("keep NaN, infinities and the sign of zero", () => {
    const [nan, up, down, zero] = tensor([Number.NaN, Infinity, -Infinity, -0]).toArray();
    expect([nan, up, down]).toEqual([Number.NaN, Infinity, -Infinity]);
    expect(Object.is(zero, -0)).toBe(true);
  });
});

describe("tensors from nested arrays", () => {
  it("have the arrays' shape", () => {
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect([x.dtype, x.shape, x.toArray()]).toEqual(["float32", [3, 2], [1, 2, 3, 4, 5, 6]]);
    expect(tensor([[[1]], [[2]]]).shape).toEqual([2, 1, 1]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor([[1, 2]], [2, 1]).shape).toEqual([2, 1]);
  });

  it("take their dtype from what they hold, or from the options", () => {
    expect(tensor([[true], [false]]).dtype).toBe("bool");
    expect(tensor(true).dtype).toBe("bool");
    expect(tensor([2n ** 62n + 1n]).toTypedArray()).toEqual(new BigInt64Array([2n ** 62n + 1n]));
    expect(tensor([1n, 2], { dtype: "int64" }).toArray()).toEqual([1, 2]);
    expect(tensor([true, 2.5]).toArray()).toEqual([1, 2.5]);
    expect(tensor([1, 0, -2], { dtype: "bool" }).toArray()).toEqual([1, 0, 1]);
    const rows = tensor([Int32Array.of(1, 2), Int32Array.of(3, 4)]);
    expect([rows.dtype, rows.shape, rows.toArray()]).toEqual(["int32", [2, 2], [1, 2, 3, 4]]);
    expect(tensor([Float32Array.of(1.5), [2]]).toArray()).toEqual([1.5, 2]);
    expect(tensor([1, 2], { requiresGrad: true }).requiresGrad).toBe(true);
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each<[unknown, Dtype | undefined, string]>([
    [[[1, 2], [3]], undefined, "element [1] must have 2 elements as its neighbours, but has 1"],
    [[[1, 2], 3], undefined, "element [1] must be an array of 2 elements, but is 3"],
    [[1, [2]], undefined, "element [1] must be a number, but is an array"],
    [[[1], [undefined]], undefined, "element [1][0] must be a number, but is undefined"],
    [[1, "2"], undefined, "element [1] must be a number, but is '2'"],
    [[null], undefined, "element [0] must be a number, but is null"],
    [{ length: 1 }, undefined, "data must be a number or an array of numbers, but is an object"],
    [undefined, undefined, "data must be a number or an array of numbers, but is undefined"],
    [[tensor(1)], undefined, "element [0] must be a number, but is a Tensor. Use stack"],
    [new ArrayBuffer(4), undefined, "data must be a number or an array of numbers, but is an ArrayBuffer"],
    [cycle, undefined, "data must be nested at most 64 deep, but is deeper"],
    [[[0, 1.5]], "int64", "element [0][1] must be a whole number of int64, but is 1.5"],
    [[2 ** 63], "int64", "element [0] must be a whole number of int64, but is 9223372036854776000"],
    [[2n ** 63n], undefined, "element [0] must be a number of int64, but is 9223372036854775808n"],
    [[Number.NaN], "int32", "element [0] must be a whole number of int32, but is NaN"],
    [[256], "uint8", "element [0] must be a whole number of uint8, but is 256"],
    [Float32Array.of(1, Infinity), "int64", "element [1] must be a whole number of int64, but is Infinity"],
    [Int32Array.of(-1), "uint8", "element [0] must be a whole number of uint8, but is -1"],
    [[Number.NaN], "bool", "element [0] must be a number or a boolean, but is NaN"],
  ])("are refused with the place: %#", (data, dtype, message) => {
    expect(() => tensor(data as number[], { dtype })).toThrow(argumentError("tensor", message));
  });

  it("are refused with options that do not exist, and shapes that are none", () => {
    const options = (given: object) => () => tensor([1], given);
    expect(options({ dtyp: "int64" })).toThrow(/one is 'dtyp'. Write 'dtype'/);
    expect(options({ requires_grad: true })).toThrow(/Write 'requiresGrad'/);
    expect(options({ dtype: "int" })).toThrow(/'dtype' must be 'float32' or .* but is 'int'. Write 'int64'/);
    expect(() => tensor([1], [1.5])).toThrow(/'shape\[0\]' must be a whole number .* but is 1.5/);
    expect(() => tensor([1], "x" as never)).toThrow(/options must be an object .* but is 'x'/);
    expect(() => tensor([1], 1 as never, {})).toThrow(/'shape' must be an array such as \[2, 3\], but is 1/);
  });
});

describe("tensors from typed arrays", () => {
  it("take a dtype that holds all, where there is none of their own", () => {
    const of = (data: NodeJS.TypedArray) => [tensor(data).dtype, tensor(data).toArray()];
    expect(of(Int16Array.of(-32768, 32767))).toEqual(["int32", [-32768, 32767]]);
    expect(of(Int8Array.of(-128))).toEqual(["int32", [-128]]);
    expect(of(Uint16Array.of(65535))).toEqual(["int32", [65535]]);
    expect(of(Uint32Array.of(2 ** 32 - 1))).toEqual(["int64", [2 ** 32 - 1]]);
    expect(of(Uint8ClampedArray.of(0, 9, 255).subarray(1))).toEqual(["uint8", [9, 255]]);
    expect(of(BigUint64Array.of(7n))).toEqual(["int64", [7]]);
    expect(() => tensor(BigUint64Array.of(2n ** 63n))).toThrow(/must hold numbers below 2\^63/);
  });

  it("take the array's dtype and copy it", () => {
    const data = new Int32Array([1, 2, 3, 4]);
    const x = tensor(data, [2, 2]);
    data[0] = 99;
    expect([x.dtype, x.shape, x.toArray()]).toEqual(["int32", [2, 2], [1, 2, 3, 4]]);
  });

  it("hold int64 beyond 2^53 exactly", () => {
    const values = new BigInt64Array([2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]);
    expect(tensor(values).toTypedArray()).toEqual(values);
  });

  it("respect a view's offset and length", () => {
    const x = tensor(new Float32Array([0, 1, 2, 3]).subarray(1, 3));
    expect(x.toArray()).toEqual([1, 2]);
    const bytes = new Uint8Array([9, 0, 0, 128, 63, 9]).subarray(1, 5); // 1.0, not aligned
    expect(tensorFromBytes(bytes, [1], "float32").toArray()).toEqual([1]);
  });

  it("may be empty", () => {
    const x = zeros([0, 3]);
    expect([x.shape, x.numel, x.toArray()]).toEqual([[0, 3], 0, []]);
    expect(tensor([]).shape).toEqual([0]);
    expect(tensorFromBytes(new Uint8Array(0), [2, 0], "bfloat16").toBytes()).toEqual(new Uint8Array(0));
  });

  it("refuse a shape that they do not fill, and dtypes that there are not", () => {
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow(TorchError);
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow(
      /the shape \[2, 2\] must hold all elements of the data, 3, but holds 4/,
    );
    expect(() => tensor([1], [-1])).toThrow(
      /'shape\[0\]' must be a whole number that is not negative, but is -1/,
    );
    expect(() => tensorFromBytes(new Uint8Array(4), [1], "complex64" as Dtype)).toThrow(
      /must be one of float32, .* but is 'complex64'/,
    );
  });
});

describe("a tensor's elements", () => {
  it("come in row-major order from views", () => {
    const x = arange(0, 6).reshape([2, 3]).transpose(0, 1);
    expect([x.shape, x.isContiguous]).toEqual([[3, 2], false]);
    expect(x.toArray()).toEqual([0, 3, 1, 4, 2, 5]);
    expect(x.contiguous().toBytes()).toEqual(x.toBytes());
    expect(ones([1]).expand([2, 2]).toFloat32Array()).toEqual(new Float32Array(4).fill(1));
  });

  it("come as bytes, little-endian", () => {
    expect([...tensor([1]).toBytes()]).toEqual([0, 0, 128, 63]);
    expect([...tensor([1], [1], { dtype: "bfloat16" }).toBytes()]).toEqual([128, 63]);
  });

  it("come as float32 from any dtype", () => {
    expect(tensor([1, 2], [2], { dtype: "int64" }).toFloat32Array()).toEqual(new Float32Array([1, 2]));
  });

  it("come alone from item only when alone", () => {
    expect(tensor([3.5], [1, 1]).item()).toBe(3.5);
    expect(tensor([1], [1], { dtype: "bool" }).item()).toBe(1);
    expect(() => tensor([1, 2]).item()).toThrow(/must have one element, but is Float \[2\]/);
  });
});

describe("console.log", () => {
  it("shows shape, dtype, device and values as PyTorch prints them", () => {
    expect(inspect(tensor([[1, -2]], { requiresGrad: true }))).toBe(
      "Tensor(float32 [1, 2] on cpu, requiresGrad)\n[[ 1., -2.]]",
    );
    expect(inspect(tensor([0.5, 10, Number.NaN, -Infinity]))).toBe(
      "Tensor(float32 [4] on cpu) [ 0.5000, 10.0000,     nan,    -inf]",
    );
    expect(inspect(tensor([1e-5, 1]))).toBe("Tensor(float32 [2] on cpu) [1.0000e-05, 1.0000e+00]");
    expect(inspect(tensor(2.5))).toBe("Tensor(float32 [] on cpu) 2.5000");
    expect(inspect(tensor([true, false]))).toBe("Tensor(bool [2] on cpu) [ true, false]");
    expect(inspect(tensor([2n ** 60n]))).toBe("Tensor(int64 [1] on cpu) [1152921504606846976]");
    expect(inspect({ x: zeros([2, 1]) })).toBe(
      "{\n  x: Tensor(float32 [2, 1] on cpu)\n  [[0.],\n   [0.]]\n}",
    );
    expect(inspect([[[zeros([1])]]])).toContain("Tensor(float32 [1] on cpu)");
    expect(inspect(zeros([2], { device: "meta" }))).toBe("Tensor(float32 [2] on meta)");
  });

  it("shows the edges of large tensors, and copies no more", () => {
    const large = arange(0, 2000 * 1000, 1, { dtype: "int64" }).reshape([1000, 2000]);
    const { copiedBytes } = bridgeCounters();
    const { peakBytes } = memoryStatistics();
    expect(inspect(large).split("\n")).toEqual([
      "Tensor(int64 [1000, 2000] on cpu)",
      "[[      0,       1,       2, ...,    1997,    1998,    1999],",
      " [   2000,    2001,    2002, ...,    3997,    3998,    3999],",
      " [   4000,    4001,    4002, ...,    5997,    5998,    5999],",
      " ...,",
      " [1994000, 1994001, 1994002, ..., 1995997, 1995998, 1995999],",
      " [1996000, 1996001, 1996002, ..., 1997997, 1997998, 1997999],",
      " [1998000, 1998001, 1998002, ..., 1999997, 1999998, 1999999]]",
    ]);
    expect(bridgeCounters().copiedBytes).toBe(copiedBytes);
    expect(memoryStatistics().peakBytes).toBe(peakBytes);
  });

  it("shows freed tensors and leaves no tensors behind", () => {
    const x = zeros([50, 50]);
    const { liveTensors } = memoryStatistics();
    inspect(x);
    expect(memoryStatistics().liveTensors).toBe(liveTensors);
    x.dispose();
    expect(inspect(x)).toBe("Tensor(freed)");
  });
});

describe("maskedSelect", () => {
  it("takes the elements under a mask, with their gradient", () => {
    const x = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { requiresGrad: true },
    );
    const chosen = x.transpose(0, 1).maskedSelect(tensor([true, false]));
    expect(chosen.toArray()).toEqual([1, 2, 3]);
    chosen
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(x.grad!.toArray()).toEqual([1, 10, 100, 0, 0, 0]);
    expect(() => x.maskedSelect(ones([2, 3]))).toThrow(/'mask' must be of bool, but is of float32/);
    expect(() => x.maskedSelect([true] as never)).toThrow(/'mask' must be a Tensor, but is an array/);
  });
});

describe("isTensor", () => {
  it("is true of tensors alone, freed ones too", () => {
    const x = zeros([1]);
    x.dispose();
    expect([zeros([1]), x].map(isTensor)).toEqual([true, true]);
    const alike = [{ handle: 1 }, Object.create(Tensor.prototype), null, undefined, 1, [zeros([1])]];
    expect(alike.map(isTensor)).toEqual(alike.map(() => false));
  });
});

describe("toString", () => {
  it("tells dtype, shape and device, and that a tensor was freed", () => {
    const x = zeros([2, 3], { dtype: "bfloat16" });
    expect(String(x)).toBe("Tensor(bfloat16 [2, 3] on cpu)");
    x.dispose();
    expect(String(x)).toBe("Tensor(freed)");
  });
});

describe("a tensor in an array's memory", () => {
  const shared = (array: Float64Array | Int32Array | Uint8Array | BigInt64Array | Float32Array) => {
    const copy = new Uint8Array(new SharedArrayBuffer(array.byteLength));
    copy.set(new Uint8Array(array.buffer));
    return new (array.constructor as Float32ArrayConstructor)(copy.buffer as never);
  };

  it("sees what is written to the array, and the array sees what is written to it", () => {
    const array = new Float32Array(new SharedArrayBuffer(24), 4, 4); // not from the buffer's beginning
    const x = fromBuffer(array, [2, 2]);
    array[3] = 7;
    expect(x.toArray()).toEqual([0, 0, 0, 7]);
    x.mul_(2);
    expect([...array]).toEqual([0, 0, 0, 14]);
    expect([x.dtype, x.shape, x.device]).toEqual(["float32", [2, 2], "cpu"]);
  });

  it("keeps the memory alive", () => {
    const tensors = Array.from({ length: 64 }, (_, i) =>
      fromBuffer(shared(new Float32Array(1 << 16).fill(i))),
    );
    for (let i = 0; i < 64; i++) new Float32Array(1 << 20).fill(-1);
    expect(tensors.map((x) => x.mean().item())).toEqual(tensors.map((_, i) => i));
    for (const x of tensors) x.dispose();
    expect(() => fromBuffer(shared(new Float32Array(3)), [2, 2])).toThrow(TorchError);
    expect(() => fromBuffer(new Float32Array(4))).toThrow(TorchError);
  });

  it.each([
    new Float64Array(2),
    new Int32Array(2),
    new Uint8Array(2),
    new BigInt64Array(2),
    new Float32Array(0),
  ])("has the type of the array", (array) => {
    const x = fromBuffer(shared(array));
    expect(x.equal(tensor(array))).toBe(true);
    expect(x.dtype).toBe(tensor(array).dtype);
  });
});
