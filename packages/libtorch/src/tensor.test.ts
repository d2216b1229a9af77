import { describe, expect, it } from "vitest";
import { TorchError } from "./errors.js";
import { arange, ones, zeros } from "./operators.generated.js";
import { type Dtype, fromBuffer, tensor, tensorFromBytes } from "./tensor.js";

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

describe("tensors from typed arrays", () => {
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
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow(/\[2, 2\], which needs 32 bytes, but is 24/);
    expect(() => tensor([1], [-1])).toThrow(/must not be negative, but one is -1/);
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
    expect(() => fromBuffer(new Float32Array(4))).toThrow(TypeError);
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
