import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { checkString, describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import { syncDirectory, writeAll } from "./file-writes.js";
import { RandomAccessFile } from "./random-access-file.js";
import {
  type Header,
  LENGTH_BYTES,
  type LocatedEntry,
  layOut,
  parseHeader,
  parseHeaderLength,
  type SafetensorsTensor,
} from "./safetensors-header.js";
import { quote } from "./safetensors-json.js";
import {
  type FileRange,
  memoryFor,
  requireEntry,
  requireWhole,
  TensorFileError,
  type TensorSource,
} from "./tensor-source.js";

export type { SafetensorsDtype, SafetensorsTensor } from "./safetensors-header.js";

/** An open safetensors file: the header in memory, the tensors on disk until they are read. */
export class SafetensorsFile implements TensorSource {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order of their bytes in the file. */
  readonly entries: ReadonlyMap<string, LocatedEntry>;
  readonly #file: RandomAccessFile;
  readonly #dataStart: number;

  private constructor(file: RandomAccessFile, header: Header, dataStart: number) {
    this.path = file.path;
    this.metadata = header.metadata;
    this.entries = header.entries;
    this.#file = file;
    this.#dataStart = dataStart;
  }

  /**
   * Reads and checks the header only. The file is closed with the source, or at once where this throws.
   * @throws {TensorFileError} naming the file and, where one is to blame, the tensor
   */
  static async from(file: RandomAccessFile): Promise<SafetensorsFile> {
    try {
      const { path, size } = file;
      const first = new Uint8Array(LENGTH_BYTES);
      const got = await file.read(first, 0);
      const length = parseHeaderLength(first.subarray(0, got), size, path);
      const bytes = new Uint8Array(length);
      if ((await file.read(bytes, LENGTH_BYTES)) < length) {
        throw new TensorFileError(
          `The header of ${path} must have ${length} bytes, but the file was cut meanwhile.`,
        );
      }
      const dataStart = LENGTH_BYTES + length;
      return new SafetensorsFile(file, parseHeader(bytes, size - dataStart, path), dataStart);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get isClosed(): boolean {
    return this.#file.isClosed;
  }

  async read(name: string, into?: Uint8Array): Promise<Uint8Array> {
    const entry = requireEntry(this, name);
    const bytes = memoryFor(this.path, name, entry, into);
    const filled = await this.#file.read(bytes, this.#dataStart + entry.start);
    requireWhole(this.path, name, entry.byteLength, filled);
    return bytes;
  }

  locate(name: string): FileRange {
    const { start } = requireEntry(this, name);
    return { path: this.path, fd: this.#file.fd, position: this.#dataStart + start };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/**
 * Opens a safetensors file; nothing of a tensor is read before `read`.
 * @throws {TensorFileError} naming the file and, where one is to blame, the tensor
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  return SafetensorsFile.from(await RandomAccessFile.open(path));
}

/**
 * Writes tensors one at a time: each one's `bytes` is called when its turn comes. The file appears under `path`
 * complete or not at all; a file that was there stays untouched until then.
 * @param metadata text that travels with the tensors; `{format: "pt"}` is what Hugging Face's loaders ask for
 * @throws {TensorFileError} for a repeated name, a bad shape or dtype, or bytes of another length than these need
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<SafetensorsTensor>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  checkString("writeSafetensors", "path", path);
  const entries = entriesOf(tensors);
  if (metadata !== undefined && !isRecord(metadata))
    throw argumentError(
      "writeSafetensors",
      `'metadata' must be an object of strings, but is ${describe(metadata)}`,
    );
  const { header, ordered } = layOut(entries, metadata, path);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  let file: FileHandle;
  try {
    file = await open(temporary, "wx");
  } catch (cause) {
    throw new TensorFileError(`${path} must be a writable place, but is not: ${reason(cause)}.`, { cause });
  }
  try {
    try {
      await writePart(file, header, path);
      for (const { tensor, byteLength } of ordered) {
        const bytes = tensor.bytes();
        if (bytes.byteLength !== byteLength) {
          throw new TensorFileError(
            `Tensor ${quote(tensor.name)} for ${path} must have ${byteLength} bytes, as ${tensor.dtype} ` +
              `[${tensor.shape.join(", ")}] needs, but has ${bytes.byteLength}.`,
          );
        }
        await writePart(file, bytes, path);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path).catch((cause: unknown) => {
      throw new TensorFileError(`${path} must be a writable place, but is not: ${reason(cause)}.`, { cause });
    });
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws TorchError unless the value is tensors to write, one after another */
function entriesOf(tensors: Iterable<SafetensorsTensor>): SafetensorsTensor[] {
  const given: unknown = tensors;
  const isList = typeof given === "object" && given !== null && Symbol.iterator in given;
  const entries: unknown[] = isList ? [...tensors] : [given];
  for (const entry of entries) {
    if (isList && isRecord(entry) && "bytes" in entry && typeof entry.bytes === "function") continue;
    throw argumentError(
      "writeSafetensors",
      `'tensors' must be tensors { name, dtype, shape, bytes }, but ${isList ? "one " : ""}is ${describe(entry)}`,
    );
  }
  return entries as SafetensorsTensor[];
}

/** @throws {TensorFileError} naming the file where the system does not take the bytes */
async function writePart(file: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
  await writeAll(file, bytes).catch((cause: unknown) => {
    throw new TensorFileError(`${path} must be written whole, but cannot be: ${reason(cause)}.`, { cause });
  });
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
