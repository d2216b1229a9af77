import type { FileHandle } from "node:fs/promises";
import { isJsonObject } from "../../files/json-file.js";

const BLOCK_BYTES = 1 << 20;
/** A longer line is none of ours; it is passed over. */
const LONGEST_LINE_BYTES = 1 << 26;
/** So much of the file's beginning, and of what stands before the place reached, tells whether it is still the same. */
const MARK_BYTES = 256;
const NEWLINE = 0x0a;

/** Takes the lines of a {@link GrowingFile}. */
export interface LineSink {
  /** A whole line without its end, valid until the call returns. @param at where in the file it begins, in bytes */
  line(bytes: Buffer, at: number): void;
  /** All lines so far are void: the file was written anew, or is gone. */
  reset(): void;
}

/**
 * A file of lines that another process appends to: each {@link read} passes on what has come since the last. A line that
 * is not complete yet waits for its end, unless it is a whole JSON object already. A file that was replaced, as a resumed
 * run does, is read anew.
 */
export class GrowingFile {
  #generation = 0;
  #offset = 0;
  #inode = -1;
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);
  #skipping = false;
  #reading: Promise<void> | undefined;

  /** @param open undefined where there is no file */
  constructor(
    readonly open: () => Promise<FileHandle | undefined>,
    readonly sink: LineSink,
  ) {}

  /** Another one whenever there is something new; the part before the dot, when all is. */
  get version(): string {
    return `${this.#generation}.${this.#offset}`;
  }

  /** Reads on to the present end. Calls that come meanwhile wait for the same reading. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    await using file = await this.open();
    if (file === undefined) {
      this.#begin(-1);
      return;
    }
    const { ino, size } = await file.stat();
    if (ino !== this.#inode || size < this.#offset || !(await this.#isSame(file))) this.#begin(ino);
    if (size === this.#offset) return;
    if (this.#head.length < MARK_BYTES) this.#head = await bytesAt(file, 0, MARK_BYTES);
    let block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, size - this.#offset));
    while (this.#offset < size) {
      const { bytesRead } = await file.read(block, 0, block.length, this.#offset);
      if (bytesRead === 0) break;
      const bytes = block.subarray(0, bytesRead);
      const taken = this.#take(bytes, this.#offset + bytesRead >= size);
      this.#tail = Buffer.from(bytes.subarray(Math.max(0, taken - MARK_BYTES), taken));
      this.#offset += taken;
      if (taken > 0) continue;
      if (this.#offset + bytesRead >= size) break; // the rest of a line is to come
      if (block.length >= LONGEST_LINE_BYTES) this.#skipping = true;
      else block = Buffer.allocUnsafe(Math.min(block.length * 2, size - this.#offset));
    }
  }

  /** Passes the whole lines of a block on. @returns how many bytes they take */
  #take(bytes: Buffer, isEnd: boolean): number {
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      if (!this.#skipping && end > from) this.sink.line(bytes.subarray(from, end), this.#offset + from);
      this.#skipping = false;
      from = end + 1;
    }
    if (this.#skipping) return bytes.length;
    const rest = bytes.subarray(from);
    if (isEnd && isObject(rest)) {
      this.sink.line(rest, this.#offset + from);
      from = bytes.length;
    }
    return from;
  }

  #begin(inode: number): void {
    if (this.#offset > 0) {
      this.sink.reset();
      this.#generation++;
    }
    this.#inode = inode;
    this.#offset = 0;
    this.#head = this.#tail = Buffer.alloc(0);
    this.#skipping = false;
  }

  async #isSame(file: FileHandle): Promise<boolean> {
    if (this.#offset === 0) return true;
    const [head, tail] = [this.#head, this.#tail];
    return (
      head.equals(await bytesAt(file, 0, head.length)) &&
      tail.equals(await bytesAt(file, this.#offset - tail.length, tail.length))
    );
  }
}

async function bytesAt(file: FileHandle, at: number, count: number): Promise<Buffer> {
  const bytes = Buffer.alloc(count);
  const { bytesRead } = await file.read(bytes, 0, count, at);
  return bytes.subarray(0, bytesRead);
}

/** A whole object is whole without a line's end too: no more text could make it another one. */
function isObject(bytes: Buffer): boolean {
  if (bytes[0] !== 0x7b || bytes.at(-1) !== 0x7d) return false;
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}

/**
 * The object of a line; undefined where it is none, such as one that a power cut left torn with the next behind it. NaN
 * and infinity, which JSON has no word for and other programs write all the same, become null.
 */
export function parseLine(bytes: Buffer): Record<string, unknown> | undefined {
  const text = bytes.toString();
  return (
    parseObject(text) ?? parseObject(text.replaceAll(/(?<=[:,[]\s*)(?:NaN|-?Infinity)(?=\s*[,}\]])/g, "null"))
  );
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
