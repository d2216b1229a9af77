import { native } from "./native.js";
import { layOut } from "./safetensors-header.js";
import type { Tensor } from "./tensor.js";
import { DTYPES } from "./tensor-file.js";

/** Bytes of one piece of memory: Node.js 20 makes none of more than 4 GiB. */
const BLOCK_BYTES = 256 * 2 ** 20;
/** Where a file's tensors begin: good for every element. */
const ALIGNMENT = 64;

/** A file to take a copy of: its tensors by name. */
export interface SnapshotSource {
  readonly name: string;
  readonly tensors: Iterable<readonly [string, Tensor]>;
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
  readonly #blockBytes: number;

  /** @param options.blockBytes of one piece of it, a multiple of 64 */
  constructor({ blockBytes = BLOCK_BYTES }: { blockBytes?: number } = {}) {
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
    const whole = (block: Uint8Array | undefined) => block?.byteLength === this.#blockBytes;
    while (this.byteLength < bytes) {
      if (this.#blocks.length > 0 && !whole(this.#blocks.at(-1))) this.#blocks.pop();
      const length = Math.min(this.#blockBytes, roundUp(bytes - this.byteLength));
      this.#blocks.push(new Uint8Array(new SharedArrayBuffer(length)));
    }
    return this.#blocks;
  }

  /** Copies the tensors of `sources`. The files are valid until the next call. */
  take(sources: readonly SnapshotSource[]): SnapshotFile[] {
    const handles: number[] = [];
    const positions: number[] = [];
    let end = 0;
    const files = sources.map(({ name, tensors }) => {
      const entries = Array.from(tensors, ([key, tensor]) => ({
        name: key,
        dtype: DTYPES[tensor.dtype],
        shape: tensor.shape,
        handle: tensor.handle,
      }));
      const { header, ordered } = layOut(entries, undefined, name);
      const start = end;
      for (const { tensor, byteLength } of ordered) {
        handles.push(tensor.handle);
        positions.push(end);
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

  #parts(start: number, end: number): Uint8Array[] {
    return this.#blocks.flatMap((block, i) => {
      const first = i * this.#blockBytes;
      const [from, to] = [Math.max(start - first, 0), Math.min(end - first, block.byteLength)];
      return to > from ? [block.subarray(from, to)] : [];
    });
  }
}

/** Bytes that copies of tensors take, each file of them beginning at a multiple of 64. */
export function snapshotBytes(files: readonly (readonly Tensor[])[]): number {
  const bytes = (tensors: readonly Tensor[]) =>
    tensors.reduce((sum, tensor) => sum + native.byteLength(tensor.handle), 0);
  return files.reduce((sum, tensors) => sum + roundUp(bytes(tensors)), 0);
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
