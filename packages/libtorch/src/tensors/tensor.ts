import { inspect } from "node:util";
import {
  checkBoolean,
  checkChoice,
  checkCount,
  checkFunction,
  checkOptions,
  describe,
} from "../arguments.js";
import { argumentError } from "../errors.js";
import { native } from "../native.js";
import { Operators } from "../operators/operators.generated.js";
import { arrayData, dtypeOf, type NestedArray } from "./array-data.js";
import { adopt, handleOf, insideNativeScope, setTensorClass, wrap } from "./handles.js";
import { valuesText } from "./tensor-text.js";

export type Dtype = "float32" | "float64" | "float16" | "bfloat16" | "int64" | "int32" | "uint8" | "bool";
/** "cpu", "cuda", "cuda:1", "mps" */
export type Device = string;
export type MemoryFormat = "contiguous" | "preserve";
export type TypedArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

const BYTES: Record<Dtype, number> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

/** A libtorch tensor. Operators are methods under PyTorch's names in camelCase; see `Operators`. */
export class Tensor extends Operators {
  readonly handle: number;
  #shape: readonly number[] | undefined;

  /** @internal Tensors come from operators and factories. */
  constructor(handle: number) {
    super();
    this.handle = handle;
    adopt(this);
  }

  /** @internal Whether an object was made by this class, however it looks. */
  static isTensor(value: object): boolean {
    return #shape in value;
  }

  get shape(): readonly number[] {
    this.#shape ??= Object.freeze(native.shape(this.handle));
    return this.#shape;
  }
  get dtype(): Dtype {
    return native.dtype(this.handle) as Dtype;
  }
  get device(): Device {
    return native.device(this.handle);
  }
  /** The number of elements (PyTorch: `numel`). */
  get numel(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }
  get isContiguous(): boolean {
    return native.isContiguous(this.handle);
  }
  /** False once the scope that made it has ended, or `dispose` was called. */
  get isLive(): boolean {
    return native.isLive(this.handle);
  }

  get requiresGrad(): boolean {
    return native.requiresGrad(this.handle);
  }
  set requiresGrad(required: boolean) {
    native.setRequiresGrad(this.handle, required);
  }

  /** The gradient that backward passes have added up, or undefined. */
  get grad(): Tensor | undefined {
    const handle = native.gradient(this.handle);
    return handle === undefined ? undefined : wrap(handle);
  }
  set grad(gradient: Tensor | undefined) {
    const given =
      gradient === undefined || gradient === null ? undefined : handleOf(gradient, "grad", "gradient");
    native.setGradient(this.handle, given);
  }

  /**
   * Adds the gradients of this tensor to its leaves'. `gradient` is needed unless the tensor has one element.
   *
   * @throws TorchError when nothing requires a gradient or the graph was freed before.
   */
  backward(gradient?: Tensor, options: { retainGraph?: boolean; createGraph?: boolean } = {}): void {
    checkOptions("backward", options, ["retainGraph", "createGraph"]);
    const create = options.createGraph ?? false;
    const given = gradient === undefined ? 0 : handleOf(gradient, "backward", "gradient");
    native.backward([this.handle], [given], options.retainGraph ?? create, create);
  }

  /**
   * The elements where a bool mask is true, in one dimension (PyTorch: `masked_select`, whose gradients are wrong for strided
   * tensors in libtorch 1.13).
   *
   * @param mask of this shape, or one that broadcasts to it
   */
  maskedSelect(mask: Tensor): Tensor {
    handleOf(mask, "maskedSelect", "mask");
    if (mask.dtype !== "bool")
      throw argumentError(
        "maskedSelect",
        `'mask' must be of bool, but is of ${mask.dtype}. Compare it with a number`,
      );
    return this.index([mask.expand(this.shape)]);
  }

  /**
   * Calls `hook` with every gradient of this tensor; what it returns replaces the gradient.
   *
   * @returns a function that removes the hook
   */
  registerHook(hook: (gradient: Tensor) => Tensor | undefined): () => void {
    checkFunction("registerHook", "hook", hook);
    const id = native.registerHook(this.handle, (handle) =>
      insideNativeScope(() => {
        const replaced = hook(wrap(handle));
        return replaced === undefined ? undefined : handleOf(replaced, "registerHook", "the result of hook");
      }),
    );
    return () => native.removeHook(this.handle, id);
  }

  /** The only element. @throws TorchError when there is not exactly one. */
  item(): number {
    return Number(native.item(this.handle));
  }

  /**
   * The elements in row-major order, copied. float16 and bfloat16 come as Float32Array (exact), bool as
   * Uint8Array, int64 as BigInt64Array.
   */
  toTypedArray(): TypedArray {
    const dtype = this.dtype;
    if (dtype === "float16" || dtype === "bfloat16") return this.to({ dtype: "float32" }).toTypedArray();
    const types = {
      float32: Float32Array,
      float64: Float64Array,
      int64: BigInt64Array,
      int32: Int32Array,
      uint8: Uint8Array,
      bool: Uint8Array,
    };
    requireNumbers(dtype);
    const array = new types[dtype](this.numel);
    native.toBytes(this.handle, array);
    return array;
  }

  /** As `toTypedArray`, for tensors of any dtype, as float32. */
  toFloat32Array(): Float32Array {
    const array = new Float32Array(this.numel);
    native.toBytes((this.dtype === "float32" ? this : this.to({ dtype: "float32" })).handle, array);
    return array;
  }

  /** The elements as plain numbers, in row-major order. */
  toArray(): number[] {
    return Array.from(this.toTypedArray() as ArrayLike<number | bigint>, Number);
  }

  /**
   * What `JSON.stringify` writes: the values in arrays as deep as there are dimensions, those that are not finite as null; of a
   * freed tensor, and of one without values, what `toString` says.
   */
  toJSON(): unknown {
    if (!this.isLive || this.device.startsWith("meta") || !(this.dtype in BYTES)) return this.toString();
    return this.shape.reduceRight<unknown[]>(inRows, this.toArray())[0];
  }

  /** The elements' memory in row-major order, little-endian, copied. */
  toBytes(): Uint8Array {
    requireNumbers(this.dtype);
    const bytes = new Uint8Array(this.numel * BYTES[this.dtype]);
    native.toBytes(this.handle, bytes);
    return bytes;
  }

  /** Frees the tensor now instead of at the end of its scope. */
  dispose(): void {
    native.free(this.handle);
  }

  override toString(): string {
    return this.isLive
      ? `Tensor(${this.dtype} [${this.shape.join(", ")}] on ${this.device})`
      : "Tensor(freed)";
  }

  /** What `console.log` shows: as `toString`, and the values as PyTorch prints them, of large tensors those at the edges. */
  [inspect.custom](depth: number): string {
    if (!this.isLive) return this.toString();
    const head = this.requiresGrad ? this.toString().replace(/\)$/, ", requiresGrad)") : this.toString();
    if (depth < 0 || this.device.startsWith("meta") || !(this.dtype in BYTES)) return head;
    const values = valuesText(this);
    return `${head}${values.includes("\n") || this.shape.length > 1 ? "\n" : " "}${values}`;
  }
}

/** Rows of `size` values each. */
function inRows(values: unknown[], size: number): unknown[] {
  if (size === 0) return [[]];
  return Array.from({ length: values.length / size }, (_, row) => values.slice(row * size, (row + 1) * size));
}

/** @throws TorchError for dtypes that only operators know, such as complex ones */
function requireNumbers(dtype: string): void {
  if (dtype in BYTES) return;
  throw argumentError(
    "toTypedArray",
    `the tensor must be of ${Object.keys(BYTES).join(", ")}, but is ${dtype}. Convert it with to, or viewAsReal`,
  );
}

setTensorClass((handle) => new Tensor(handle), Tensor.isTensor);

export interface TensorOptions {
  /** Of the tensor; else what `tensor` tells from the data. */
  dtype?: Dtype | undefined;
  /** "cpu" when left out. */
  device?: Device | undefined;
  /** False when left out. */
  requiresGrad?: boolean | undefined;
}

const TENSOR_OPTIONS = ["dtype", "device", "requiresGrad"];

/**
 * A tensor of numbers (PyTorch: `torch.tensor`): `tensor([[1, 2], [3, 4]])` has the shape [2, 2]. The data are copied.
 *
 * Numbers become float32, booleans bool and bigints int64, unless `dtype` says otherwise. Typed arrays keep their own dtype;
 * those that libtorch has no dtype for take one that holds all their numbers (Int16Array: int32, Uint32Array: int64).
 * Integer dtypes take whole numbers in their range alone, where PyTorch cuts off what is behind the point.
 *
 * @param shape of the data, in row-major order; without it that of the arrays
 * @throws TorchError that names the element where one is no number, has other neighbours or does not fit the dtype, and
 * when the shape does not hold as many elements
 */
export function tensor(
  data: NodeJS.TypedArray | NestedArray | number | boolean | bigint,
  options?: TensorOptions,
): Tensor;
export function tensor(
  data: NodeJS.TypedArray | NestedArray | number | boolean | bigint,
  shape: readonly number[] | undefined,
  options?: TensorOptions,
): Tensor;
export function tensor(
  data: NodeJS.TypedArray | NestedArray | number | boolean | bigint,
  second?: readonly number[] | TensorOptions,
  third?: TensorOptions,
): Tensor {
  const isShape = Array.isArray(second) || second === undefined || third !== undefined;
  const options = (isShape ? third : (second as TensorOptions)) ?? {};
  checkOptions("tensor", options, TENSOR_OPTIONS);
  const { device = "cpu", requiresGrad = false } = options;
  if (options.dtype !== undefined) checkChoice("tensor", "dtype", options.dtype, Object.keys(BYTES));
  checkBoolean("tensor", "requiresGrad", requiresGrad);
  const { values, shape, dtype: inferred } = arrayData(data, options.dtype);
  const sizes = isShape && second !== undefined ? (second as readonly number[]) : shape;
  checkShape("tensor", sizes, values.length);
  const result = fromArray(values, sizes, options.dtype ?? inferred, device);
  if (requiresGrad) result.requiresGrad = true;
  return result;
}

function fromArray(values: TypedArray, shape: readonly number[], dtype: Dtype, device: Device): Tensor {
  const own = dtypeOf(values)!;
  if (device === "cpu") {
    const made = wrap(native.fromBytes(values, shape, own));
    return own === dtype ? made : made.to({ dtype });
  }
  if (BYTES[own] <= BYTES[dtype]) {
    const made = wrap(native.toDevice(values, shape, own, device));
    return own === dtype ? made : made.to({ dtype });
  }
  return wrap(native.fromBytes(values, shape, own))
    .to({ dtype })
    .to({ device }); // the fewer bytes are moved
}

/** @throws TorchError unless a shape holds so many elements */
function checkShape(operator: string, shape: unknown, elements: number): void {
  if (!Array.isArray(shape))
    throw argumentError(operator, `'shape' must be an array such as [2, 3], but is ${describe(shape)}`);
  for (const [i, size] of shape.entries()) checkCount(operator, `shape[${i}]`, size);
  const held = shape.reduce((product: number, size: number) => product * size, 1);
  if (held === elements) return;
  throw argumentError(
    operator,
    `the shape [${shape.join(", ")}] must hold all elements of the data, ${elements}, but holds ${held}`,
  );
}

/**
 * A CPU tensor in a typed array's own memory, without a copy: what is written to one is seen in the other. The memory
 * lives as long as the tensor. PyTorch: `torch.frombuffer`.
 *
 * @param data over a SharedArrayBuffer, into which another thread may write while nothing is computed from it; the memory
 * of an ArrayBuffer could be handed over to another thread and freed
 * @throws TorchError for an array over an ArrayBuffer or of a type without a dtype, and when the shape does not hold as many
 * elements
 */
export function fromBuffer(data: TypedArray, shape?: readonly number[]): Tensor {
  const dtype = dtypeOfHost("fromBuffer", data);
  if (!(data.buffer instanceof SharedArrayBuffer))
    throw argumentError(
      "fromBuffer",
      "'data' must lie in a SharedArrayBuffer, but lies in an ArrayBuffer. Use tensor, which copies",
    );
  const sizes = shape ?? [data.length];
  checkShape("fromBuffer", sizes, data.length);
  return wrap(native.shareBytes(data, sizes, dtype));
}

/** @throws TorchError where an array's memory is not laid out as a dtype */
function dtypeOfHost(operator: string, data: unknown): Dtype {
  const dtype = dtypeOf(data);
  if (dtype) return dtype;
  throw argumentError(
    operator,
    `'data' must be a Float32Array, Float64Array, BigInt64Array, Int32Array or Uint8Array, but is ${describe(data)}`,
  );
}

/**
 * An array of the host as a tensor on a device: in the array's own memory where that is shared and the device is the CPU
 * ({@link fromBuffer}), otherwise in one copy. The array may be written again once this returns and, on the CPU, nothing
 * is computed from the tensor any more.
 */
export function fromHost(data: TypedArray, shape: readonly number[], device: Device): Tensor {
  dtypeOfHost("fromHost", data);
  const isShared = data.buffer instanceof SharedArrayBuffer;
  return device === "cpu" && isShared ? fromBuffer(data, shape) : tensor(data, shape, { device });
}

/** A tensor from its elements' memory in row-major order, little-endian. */
export function tensorFromBytes(
  bytes: Uint8Array,
  shape: readonly number[],
  dtype: Dtype,
  device: Device = "cpu",
): Tensor {
  return wrap(
    device === "cpu" ? native.fromBytes(bytes, shape, dtype) : native.toDevice(bytes, shape, dtype, device),
  );
}
