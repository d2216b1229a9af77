import {
  kindOf,
  PickleDict,
  PickleGlobal,
  PickleObject,
  type PickleRules,
  PickleTuple,
  type PickleValue,
  unpickle,
} from "./pickle.js";
import { DTYPE_BYTES, type SafetensorsDtype, sizeInBytes } from "./safetensors-header.js";
import { quote } from "./safetensors-json.js";
import { type TensorEntry, TensorFileError } from "./tensor-source.js";

/** A tensor as `torch.save` describes it: a strided view of a storage, counted in elements. */
export interface StoredTensor extends TensorEntry {
  /** Its storage's place in the archive: `data/<key>`. */
  readonly key: string;
  readonly storageBytes: number;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** PyTorch's storage classes: https://pytorch.org/docs/stable/storage.html */
const STORAGES: Record<string, SafetensorsDtype> = {
  FloatStorage: "F32",
  DoubleStorage: "F64",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

class StorageType extends PickleGlobal {
  constructor(
    name: string,
    readonly dtype: SafetensorsDtype,
  ) {
    super(name);
  }
}

class Storage extends PickleObject {
  readonly kind = "a storage";
  constructor(
    readonly dtype: SafetensorsDtype,
    readonly key: string,
    readonly elements: number,
  ) {
    super();
  }
}

/** Arguments of `_rebuild_tensor_v2`, unchecked: its name, for messages, is not known when it is called. */
class View extends PickleObject {
  readonly kind = "a tensor";
  constructor(readonly args: readonly PickleValue[]) {
    super();
  }
}

/**
 * The tensors of a state dict's pickle (`data.pkl`), by name.
 * @throws {TensorFileError} for anything but a flat dict of tensors within their storages; nothing is run
 */
export function readStateDict(pickle: Uint8Array, path: string): Map<string, StoredTensor> {
  const state = unpickle(pickle, path, rulesFor(path));
  if (!(state instanceof PickleDict)) {
    throw new TensorFileError(`${path} must hold a dict of tensors, but holds ${kindOf(state)}.`);
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of state) {
    if (typeof name !== "string") {
      throw new TensorFileError(`The names of ${path} must be text, but one is ${kindOf(name)}.`);
    }
    if (!(value instanceof View)) {
      throw new TensorFileError(
        `The entry ${quote(name)} of ${path} must be a tensor, but is ${kindOf(value)}. ` +
          "Save the model's state dict alone: torch.save(model.state_dict(), path).",
      );
    }
    tensors.set(name, storedTensor(name, value, path));
  }
  return tensors;
}

function rulesFor(path: string): PickleRules {
  const wrong = (what: string): never => {
    throw new TensorFileError(
      `The pickle in ${path} must describe its tensors as torch.save does, but ${what}.`,
    );
  };
  const globals = [
    ...Object.entries(STORAGES).map(([name, dtype]) => new StorageType(`torch.${name}`, dtype)),
    new PickleGlobal("collections.OrderedDict", (args) =>
      args.length === 0 ? new PickleDict() : wrong("makes an OrderedDict of something"),
    ),
    new PickleGlobal("torch._utils._rebuild_tensor_v2", (args) => new View(args)),
    new PickleGlobal("torch._utils._rebuild_parameter", ([data]) =>
      data instanceof View ? data : wrong("makes a parameter of no tensor"),
    ),
  ];
  return {
    globals: new Map(globals.map((global) => [global.name, global])),
    persistent(id) {
      // ("storage", type, key, device, elements)
      const [tag, type, key, , elements] = id instanceof PickleTuple ? id.items : [];
      if (tag !== "storage" || !(type instanceof StorageType))
        return wrong("names something else than storages");
      if (typeof key !== "string" || !isSize(elements)) return wrong("names a storage without key and size");
      return new Storage(type.dtype, key, elements);
    },
  };
}

function storedTensor(name: string, view: View, path: string): StoredTensor {
  const fail = (what: string, must: string, found: string): never => {
    throw new TensorFileError(
      `The ${what} of tensor ${quote(name)} in ${path} must be ${must}, but is ${found}.`,
    );
  };
  // (storage, offset, shape, strides, requires_grad, backward_hooks, metadata)
  const [storage = null, offset = null, sizes = null, steps = null, , , metadata] = view.args;
  if (!(storage instanceof Storage)) return fail("storage", "a storage", kindOf(storage));
  if (!isSize(offset)) return fail("offset", "a whole number", kindOf(offset));
  const list = (what: string, value: PickleValue): number[] => {
    const items = value instanceof PickleTuple ? value.items : undefined;
    if (!items?.every(isSize)) return fail(what, "a tuple of whole numbers", kindOf(value));
    return [...items];
  };
  const shape = list("shape", sizes);
  const strides = list("strides", steps);
  if (strides.length !== shape.length) fail("strides", `${shape.length} numbers`, `${strides.length}`);
  // PyTorch notes there that a tensor is to be read conjugated or negated.
  if (metadata instanceof PickleDict && metadata.size > 0) fail("metadata", "empty", "not");

  const storageBytes = sizeInBytes(storage.dtype, [storage.elements]);
  const byteLength = sizeInBytes(storage.dtype, shape);
  if (byteLength === undefined || storageBytes === undefined) {
    return fail("shape", "within 2^53 bytes", `[${shape.join(", ")}]`);
  }
  // A view that repeats elements could ask for any amount of memory.
  if (byteLength > storageBytes) {
    fail("shape", `within the ${storage.elements} elements of its storage`, `[${shape.join(", ")}]`);
  }
  const end =
    byteLength === 0 ? 0 : offset + 1 + shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 0);
  if (end > storage.elements) {
    fail("end", `within the ${storage.elements} elements of its storage`, `element ${end}`);
  }
  const { key, dtype } = storage;
  return { dtype, shape: Object.freeze(shape), byteLength, key, storageBytes, offset, strides };
}

function isSize(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a tensor's elements lie in row-major order without gaps. */
export function isContiguous({ shape, strides, byteLength }: StoredTensor): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return byteLength === 0;
    expected *= shape[i]!;
  }
  return true;
}

/** The first byte of a tensor in its storage, and how many from there on hold all of its elements. */
export function spanOf({
  dtype,
  shape,
  strides,
  offset,
  byteLength,
}: StoredTensor): [start: number, bytes: number] {
  if (byteLength === 0) return [0, 0];
  const last = shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 0);
  return [offset * DTYPE_BYTES[dtype], (last + 1) * DTYPE_BYTES[dtype]];
}

/**
 * Brings a tensor's elements into row-major order.
 * @param span the bytes that {@link spanOf} tells
 * @param into `byteLength` bytes
 */
export function gather({ dtype, shape, strides }: StoredTensor, span: Uint8Array, into: Uint8Array): void {
  const width = DTYPE_BYTES[dtype];
  const rank = shape.length;
  const index = new Array<number>(rank).fill(0);
  let from = 0;
  for (let to = 0; to < into.byteLength; to += width) {
    for (let byte = 0; byte < width; byte++) into[to + byte] = span[from + byte]!;
    for (let dim = rank - 1; dim >= 0; dim--) {
      const step = strides[dim]! * width;
      index[dim]! += 1;
      from += step;
      if (index[dim]! < shape[dim]!) break;
      from -= step * shape[dim]!;
      index[dim] = 0;
    }
  }
}
