import { type Json, JsonNumber, JsonSyntaxError, parseJson, quote } from "./safetensors-json.js";
import { type TensorEntry, TensorFileError } from "./tensor-source.js";

/**
 * The header of a safetensors file: 8 bytes with its length (u64, little endian), then JSON that maps each
 * tensor's name to `{dtype, shape, data_offsets}`, the offsets counted from the header's end.
 * Accepts what the reference implementation does (`Metadata::validate` in
 * https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs) except for repeated keys, of which
 * it keeps the last, white space before the `{`, which the format's text forbids, and elements under a byte.
 */

/** Bytes per element, in the reference's order: the writer sorts by it, so that every tensor is aligned. */
export const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  C64: 8,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

export type SafetensorsDtype = keyof typeof DTYPE_BYTES;

const DTYPES = Object.keys(DTYPE_BYTES) as SafetensorsDtype[];

/** An entry and where its bytes start, counted from the header's end. */
export interface LocatedEntry extends TensorEntry {
  readonly start: number;
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes in the file. */
  readonly entries: ReadonlyMap<string, LocatedEntry>;
}

export const LENGTH_BYTES = 8;
export const MAX_HEADER_BYTES = 100_000_000;
const METADATA_KEY = "__metadata__";

/**
 * The header's length from the file's first 8 bytes.
 * @throws {TensorFileError} before anything of that length is allocated or read.
 */
export function parseHeaderLength(first: Uint8Array, fileBytes: number, path: string): number {
  if (first.byteLength < LENGTH_BYTES) {
    throw new TensorFileError(
      `${path} must be a safetensors file of at least ${LENGTH_BYTES} bytes, but has ${fileBytes}.`,
    );
  }
  const view = new DataView(first.buffer, first.byteOffset, LENGTH_BYTES);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new TensorFileError(
      `The header length of ${path} must be at most ${MAX_HEADER_BYTES} bytes, but is ${length}. ` +
        "The file is damaged or not safetensors.",
    );
  }
  if (Number(length) > fileBytes - LENGTH_BYTES) {
    throw new TensorFileError(
      `The header length of ${path} must be at most the ${fileBytes - LENGTH_BYTES} bytes that follow, ` +
        `but is ${length}. The file is truncated or not safetensors.`,
    );
  }
  return Number(length);
}

/**
 * @param dataBytes size of the file behind the header; the tensors must cover it without gap or overlap
 * @throws {TensorFileError} naming the file and the tensor
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, path: string): Header {
  const root = parseRoot(bytes, path);
  const entries: [string, LocatedEntry][] = [];
  let metadata: Readonly<Record<string, string>> = Object.freeze(Object.create(null));
  for (const [name, value] of root) {
    if (name === METADATA_KEY) metadata = parseMetadata(value, path);
    else entries.push([name, parseEntry(name, value, path)]);
  }
  entries.sort(([, a], [, b]) => a.start - b.start || a.byteLength - b.byteLength);

  let expected = 0;
  let previous = "the header";
  for (const [name, { start, byteLength }] of entries) {
    if (start !== expected) {
      const fault = start < expected ? "They overlap." : `Bytes ${expected} to ${start} belong to no tensor.`;
      throw new TensorFileError(
        `The data_offsets of tensor ${quote(name)} in ${path} must begin at ${expected}, where ${previous} ends, ` +
          `but begin at ${start}. ${fault}`,
      );
    }
    expected = start + byteLength;
    if (expected > dataBytes) {
      throw new TensorFileError(
        `The data_offsets of tensor ${quote(name)} in ${path} must end within the file's ${dataBytes} data bytes, ` +
          `but end at ${expected}. The file is truncated or its header damaged.`,
      );
    }
    previous = `tensor ${quote(name)}`;
  }
  if (expected !== dataBytes) {
    throw new TensorFileError(
      `The tensors of ${path} must cover its ${dataBytes} data bytes, but end at ${expected}. ` +
        "The file has bytes that belong to no tensor.",
    );
  }
  return { metadata, entries: new Map(entries) };
}

function parseRoot(bytes: Uint8Array, path: string): Map<string, Json> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TensorFileError(`The header of ${path} must be UTF-8, but has bytes that are not.`, { cause });
  }
  if (!text.startsWith("{")) {
    throw new TensorFileError(
      `The header of ${path} must be a JSON object, but starts with ${quote(text.slice(0, 12))}. ` +
        "The file is not safetensors.",
    );
  }
  try {
    return parseJson(text) as Map<string, Json>;
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new TensorFileError(`The header of ${path} ${cause.message}.`, { cause });
  }
}

function parseMetadata(value: Json, path: string): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = Object.create(null);
  if (value === null) return Object.freeze(metadata);
  if (!(value instanceof Map)) {
    throw new TensorFileError(`${METADATA_KEY} in ${path} must be an object, but is ${describe(value)}.`);
  }
  for (const [key, text] of value) {
    if (typeof text !== "string") {
      throw new TensorFileError(
        `${METADATA_KEY} key ${quote(key)} in ${path} must be a string, but is ${describe(text)}.`,
      );
    }
    metadata[key] = text;
  }
  return Object.freeze(metadata);
}

function parseEntry(name: string, value: Json, path: string): LocatedEntry {
  const fail = (field: string, must: string, found: string): never => {
    throw new TensorFileError(
      `The ${field} of tensor ${quote(name)} in ${path} must be ${must}, but is ${found}.`,
    );
  };
  if (!(value instanceof Map)) {
    return fail("entry", "an object with dtype, shape and data_offsets", describe(value));
  }
  const dtype = value.get("dtype");
  if (!isDtype(dtype)) return fail("dtype", `one of ${DTYPES.join(", ")}`, describe(dtype));

  const sizes = (field: string, list: Json | undefined): number[] => {
    if (!Array.isArray(list)) return fail(field, "a list of whole numbers", describe(list));
    return list.map((item) => {
      const size = parseSize(item);
      return size ?? fail(field, `whole numbers from 0 to ${Number.MAX_SAFE_INTEGER}`, describe(list));
    });
  };
  const shape = sizes("shape", value.get("shape"));
  const offsets = sizes("data_offsets", value.get("data_offsets"));
  const [start, end] = offsets;
  if (offsets.length !== 2 || start === undefined || end === undefined || end < start) {
    return fail("data_offsets", "[start, end] with start <= end", describe(value.get("data_offsets")));
  }
  const byteLength = sizeInBytes(dtype, shape);
  if (byteLength === undefined) return fail("shape", "within 2^53 bytes", `[${shape.join(", ")}]`);
  if (end - start !== byteLength) {
    fail(
      "data_offsets",
      `${byteLength} bytes apart, as ${dtype} [${shape.join(", ")}] needs`,
      `${end - start}`,
    );
  }
  return { dtype, shape: Object.freeze(shape), byteLength, start };
}

/** A size is written in digits only; `-1`, `1.0`, `1e3` and anything above 2^53 are not sizes. */
function parseSize(value: Json): number | undefined {
  if (!(value instanceof JsonNumber) || !/^[0-9]+$/.test(value.text)) return undefined;
  const size = Number(value.text);
  return Number.isSafeInteger(size) ? size : undefined;
}

function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === "string" && Object.hasOwn(DTYPE_BYTES, value);
}

/** The bytes of a tensor; `undefined` where the product passes 2^53, at any point: a later 0 does not make such a shape good. */
export function sizeInBytes(dtype: SafetensorsDtype, shape: readonly number[]): number | undefined {
  let bytes: number = DTYPE_BYTES[dtype];
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) return undefined;
  }
  return bytes;
}

function describe(value: Json | undefined): string {
  if (value === undefined) return "missing";
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quote(value);
  if (value instanceof JsonNumber) return value.text.slice(0, 40);
  if (value instanceof Map) return "an object";
  const shown = value.slice(0, 8).map((item) => (Array.isArray(item) ? "a list" : describe(item)));
  return `[${shown.join(", ")}${value.length > shown.length ? ", …" : ""}]`;
}

/** A tensor to write: `bytes` is called when its turn comes, so that only one need be in memory. */
export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Row-major, little endian; exactly as many as dtype and shape need. */
  readonly bytes: () => Uint8Array;
}

/**
 * Length and header of a file, padded with spaces so that the data start on a multiple of 8, and the tensors in
 * the order their bytes must follow. The order is the reference's (wider elements first, then by name): every
 * tensor is then aligned to its element, and the same tensors always give the same file.
 */
export function layOut<T extends Omit<SafetensorsTensor, "bytes">>(
  tensors: Iterable<T>,
  metadata: Readonly<Record<string, string>> | undefined,
  path: string,
): { header: Uint8Array; ordered: { tensor: T; byteLength: number }[] } {
  const fail = (what: string, must: string, found: string): never => {
    throw new TensorFileError(`${what} for ${path} must be ${must}, but is ${found}.`);
  };
  const checkText = (what: string, text: unknown): void => {
    if (typeof text !== "string") fail(what, "a string", typeof text);
    else if (/\p{Surrogate}/u.test(text)) fail(what, "whole Unicode characters", quote(text));
  };

  const seen = new Set<string>();
  const ordered = Array.from(tensors, (tensor) => {
    const { name, dtype, shape } = tensor;
    checkText("A tensor's name", name);
    if (name === METADATA_KEY) fail("A tensor's name", "another than the format's own key", quote(name));
    if (seen.has(name)) fail("A tensor's name", "used once", `used twice: ${quote(name)}`);
    seen.add(name);
    if (!isDtype(dtype))
      fail(`The dtype of tensor ${quote(name)}`, `one of ${DTYPES.join(", ")}`, String(dtype));
    const whole = shape.every((size) => Number.isSafeInteger(size) && size >= 0);
    const byteLength = whole ? sizeInBytes(dtype, shape) : undefined;
    return {
      tensor,
      key: Buffer.from(name, "utf8"),
      byteLength:
        byteLength ??
        fail(
          `The shape of tensor ${quote(name)}`,
          "whole numbers within 2^53 bytes",
          `[${shape.join(", ")}]`,
        ),
    };
  });
  ordered.sort(
    (a, b) => DTYPES.indexOf(b.tensor.dtype) - DTYPES.indexOf(a.tensor.dtype) || Buffer.compare(a.key, b.key),
  );

  // Member by member, as an object would put a name like "1" first and lose one like "__proto__".
  const members: string[] = [];
  if (metadata !== undefined) {
    for (const [key, text] of Object.entries(metadata)) {
      checkText("A metadata key", key);
      checkText(`The metadata of key ${quote(key)}`, text);
    }
    members.push(`${JSON.stringify(METADATA_KEY)}:${JSON.stringify(metadata)}`);
  }
  let offset = 0;
  for (const { tensor, byteLength } of ordered) {
    const { dtype, shape } = tensor;
    const entry = { dtype, shape, data_offsets: [offset, offset + byteLength] };
    members.push(`${JSON.stringify(tensor.name)}:${JSON.stringify(entry)}`);
    offset += byteLength;
  }
  const json = Buffer.from(`{${members.join(",")}}`, "utf8");
  const length = Math.ceil(json.byteLength / 8) * 8;
  if (length > MAX_HEADER_BYTES) fail("The header", `at most ${MAX_HEADER_BYTES} bytes`, `${length}`);
  const header = Buffer.alloc(LENGTH_BYTES + length, " ");
  header.writeBigUInt64LE(BigInt(length), 0);
  json.copy(header, LENGTH_BYTES);
  return { header, ordered };
}
