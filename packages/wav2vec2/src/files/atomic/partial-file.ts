import type { Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

/** What a file has to become. */
export interface ExpectedFile {
  /** Bytes. */
  size: number;
  /** Checksum in hexadecimal, of the kind that `newHash` makes. */
  hash: string;
  newHash(): Hash;
  /** What to throw where the contents cannot be the expected ones: "has another checksum", "is longer". */
  wrong(fault: string): Error;
}

/** Is told in order what comes to be in a partial file, beginning with what an earlier process left in it. */
export interface PartialFileReader {
  onBytes(chunk: Uint8Array): void | Promise<void>;
  /** All bytes until now, this many, are gone. */
  onRestart(size: number): void | Promise<void>;
}

/** A file that grows at its end, and the checksum of what is in it. */
export class PartialFile implements AsyncDisposable {
  size = 0;
  #hash: Hash;

  private constructor(
    readonly expected: ExpectedFile,
    private readonly handle: FileHandle,
    private readonly reader: PartialFileReader,
  ) {
    this.#hash = expected.newHash();
  }

  static async open(path: string, expected: ExpectedFile, reader: PartialFileReader): Promise<PartialFile> {
    const handle = await open(path, "a+");
    const partial = new PartialFile(expected, handle, reader);
    try {
      for (;;) {
        const buffer = Buffer.allocUnsafe(1 << 20); // a new one each time: a reader may keep it for a while
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, partial.size);
        if (bytesRead === 0) break;
        await partial.#add(buffer.subarray(0, bytesRead));
      }
      if (partial.size > expected.size) await partial.restart();
    } catch (error) {
      await handle.close();
      throw error;
    }
    return partial;
  }

  /** Checksum of what is in the file, in hexadecimal. */
  get hash(): string {
    return this.#hash.copy().digest("hex");
  }

  get isRight(): boolean {
    return this.size === this.expected.size && this.hash === this.expected.hash;
  }

  /** @throws what `expected.wrong` makes when more comes than is expected */
  async append(chunk: Uint8Array): Promise<void> {
    if (this.size + chunk.length > this.expected.size) throw this.expected.wrong("is longer");
    await this.handle.appendFile(chunk);
    await this.#add(chunk);
  }

  async restart(): Promise<void> {
    await this.handle.truncate(0);
    await this.reader.onRestart(this.size);
    this.size = 0;
    this.#hash = this.expected.newHash();
  }

  async sync(): Promise<void> {
    await this.handle.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }

  async #add(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.size += chunk.length;
    await this.reader.onBytes(chunk);
  }
}
