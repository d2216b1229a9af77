import { adopt, insideNativeScope, setTensorClass, wrap } from "./handles.js";
import { native } from "./native.js";
import { Operators } from "./operators.generated.js";

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
    native.setGradient(this.handle, gradient?.handle);
  }

  /**
   * Adds the gradients of this tensor to its leaves'. `gradient` is needed unless the tensor has one element.
   *
   * @throws TorchError when nothing requires a gradient or the graph was freed before.
   */
  backward(gradient?: Tensor, options: { retainGraph?: boolean; createGraph?: boolean } = {}): void {
    const create = options.createGraph ?? false;
    native.backward([this.handle], gradient ? [gradient.handle] : [0], options.retainGraph ?? create, create);
  }

  /**
   * Calls `hook` with every gradient of this tensor; what it returns replaces the gradient.
   *
   * @returns a function that removes the hook
   */
  registerHook(hook: (gradient: Tensor) => Tensor | undefined): () => void {
    const id = native.registerHook(this.handle, (handle) =>
      insideNativeScope(() => hook(wrap(handle))?.handle),
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

  /** The elements' memory in row-major order, little-endian, copied. */
  toBytes(): Uint8Array {
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
}

setTensorClass((handle) => new Tensor(handle), Tensor.isTensor);

function dtypeOf(data: TypedArray): Dtype {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof Int32Array) return "int32";
  return "uint8";
}

export interface TensorOptions {
  dtype?: Dtype | undefined;
  device?: Device | undefined;
  requiresGrad?: boolean | undefined;
}

/**
 * A tensor from numbers (float32 unless `dtype` says otherwise) or from a typed array (copied, its own dtype
 * unless `dtype` says otherwise). `shape` is one dimension when left out.
 *
 * @throws TorchError when the shape does not hold as many elements.
 */
export function tensor(
  data: TypedArray | readonly number[] | number,
  shape?: readonly number[],
  options: TensorOptions = {},
): Tensor {
  const plain = typeof data === "number" || Array.isArray(data);
  const values = typeof data === "number" ? [data] : data;
  const array = plain ? Float64Array.from(values as readonly number[]) : (values as TypedArray);
  const sizes = shape ?? (typeof data === "number" ? [] : [array.length]);
  const dtype = options.dtype ?? (plain ? "float32" : dtypeOf(array));
  const own = dtypeOf(array);
  const device = options.device ?? "cpu";
  let result: Tensor;
  if (device === "cpu") {
    result = wrap(native.fromBytes(array, sizes, own));
    if (own !== dtype) result = result.to({ dtype });
  } else if (BYTES[own] <= BYTES[dtype]) {
    result = wrap(native.toDevice(array, sizes, own, device));
    if (own !== dtype) result = result.to({ dtype });
  } else {
    result = wrap(native.fromBytes(array, sizes, own))
      .to({ dtype })
      .to({ device }); // the fewer bytes are moved
  }
  if (options.requiresGrad) result.requiresGrad = true;
  return result;
}

/**
 * A CPU tensor in a typed array's own memory, without a copy: what is written to one is seen in the other. The memory
 * lives as long as the tensor. PyTorch: `torch.frombuffer`.
 *
 * @param data over a SharedArrayBuffer, into which another thread may write while nothing is computed from it; the memory
 * of an ArrayBuffer could be handed over to another thread and freed
 * @throws TypeError for an array over an ArrayBuffer
 * @throws TorchError when the shape does not hold as many elements.
 */
export function fromBuffer(data: TypedArray, shape: readonly number[] = [data.length]): Tensor {
  if (!(data.buffer instanceof SharedArrayBuffer))
    throw new TypeError(
      "data must lie in a SharedArrayBuffer, but lies in an ArrayBuffer. Use tensor, which copies.",
    );
  return wrap(native.shareBytes(data, shape, dtypeOf(data)));
}

/**
 * An array of the host as a tensor on a device: in the array's own memory where that is shared and the device is the CPU
 * ({@link fromBuffer}), otherwise in one copy. The array may be written again once this returns and, on the CPU, nothing
 * is computed from the tensor any more.
 */
export function fromHost(data: TypedArray, shape: readonly number[], device: Device): Tensor {
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
