import { checkCount, checkOptions, checkString, describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import { layOut } from "../files/safetensors-header.js";
import { DTYPES } from "../files/tensor-file.js";
import { native } from "../native.js";
import { handleOf, isTensor, requireTensors } from "./handles.js";
import type { Dtype, Tensor } from "./tensor.js";

/** Bytes of one piece of memory: Node.js 20 makes none of more than 4 GiB. */
const BLOCK_BYTES = 256 * 2 ** 20;
/** Where a file's tensors begin: good for every element. */
const ALIGNMENT = 64;

/** A tensor of a snapshot whose elements come later, by {@link SnapshotMemory.put}. */
export interface LaterTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A file to take a copy of: its tensors by name. */
export interface SnapshotSource {
  readonly name: string;
  readonly tensors: Iterable<readonly [string, Tensor | LaterTensor]>;
}

/** A safetensors file in memory: its parts in order are its bytes. */
export interface SnapshotFile {
  readonly name: string;
  /** All but the first lie in shared memory. */
  readonly parts: readonly Uint8Array[];
}

/**
 * Memory of the host for copies of tensors as they are at one moment, from any device, laid out as safetensors files.
 * It is shared, so that another thread can write the files while the tensors change, and is used again for each copy.
 */
export class SnapshotMemory {
  #blocks: Uint8Array[] = [];
  /** Of the tensors that come later, by file and name: where they begin. */
  #places = new Map<string, number>();
  readonly #blockBytes: number;

  /** @param options.blockBytes of one piece of it, a multiple of 64 */
  constructor(options: { blockBytes?: number | undefined } = {}) {
    checkOptions("SnapshotMemory", options, ["blockBytes"]);
    const { blockBytes = BLOCK_BYTES } = options;
    checkCount("SnapshotMemory", "blockBytes", blockBytes, ALIGNMENT);
    this.#blockBytes = blockBytes;
  }

  /** Of all that it holds now. */
  get byteLength(): number {
    return this.#blocks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /**
   * Sees to it that so many bytes are there. The system gives them when they are first written.
   *
   * @returns the memory, in pieces; what lay in it may be lost
   */
  reserve(bytes: number): readonly Uint8Array[] {
    checkCount("SnapshotMemory.reserve", "bytes", bytes);
    const whole = (block: Uint8Array | undefined) => block?.byteLength === this.#blockBytes;
    while (this.byteLength < bytes) {
      if (this.#blocks.length > 0 && !whole(this.#blocks.at(-1))) this.#blocks.pop();
      const length = Math.min(this.#blockBytes, roundUp(bytes - this.byteLength));
      this.#blocks.push(new Uint8Array(new SharedArrayBuffer(length)));
    }
    return this.#blocks;
  }

  /** Copies the tensors of `sources` that are there. The files are valid until the next call. */
  take(sources: readonly SnapshotSource[]): SnapshotFile[] {
    requireSources(sources);
    const handles: number[] = [];
    const positions: number[] = [];
    this.#places.clear();
    let end = 0;
    const files = sources.map(({ name, tensors }) => {
      const entries = Array.from(tensors, ([key, tensor]) => ({
        name: key,
        dtype: DTYPES[tensor.dtype],
        shape: tensor.shape,
        handle: isTensor(tensor) ? tensor.handle : undefined,
      }));
      const { header, ordered } = layOut(entries, undefined, name);
      const start = end;
      for (const { tensor, byteLength } of ordered) {
        if (tensor.handle === undefined) this.#places.set(keyOf(name, tensor.name), end);
        else {
          handles.push(tensor.handle);
          positions.push(end);
        }
        end += byteLength;
      }
      const range = [start, end] as const;
      end = roundUp(end);
      return { name, header, range };
    });
    const memory = this.reserve(end);
    native.snapshot(handles, positions, memory);
    return files.map(({ name, header, range }) => ({ name, parts: [header, ...this.#parts(...range)] }));
  }

  /**
   * Copies elements of a tensor of the last snapshot that was to come later.
   *
   * @param first the place in the tensor, in row-major order, of the first of `values`
   * @throws TorchError where the snapshot waits for no such tensor
   */
  put(file: string, name: string, values: Tensor, first = 0): void {
    const operator = "SnapshotMemory.put";
    checkString(operator, "file", file);
    checkString(operator, "name", name);
    handleOf(values, operator, "values");
    checkCount(operator, "first", first);
    const place = this.#places.get(keyOf(file, name));
    if (place === undefined)
      throw argumentError(
        operator,
        `the snapshot must wait for ${name} of ${file}, but does not. Take one that has it first`,
      );
    const bytes = values.numel === 0 ? 0 : native.byteLength(values.handle) / values.numel;
    native.snapshot([values.handle], [place + first * bytes], this.#blocks);
  }

  #parts(start: number, end: number): Uint8Array[] {
    return this.#blocks.flatMap((block, i) => {
      const first = i * this.#blockBytes;
      const [from, to] = [Math.max(start - first, 0), Math.min(end - first, block.byteLength)];
      return to > from ? [block.subarray(from, to)] : [];
    });
  }
}

/** @throws TorchError unless the value is an array of files with tensors */
function requireSources(sources: unknown): void {
  const operator = "SnapshotMemory.take";
  if (!Array.isArray(sources))
    throw argumentError(operator, `'sources' must be an array of files, but is ${describe(sources)}`);
  for (const [i, source] of sources.entries()) {
    const given: unknown = source?.tensors;
    checkString(operator, `sources[${i}].name`, source?.name);
    if (typeof given !== "object" || given === null || !(Symbol.iterator in given))
      throw argumentError(
        operator,
        `sources[${i}].tensors must be tensors by name, but is ${describe(given)}`,
      );
  }
}

/** Bytes that copies of tensors take, each file of them beginning at a multiple of 64. */
export function snapshotBytes(files: readonly (readonly Tensor[])[]): number {
  if (!Array.isArray(files))
    throw argumentError("snapshotBytes", `'files' must be arrays of Tensors, but is ${describe(files)}`);
  for (const [i, tensors] of files.entries()) requireTensors(tensors, "snapshotBytes", `files[${i}]`);
  const bytes = (tensors: readonly Tensor[]) =>
    tensors.reduce((sum, tensor) => sum + native.byteLength(tensor.handle), 0);
  return files.reduce((sum, tensors) => sum + roundUp(bytes(tensors)), 0);
}

function keyOf(file: string, name: string): string {
  return `${file}\n${name}`;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
