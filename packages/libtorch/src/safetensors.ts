import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type Header,
  LENGTH_BYTES,
  layOut,
  parseHeader,
  parseHeaderLength,
  type SafetensorsEntry,
  SafetensorsError,
  type SafetensorsTensor,
} from "./safetensors-header.js";
import { quote } from "./safetensors-json.js";

export {
  type SafetensorsDtype,
  type SafetensorsEntry,
  SafetensorsError,
  type SafetensorsTensor,
} from "./safetensors-header.js";

/** Node refuses to read or write 2 GiB or more in one call. */
const CHUNK_BYTES = 2 ** 30;

/** An open safetensors file: the header in memory, the tensors on disk until they are read. */
export class SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order of their bytes in the file. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly #file: FileHandle;
  readonly #header: Header;
  readonly #dataStart: number;
  readonly #path: string;
  #closed = false;

  /** Use {@link openSafetensors}. */
  constructor(path: string, file: FileHandle, header: Header, dataStart: number) {
    this.#path = path;
    this.#file = file;
    this.#header = header;
    this.#dataStart = dataStart;
    this.metadata = header.metadata;
    this.entries = header.entries;
  }

  /**
   * One tensor's bytes (row-major, little endian), read from its own part of the file.
   * @param into memory to fill, exactly `byteLength` bytes; a new array where it is left out
   * @throws {SafetensorsError} if there is no such tensor, `into` has another size, or the file has shrunk
   */
  async read(name: string, into?: Uint8Array): Promise<Uint8Array> {
    const entry = this.#header.entries.get(name);
    if (entry === undefined) {
      throw new SafetensorsError(
        `${this.#path} must have a tensor ${quote(name)}, but has none of that name.`,
      );
    }
    if (this.#closed) {
      throw new SafetensorsError(`${this.#path} must be open to read tensor ${quote(name)}, but is closed.`);
    }
    const bytes = into ?? new Uint8Array(entry.byteLength);
    if (bytes.byteLength !== entry.byteLength) {
      throw new SafetensorsError(
        `The memory for tensor ${quote(name)} of ${this.#path} must have ${entry.byteLength} bytes, ` +
          `but has ${bytes.byteLength}.`,
      );
    }
    const filled = await readAt(this.#file, bytes, this.#dataStart + entry.start);
    if (filled < bytes.byteLength) {
      throw new SafetensorsError(
        `Tensor ${quote(name)} of ${this.#path} must have ${entry.byteLength} bytes, but has ${filled}. ` +
          "The file was cut while it was open.",
      );
    }
    return bytes;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
  }
}

/**
 * Reads and checks the header only; nothing of a tensor is read before `read`.
 * @throws {SafetensorsError} naming the file and, where one is to blame, the tensor
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  let file: FileHandle;
  try {
    // Opening a named pipe would wait for a writer for ever.
    const found = await stat(path);
    if (!found.isFile()) throw new Error("it is not a regular file");
    file = await open(path, "r");
  } catch (cause) {
    throw new SafetensorsError(
      `${path} must be a readable safetensors file, but cannot be opened: ${reason(cause)}.`,
      {
        cause,
      },
    );
  }
  try {
    const { size } = await file.stat();
    const first = new Uint8Array(LENGTH_BYTES);
    const got = await readAt(file, first, 0);
    const length = parseHeaderLength(first.subarray(0, got), size, path);
    const bytes = new Uint8Array(length);
    if ((await readAt(file, bytes, LENGTH_BYTES)) < length) {
      throw new SafetensorsError(
        `The header of ${path} must have ${length} bytes, but the file was cut meanwhile.`,
      );
    }
    const dataStart = LENGTH_BYTES + length;
    return new SafetensorsFile(path, file, parseHeader(bytes, size - dataStart, path), dataStart);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Writes tensors one at a time: each one's `bytes` is called when its turn comes. The file appears under `path`
 * complete or not at all; a file that was there stays untouched until then.
 * @param metadata text that travels with the tensors; `{format: "pt"}` is what Hugging Face's loaders ask for
 * @throws {SafetensorsError} for a repeated name, a bad shape or dtype, or bytes of another length than these need
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<SafetensorsTensor>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const { header, ordered } = layOut(tensors, metadata, path);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  let file: FileHandle;
  try {
    file = await open(temporary, "wx");
  } catch (cause) {
    throw new SafetensorsError(`${path} must be a writable place, but is not: ${reason(cause)}.`, { cause });
  }
  try {
    try {
      await writeAll(file, header, path);
      for (const { tensor, byteLength } of ordered) {
        const bytes = tensor.bytes();
        if (bytes.byteLength !== byteLength) {
          throw new SafetensorsError(
            `Tensor ${quote(tensor.name)} for ${path} must have ${byteLength} bytes, as ${tensor.dtype} ` +
              `[${tensor.shape.join(", ")}] needs, but has ${bytes.byteLength}.`,
          );
        }
        await writeAll(file, bytes, path);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Without it a power cut can undo the rename. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return; // directories cannot be opened there
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** How many bytes the file had to give. */
async function readAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < bytes.byteLength) {
    const length = Math.min(CHUNK_BYTES, bytes.byteLength - filled);
    const { bytesRead } = await file.read(bytes, filled, length, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function writeAll(file: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
  try {
    for (let written = 0; written < bytes.byteLength; ) {
      const length = Math.min(CHUNK_BYTES, bytes.byteLength - written);
      written += (await file.write(bytes, written, length)).bytesWritten;
    }
  } catch (cause) {
    throw new SafetensorsError(`${path} must be written whole, but cannot be: ${reason(cause)}.`, { cause });
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
