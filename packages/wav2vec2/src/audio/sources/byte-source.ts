/** Bytes that are read by position: those of a file, or some in memory. */
export interface ByteSource {
  readonly size: number;
  /** Where it begins in the file, for messages: behind tags. Default: 0 */
  readonly begin?: number;
  /** The bytes from `at` on: `length`, or fewer where the source ends. They are not to be written to. */
  read(at: number, length: number): Uint8Array;
}

export function memorySource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (at, length) => bytes.subarray(at, at + length) };
}

/** What follows the first `begin` bytes of a source. */
export function sourceBehind(source: ByteSource, begin: number): ByteSource {
  if (begin === 0) return source;
  return { size: source.size - begin, begin, read: (at, length) => source.read(begin + at, length) };
}
