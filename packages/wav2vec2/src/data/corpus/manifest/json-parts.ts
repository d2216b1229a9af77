import { open } from "node:fs/promises";
import { unreadable } from "../../../files/unreadable.js";

/** A value within a JSON file. */
export interface JsonPart {
  /** Of the file's outermost object: the member that it is, or that it is an element of. */
  key: string | undefined;
  /** JSON, not parsed. */
  text: string;
  /** That it begins in, counted from 1. */
  line: number;
}

const BLOCK = 2 ** 20;
const [QUOTE, BACKSLASH, NEWLINE, SPACE, COMMA, COLON, BRACKET] = [0x22, 0x5c, 0x0a, 0x20, 0x2c, 0x3a, 0x5b];
const OPENING = [BRACKET, 0x7b];
const CLOSING = [0x5d, 0x7d];
/** Whose elements and members are parts: the outermost array or object, and an array that is a member of the latter. */
const CONTAINERS = ["[", "{", "{["];

/**
 * Divides a JSON file of any size: the elements of an array, the members of an object, and of members that are arrays their
 * elements. What is no JSON shows when a part is parsed, or as a part that never ends, the last one.
 * @throws UserError naming the file where it cannot be read
 */
export async function* readJsonParts(path: string): AsyncGenerator<JsonPart> {
  const divider = new JsonDivider();
  try {
    await using file = await open(path);
    for (;;) {
      const block = Buffer.allocUnsafe(BLOCK);
      const { bytesRead } = await file.read(block, 0, BLOCK);
      if (bytesRead === 0) break;
      yield* divider.push(block.subarray(0, bytesRead));
    }
  } catch (error) {
    if (error instanceof Error && "syscall" in error) throw unreadable(path, "a JSON file", error);
    throw error;
  }
  yield* divider.end();
}

class JsonDivider {
  /** Opening brackets of what surrounds the next byte. */
  #open = "";
  #inString = false;
  #escaped = false;
  #line = 1;
  #key: string | undefined;
  /** Bytes of the part that has begun, without those of the current block; undefined between parts. */
  #part: Buffer[] | undefined;
  #partLine = 0;

  *push(block: Buffer): Generator<JsonPart> {
    let begin = 0; // of the current part in the block
    const take = (end: number): string | undefined => {
      const text = this.#part && Buffer.concat([...this.#part, block.subarray(begin, end)]).toString();
      this.#part = undefined;
      return text;
    };
    for (let at = 0; at < block.length; at++) {
      const byte = block[at]!;
      if (this.#inString) {
        this.#readString(byte);
        continue;
      }
      if (byte === NEWLINE) this.#line++;
      if (byte <= SPACE) continue;
      const isContainer = CONTAINERS.includes(this.#open);
      const isEnd = isContainer && (byte === COMMA || CLOSING.includes(byte));
      if (isEnd) yield* this.#partOf(take(at));
      else if (byte === COLON && this.#open === "{") this.#key = keyOf(take(at) ?? "");
      else if (isContainer && this.#part === undefined && !(byte === BRACKET && this.#open === "{")) {
        begin = at;
        this.#part = [];
        this.#partLine = this.#line;
      }
      if (byte === QUOTE) this.#inString = true;
      else if (OPENING.includes(byte)) this.#open += String.fromCharCode(byte);
      else if (CLOSING.includes(byte)) this.#open = this.#open.slice(0, -1);
    }
    this.#part?.push(block.subarray(begin));
  }

  /** What was begun and never ended. */
  *end(): Generator<JsonPart> {
    yield* this.#partOf(this.#part && Buffer.concat(this.#part).toString());
  }

  *#partOf(text: string | undefined): Generator<JsonPart> {
    if (text !== undefined) yield { key: this.#key, text, line: this.#partLine };
  }

  #readString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }
}

function keyOf(text: string): string | undefined {
  try {
    return String(JSON.parse(text.trim()));
  } catch {
    return undefined;
  }
}
