import { setImmediate as turn } from "node:timers/promises";
import { getSystemErrorName } from "node:util";
import { checkOptions, checkString, describe } from "../arguments.js";
import { noGrad } from "../autograd.js";
import { argumentError } from "../errors.js";
import { native } from "../native.js";
import { fillDeferred, forgetFill } from "../nn/init.js";
import type { Module } from "../nn/module.js";
import { empty } from "../operators/operators.generated.js";
import { isTensor, scope } from "../tensors/handles.js";
import { type Dtype, type Tensor, tensorFromBytes } from "../tensors/tensor.js";
import { openTensors } from "./open-tensors.js";
import { type SafetensorsDtype, type SafetensorsTensor, writeSafetensors } from "./safetensors.js";
import { quote } from "./safetensors-json.js";
import { type FileRange, TensorFileError, type TensorSource } from "./tensor-source.js";

/** Bytes that are read before the event loop has its turn. */
const BYTES_A_TURN = 32 * 2 ** 20;

/** A dtype's name in safetensors files. */
export const DTYPES: Record<Dtype, SafetensorsDtype> = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
};
const FROM_FILE = new Map(Object.entries(DTYPES).map(([dtype, name]) => [name, dtype as Dtype]));

function dtypeFromFile({ path, entries }: TensorSource, name: string): Dtype {
  const { dtype } = entries.get(name)!;
  const found = FROM_FILE.get(dtype);
  if (found) return found;
  throw new TensorFileError(
    `Tensor ${quote(name)} of ${path} must be of type ${[...FROM_FILE.keys()].join(", ")}, but is ${dtype}.`,
  );
}

/** Opens a path and closes it afterwards; a source is its owner's to close. */
async function withSource<T>(
  from: string | TensorSource,
  body: (source: TensorSource) => Promise<T>,
): Promise<T> {
  if (typeof from !== "string") {
    if (typeof from !== "object" || from === null || !(from.entries instanceof Map))
      throw argumentError(
        "openTensors",
        `'from' must be a path or what openTensors returns, but is ${describe(from)}`,
      );
    return body(from);
  }
  const source = await openTensors(from);
  try {
    return await body(source);
  } finally {
    await source.close();
  }
}

/** A tensor and the name of its values in a file. */
type Wanted = readonly [name: string, tensor: Tensor];

/** What a file's bytes can go into as they are. */
function takesBytes(tensor: Tensor, dtype: Dtype): boolean {
  return tensor.device === "cpu" && tensor.isContiguous && tensor.dtype === dtype;
}

/**
 * Reads values into tensors: those that take the file's bytes as they are many at once, straight into their memory, with
 * turns of the event loop between; the others through a temporary tensor, one at a time.
 */
async function readInto(source: TensorSource, wanted: Iterable<Wanted>): Promise<void> {
  const direct: { name: string; tensor: Tensor; range: FileRange }[] = [];
  const others: Wanted[] = [];
  for (const [name, tensor] of wanted) {
    const range = takesBytes(tensor, dtypeFromFile(source, name)) ? source.locate(name) : undefined;
    if (range) direct.push({ name, tensor, range });
    else others.push([name, tensor]);
  }
  for (const group of inGroups(direct)) {
    const failure = native.readFiles(
      group.map(({ tensor }) => tensor.handle),
      group.map(({ range }) => range.fd),
      group.map(({ range }) => range.position),
    );
    for (const { tensor } of group) noteChange(tensor);
    if (failure) throw unread(group[failure[0]]!, failure[1]);
    await turn();
  }
  for (const [name, tensor] of others) {
    const values = await readTensor(source, name);
    noGrad(() => tensor.copy_(values));
    values.dispose();
  }
}

/** Tensors of so many bytes together, a larger one alone. */
function inGroups<Each extends { tensor: Tensor }>(all: readonly Each[]): Each[][] {
  const groups: Each[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const each of all) {
    const size = native.byteLength(each.tensor.handle);
    if (bytes + size > BYTES_A_TURN) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(each);
    bytes += size;
  }
  return groups;
}

/** A graph recorded with the old values must not run backward with the new ones, as after any change in place. */
function noteChange(tensor: Tensor): void {
  noGrad(() => scope(() => void tensor.view([-1]).narrow(0, 0, 0).zero_()));
}

function unread({ name, range }: { name: string; range: FileRange }, error: number): TensorFileError {
  const fault = error < 0 ? "the file was cut while it was open" : getSystemErrorName(-error);
  return new TensorFileError(
    `Tensor ${quote(name)} of ${range.path} must be readable, but is not: ${fault}.`,
  );
}

async function readTensor(source: TensorSource, name: string): Promise<Tensor> {
  const { shape } = source.entries.get(name)!;
  return tensorFromBytes(await source.read(name), shape, dtypeFromFile(source, name));
}

/**
 * Every tensor of a file by name, and the file's metadata.
 *
 * @param from a path, as for {@link openTensors}, or an open source, which stays open
 * @throws {TensorFileError} naming the file and, where one is to blame, the tensor
 */
export function loadTensors(
  from: string | TensorSource,
): Promise<{ tensors: Map<string, Tensor>; metadata: Readonly<Record<string, string>> }> {
  return withSource(from, async (source) => {
    const tensors = new Map<string, Tensor>();
    for (const [name, { shape }] of source.entries) {
      tensors.set(name, empty(shape, { dtype: dtypeFromFile(source, name) }));
    }
    await readInto(source, tensors);
    return { tensors, metadata: source.metadata };
  });
}

/** Writes tensors one at a time to a safetensors file that is complete or absent. */
export async function saveTensors(
  path: string,
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Record<string, string> = {},
): Promise<void> {
  if (typeof tensors !== "object" || tensors === null || !(Symbol.iterator in tensors))
    throw argumentError(
      "saveTensors",
      `'tensors' must be pairs of name and Tensor such as stateDict returns, but is ${describe(tensors)}${pairsOf(tensors)}`,
    );
  const entries = Array.from(tensors, (pair) => {
    const [name, tensor] = Array.isArray(pair) ? pair : [];
    checkString("saveTensors", "the name of a tensor", name);
    if (!isTensor(tensor))
      throw argumentError("saveTensors", `'${name}' must be a Tensor, but is ${describe(tensor)}`);
    return entryOf(name, tensor);
  });
  await writeSafetensors(path, entries, metadata);
}

/** What to give in place of a module or of an object, which PyTorch's `torch.save` takes. */
function pairsOf(given: unknown): string {
  if (typeof given !== "object" || given === null) return "";
  return "stateDict" in given ? ". Give its stateDict()" : ". Give Object.entries(…) of it";
}

function entryOf(name: string, tensor: Tensor): SafetensorsTensor {
  const dtype: SafetensorsDtype | undefined = DTYPES[tensor.dtype];
  if (!dtype)
    throw argumentError(
      "saveTensors",
      `${quote(name)} must be of ${Object.keys(DTYPES).join(", ")}, but is ${tensor.dtype}`,
    );
  return {
    name,
    dtype,
    shape: [...tensor.shape],
    bytes: () => tensor.toBytes(),
  };
}

/** What does not fit between a file and a module. */
export interface StateMismatch {
  missing: string[];
  unexpected: string[];
  misshaped: { name: string; expected: readonly number[]; found: readonly number[] }[];
}

/**
 * Reads a file's tensors into a module's parameters and persistent buffers of the same name. Those of a module from `nn.init.deferred` that
 * the file does not have get their first values now, and all of them where loading fails.
 *
 * @param from a path, as for {@link openTensors}, or an open source, which stays open
 * @param options.rename from a key of the file to the module's; undefined leaves the tensor out
 * @param options.check sees what does not fit before anything is read; what it throws leaves loaded values alone
 * @returns names that do not fit; parameters under them keep their values
 * @throws {TensorFileError} naming the file and, where one is to blame, the tensor
 */
export async function loadState(
  module: Module,
  from: string | TensorSource,
  options: {
    rename?: (key: string) => string | undefined;
    check?: (mismatch: StateMismatch) => void;
  } = {},
): Promise<StateMismatch> {
  if (typeof module !== "object" || module === null || typeof module.stateDict !== "function")
    throw argumentError("loadState", `'module' must be a Module, but is ${describe(module)}`);
  checkOptions("loadState", options, ["rename", "check"]);
  const parameters = module.stateDict();
  try {
    return await withSource(from, async (source) => {
      const { fitting, mismatch } = match(parameters, source, options.rename ?? ((key) => key));
      options.check?.(mismatch);
      await readInto(source, fitting);
      for (const [, parameter] of fitting) forgetFill(parameter);
      return mismatch;
    });
  } finally {
    for (const parameter of parameters.values()) fillDeferred(parameter);
  }
}

function match(
  parameters: ReadonlyMap<string, Tensor>,
  source: TensorSource,
  rename: (key: string) => string | undefined,
): { fitting: Wanted[]; mismatch: StateMismatch } {
  const fitting: Wanted[] = [];
  const mismatch: StateMismatch = { missing: [], unexpected: [], misshaped: [] };
  const found = new Map<string, string>();
  for (const [key, { shape }] of source.entries) {
    const name = rename(key);
    if (name === undefined) continue;
    const parameter = parameters.get(name);
    if (!parameter) {
      mismatch.unexpected.push(key);
      continue;
    }
    const other = found.get(name);
    if (other !== undefined) {
      throw new TensorFileError(
        `${source.path} must hold parameter ${name} once, but holds ${quote(other)} and ${quote(key)}.`,
      );
    }
    found.set(name, key);
    if (shape.join() === parameter.shape.join()) {
      dtypeFromFile(source, key);
      fitting.push([key, parameter]);
    } else {
      mismatch.misshaped.push({ name, expected: parameter.shape, found: shape });
    }
  }
  for (const name of parameters.keys()) if (!found.has(name)) mismatch.missing.push(name);
  return { fitting, mismatch };
}
