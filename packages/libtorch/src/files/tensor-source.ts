import type { SafetensorsDtype } from "./safetensors-header.js";
import { quote } from "./safetensors-json.js";

/** A file of tensors that is damaged, incomplete or not one, or tensors that cannot be written as one. */
export class TensorFileError extends Error {
  override readonly name = "TensorFileError";
  readonly code = "ERR_TORCH_FILE";
}

export interface TensorEntry {
  /** Under safetensors' names, whatever the file's kind. */
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** Bytes that lie in a file in one piece, for reading them straight to where they are needed. */
export interface FileRange {
  readonly path: string;
  /** Valid until the source is closed. */
  readonly fd: number;
  readonly position: number;
}

/** Named tensors on disk, of whatever kind the file is: nothing of a tensor is in memory before it is read. */
export interface TensorSource {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order in which reading is fastest. */
  readonly entries: ReadonlyMap<string, TensorEntry>;

  /**
   * One tensor's bytes (row-major, little endian), read from its own part of the file.
   * @param into memory to fill, exactly `byteLength` bytes; a new array where it is left out
   * @throws {TensorFileError} if there is no such tensor, `into` has another size, or the file has shrunk
   */
  read(name: string, into?: Uint8Array): Promise<Uint8Array>;

  /**
   * Where the same bytes lie, or undefined for a tensor whose elements are not in row-major order on disk.
   * @throws {TensorFileError} if there is no such tensor, or the source is closed
   */
  locate(name: string): FileRange | undefined;

  close(): Promise<void>;
}

/** @throws {TensorFileError} when there is no tensor of that name, or the source is closed */
export function requireEntry<Entry extends TensorEntry>(
  { path, entries, isClosed }: { path: string; entries: ReadonlyMap<string, Entry>; isClosed: boolean },
  name: string,
): Entry {
  const entry = entries.get(name);
  if (entry === undefined) {
    throw new TensorFileError(`${path} must have a tensor ${quote(name)}, but has none of that name.`);
  }
  if (isClosed) {
    throw new TensorFileError(`${path} must be open to read tensor ${quote(name)}, but is closed.`);
  }
  return entry;
}

/** The memory to read a tensor into. @throws {TensorFileError} when what was given has another size */
export function memoryFor(
  path: string,
  name: string,
  { byteLength }: TensorEntry,
  into: Uint8Array | undefined,
): Uint8Array {
  const bytes = into ?? new Uint8Array(byteLength);
  if (bytes.byteLength === byteLength) return bytes;
  throw new TensorFileError(
    `The memory for tensor ${quote(name)} of ${path} must have ${byteLength} bytes, but has ${bytes.byteLength}.`,
  );
}

/** @throws {TensorFileError} when fewer bytes came than a file had when it was opened */
export function requireWhole(path: string, name: string, expected: number, found: number): void {
  if (found === expected) return;
  throw new TensorFileError(
    `Tensor ${quote(name)} of ${path} must have ${expected} bytes, but has ${found}. ` +
      "The file was cut while it was open.",
  );
}
