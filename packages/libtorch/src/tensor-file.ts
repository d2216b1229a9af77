import { noGrad } from "./autograd.js";
import type { Module } from "./nn/module.js";
import { openSafetensors, type SafetensorsDtype, SafetensorsError, writeSafetensors } from "./safetensors.js";
import { type Dtype, type Tensor, tensorFromBytes } from "./tensor.js";

const DTYPES: Record<Dtype, SafetensorsDtype> = {
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

function dtypeFromFile(dtype: SafetensorsDtype, name: string, path: string): Dtype {
  const found = FROM_FILE.get(dtype);
  if (found) return found;
  throw new SafetensorsError(
    `Tensor '${name}' of ${path} must be of type ${[...FROM_FILE.keys()].join(", ")}, but is ${dtype}.`,
  );
}

/** Every tensor of a safetensors file by name, and its metadata. */
export async function loadTensors(
  path: string,
): Promise<{ tensors: Map<string, Tensor>; metadata: Readonly<Record<string, string>> }> {
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, Tensor>();
    for (const [name, entry] of file.entries) {
      const dtype = dtypeFromFile(entry.dtype, name, path);
      tensors.set(name, tensorFromBytes(await file.read(name), entry.shape, dtype));
    }
    return { tensors, metadata: file.metadata };
  } finally {
    await file.close();
  }
}

/** Writes tensors one at a time to a safetensors file that is complete or absent. */
export async function saveTensors(
  path: string,
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const entries = Array.from(tensors, ([name, tensor]) => ({
    name,
    dtype: DTYPES[tensor.dtype],
    shape: [...tensor.shape],
    bytes: () => tensor.toBytes(),
  }));
  await writeSafetensors(path, entries, metadata);
}

/** What does not fit between a file and a module. */
export interface StateMismatch {
  missing: string[];
  unexpected: string[];
  misshaped: { name: string; expected: readonly number[]; found: readonly number[] }[];
}

/**
 * Copies a file's tensors into a module's parameters of the same name, one at a time.
 *
 * @param options.rename from a key of the file to the module's; undefined leaves the tensor out
 * @returns names that do not fit; parameters under them keep their values
 */
export async function loadState(
  module: Module,
  path: string,
  options: { rename?: (key: string) => string | undefined } = {},
): Promise<StateMismatch> {
  const parameters = new Map(module.namedParameters());
  const mismatch: StateMismatch = { missing: [], unexpected: [], misshaped: [] };
  const loaded = new Set<string>();
  const file = await openSafetensors(path);
  try {
    for (const [key, entry] of file.entries) {
      const name = options.rename ? options.rename(key) : key;
      if (name === undefined) continue;
      const parameter = parameters.get(name);
      if (!parameter) {
        mismatch.unexpected.push(key);
        continue;
      }
      loaded.add(name);
      if (entry.shape.join() !== parameter.shape.join()) {
        mismatch.misshaped.push({ name, expected: parameter.shape, found: entry.shape });
        continue;
      }
      const dtype = dtypeFromFile(entry.dtype, key, path);
      const values = tensorFromBytes(await file.read(key), entry.shape, dtype);
      noGrad(() => parameter.copy_(values));
      values.dispose();
    }
  } finally {
    await file.close();
  }
  for (const name of parameters.keys()) if (!loaded.has(name)) mismatch.missing.push(name);
  return mismatch;
}
