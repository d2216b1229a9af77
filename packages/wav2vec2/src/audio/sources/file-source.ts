import { constants } from "node:buffer";
import { closeSync, fstatSync, openSync, read, readFile, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { promisify } from "node:util";
import { UserError } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";
import type { ByteSource } from "./byte-source.js";
import { CHUNK } from "./byte-stream.js";

const readAsync = promisify(read);
const readFileAsync = promisify(readFile);

/** An open file. */
export class FileSource implements ByteSource {
  readonly #descriptor: number;
  readonly #head: Uint8Array;

  private constructor(
    readonly path: string,
    /** In bytes. */
    readonly size: number,
    /** When it was last changed, in milliseconds since 1970. */
    readonly modified: number,
    descriptor: number,
    head: Uint8Array,
  ) {
    this.#descriptor = descriptor;
    this.#head = head;
  }

  /**
   * Opens a file and reads its first bytes. That read alone is asynchronous, so that a loop over files leaves room
   * for timers and signals; each further wait would cost as much as decoding half a second of speech.
   * @param ahead how many bytes to read at once
   * @param expected what the file should be, for messages: "an audio file"
   * @throws UserError naming the file where the system does not read it
   */
  static async open(path: string, ahead: number, expected: string): Promise<FileSource> {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, "r");
      const status = fstatSync(descriptor);
      if (status.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
      if (!status.isFile()) {
        // A pipe has no positions and no size before it is read.
        const bytes = await readFileAsync(descriptor);
        return new FileSource(path, bytes.length, status.mtimeMs, descriptor, bytes);
      }
      if (Math.min(ahead, status.size) > constants.MAX_LENGTH)
        throw new UserError(
          `${path} must be of at most ${constants.MAX_LENGTH} bytes to be read at once, but is of ${status.size}. ` +
            "Read it in blocks (streamAudio) or in parts.",
          { code: "ERR_FILE_UNREADABLE" },
        );
      const head = Buffer.allocUnsafeSlow(Math.min(ahead, status.size));
      let filled = 0;
      while (filled < head.length) {
        const length = Math.min(head.length - filled, 2 ** 30);
        const { bytesRead } = await readAsync(descriptor, head, filled, length, filled);
        if (bytesRead === 0) break; // it became shorter meanwhile
        filled += bytesRead;
      }
      const size = filled < head.length ? filled : status.size;
      return new FileSource(path, size, status.mtimeMs, descriptor, head.subarray(0, filled));
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      throw error instanceof UserError ? error : unreadable(path, expected, error);
    }
  }

  read(at: number, length: number): Uint8Array {
    const end = Math.max(at, Math.min(at + length, this.size));
    if (end <= this.#head.length) return this.#head.subarray(at, end);
    const bytes = Buffer.allocUnsafeSlow(end - at);
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const bytesRead = readSync(this.#descriptor, bytes, filled, bytes.length - filled, at + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } catch (error) {
      throw unreadable(this.path, "readable", error);
    }
    return bytes.subarray(0, filled);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * A file's bytes, or those of a named pipe.
 * @throws UserError naming the file where the system does not read it
 */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(CHUNK), 0, CHUNK, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw unreadable(path, "an audio file", error);
  } finally {
    await file?.close();
  }
}
