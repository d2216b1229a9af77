import { type FileHandle, open, stat } from "node:fs/promises";
import { checkString } from "../arguments.js";
import { TensorFileError } from "./tensor-source.js";

/** Node refuses to read 2 GiB or more in one call. */
const CHUNK_BYTES = 2 ** 30;

/** A regular file open for reading, and its size when it was opened. */
export class RandomAccessFile {
  readonly path: string;
  readonly size: number;
  readonly #file: FileHandle;
  #closed = false;

  private constructor(path: string, size: number, file: FileHandle) {
    this.path = path;
    this.size = size;
    this.#file = file;
  }

  /** @throws {TensorFileError} when there is no such file, or it is no regular one */
  static async open(path: string): Promise<RandomAccessFile> {
    checkString("open", "path", path);
    try {
      // Opening a named pipe would wait for a writer for ever.
      if (!(await stat(path)).isFile()) throw new Error("it is not a regular file");
      const file = await open(path, "r");
      return new RandomAccessFile(path, (await file.stat()).size, file);
    } catch (cause) {
      throw new TensorFileError(
        `${path} must be a readable file of tensors, but cannot be opened: ${(cause as Error).message}.`,
        { cause },
      );
    }
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** For reading past this class; valid until `close`. */
  get fd(): number {
    return this.#file.fd;
  }

  /** Fills `bytes` from `position` on. @returns how many bytes the file had to give */
  async read(bytes: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < bytes.byteLength) {
      const length = Math.min(CHUNK_BYTES, bytes.byteLength - filled);
      const { bytesRead } = await this.#file.read(bytes, filled, length, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
  }
}
