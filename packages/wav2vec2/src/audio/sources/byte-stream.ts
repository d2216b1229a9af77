import { turn } from "#platform/turn";
import { joinedBytes } from "../joined.js";
import type { ByteSource } from "./byte-source.js";

const EMPTY = new Uint8Array(0);

/** Bytes that are read in order, once: those of a file of any length, or what comes through a pipe. */
export class ByteStream {
  /** What was read and not taken yet; kept by who took it, never overwritten. */
  bytes: Uint8Array = EMPTY;
  readonly #chunks: AsyncIterator<Uint8Array>;

  /** @param position of `bytes` in the file */
  constructor(
    chunks: AsyncIterable<Uint8Array>,
    public position = 0,
  ) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Reads on. @returns false at the stream's end */
  async more(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done) return false;
    this.bytes = this.bytes.length === 0 ? value : joinedBytes([this.bytes, value]);
    return true;
  }

  /** Reads on until `length` bytes are there. @returns false where the stream ends before */
  async fill(length: number): Promise<boolean> {
    if (this.bytes.length >= length) return true;
    const parts = [this.bytes];
    let there = this.bytes.length;
    while (there < length) {
      const { value, done } = await this.#chunks.next();
      if (done) break;
      parts.push(value);
      there += value.length;
    }
    const [first, second] = parts.filter((part) => part.length > 0);
    this.bytes = second ? joinedBytes(parts) : (first ?? EMPTY);
    return there >= length;
  }

  /** The next bytes, of which `length` must be there. */
  take(length: number): Uint8Array {
    const taken = this.bytes.subarray(0, length);
    this.bytes = this.bytes.subarray(length);
    this.position += length;
    return taken;
  }

  /** Leaves out the next bytes, there or not. @returns false where the stream ends before */
  async skip(length: number): Promise<boolean> {
    let left = length;
    while (left > this.bytes.length) {
      left -= this.bytes.length;
      this.take(this.bytes.length);
      if (!(await this.more())) return false;
    }
    this.take(left);
    return true;
  }

  /** Must be called when nothing more is read. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/**
 * Bytes that are read at once, some seconds of speech: a read takes a small part of the time of decoding them, and decoding them at
 * once does not hold the event loop for long.
 */
export const CHUNK = 2 ** 15;

/** The bytes of a source in order; the event loop has its turn between them. */
export async function* sourceChunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size; at += CHUNK) {
    if (at > 0) await turn();
    yield source.read(at, CHUNK);
  }
}
