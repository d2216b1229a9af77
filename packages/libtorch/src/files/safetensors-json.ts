/**
 * A JSON reader for safetensors headers. `JSON.parse` would do but for three things a header must not get away
 * with: it keeps the last of two equal keys, rounds integers above 2^53, and reads `1.0` as 1.
 * Objects become Maps, so a key such as `__proto__` is a key like any other.
 */
export type Json = string | boolean | null | JsonNumber | Json[] | Map<string, Json>;

/** A number as written: the caller decides which spellings it takes. */
export class JsonNumber {
  constructor(readonly text: string) {}
}

export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
}

/** serde_json, which the reference implementation reads with, stops at the same depth. */
const MAX_DEPTH = 128;

const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING_END = /["\\]/g;

/** @throws {JsonSyntaxError} naming the position, for anything RFC 8259 does not allow and for repeated keys. */
export function parseJson(text: string): Json {
  let at = 0;

  function fail(expected: string): never {
    const found = at < text.length ? JSON.stringify(text[at]) : "the end";
    throw new JsonSyntaxError(`must have ${expected} at character ${at}, but has ${found}`);
  }

  function skipWhitespace(): void {
    WHITESPACE.lastIndex = at;
    WHITESPACE.test(text);
    at = WHITESPACE.lastIndex;
  }

  /** The next character that is not white space, consumed when it is `character`. */
  function take(character: string): boolean {
    skipWhitespace();
    if (text[at] !== character) return false;
    at++;
    return true;
  }

  function parseString(): string {
    skipWhitespace();
    if (text[at] !== '"') fail("a string");
    const start = at;
    STRING_END.lastIndex = at + 1;
    for (;;) {
      const end = STRING_END.exec(text);
      if (end === null) {
        at = text.length;
        fail('a closing "');
      }
      if (end[0] === '"') break;
      STRING_END.lastIndex++;
    }
    at = STRING_END.lastIndex;
    let value: unknown;
    try {
      value = JSON.parse(text.slice(start, at));
    } catch {
      at = start;
      fail("a string without control characters or unknown escapes");
    }
    if (typeof value !== "string" || /\p{Surrogate}/u.test(value)) {
      at = start;
      fail("a string of whole Unicode characters");
    }
    return value;
  }

  function parseObject(depth: number): Map<string, Json> {
    const object = new Map<string, Json>();
    if (take("}")) return object;
    do {
      skipWhitespace();
      const start = at;
      const key = parseString();
      if (object.has(key)) {
        throw new JsonSyntaxError(
          `must have every key once, but repeats ${quote(key)} at character ${start}`,
        );
      }
      if (!take(":")) fail('":"');
      object.set(key, parseValue(depth));
    } while (take(","));
    if (!take("}")) fail('"," or "}"');
    return object;
  }

  function parseArray(depth: number): Json[] {
    const array: Json[] = [];
    if (take("]")) return array;
    do array.push(parseValue(depth));
    while (take(","));
    if (!take("]")) fail('"," or "]"');
    return array;
  }

  function parseValue(depth: number): Json {
    if (depth > MAX_DEPTH) fail(`at most ${MAX_DEPTH} levels of nesting`);
    if (take("{")) return parseObject(depth + 1);
    if (take("[")) return parseArray(depth + 1);
    if (text[at] === '"') return parseString();
    for (const [word, value] of [
      ["true", true] as const,
      ["false", false] as const,
      ["null", null] as const,
    ]) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = at;
    const number = NUMBER.exec(text);
    if (number === null) fail("a value");
    at = NUMBER.lastIndex;
    return new JsonNumber(number[0]);
  }

  const value = parseValue(0);
  skipWhitespace();
  if (at < text.length) fail("nothing more");
  return value;
}

/** A name for an error message: quoted, and cut where a damaged file makes it megabytes long. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
