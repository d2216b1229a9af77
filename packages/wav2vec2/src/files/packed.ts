import { UserError } from "../errors.js";
import { latin1 } from "../latin1.js";
import { shellName } from "./shell-name.js";

/** By what packed files begin with: the packer's name, and the command that unpacks one. */
const PACKERS: readonly [magic: string, name: string, command: (name: string) => string][] = [
  ["BZh", "bzip2", (name) => `bunzip2 --keep ${name}`],
  ["\xfd7zXZ\0", "xz", (name) => `unxz --keep ${name}`],
  ["\x5d\0\0", "lzma", (name) => `unlzma --keep ${name}`],
  ["\x28\xb5\x2f\xfd", "Zstandard", (name) => `unzstd ${name}`],
  ["\x1f\x9d", "compress", (name) => `uncompress ${name}`],
  ["PK\x03\x04", "zip", (name) => `unzip ${name}`],
  ["7z\xbc\xaf\x27\x1c", "7-Zip", (name) => `7z x ${name}`],
];

/** Bytes that tell how a file is packed. */
export const PACKED_MAGIC = 6;

/**
 * @param first a file's first bytes
 * @param expected what it should be, for messages: "a text"
 * @throws UserError with the command that unpacks the file, where it is packed in another way than gzip's
 */
export function refusePacked(path: string, expected: string, first: Uint8Array): void {
  const head = latin1(first.subarray(0, PACKED_MAGIC));
  const packer = PACKERS.find(([magic]) => head.startsWith(magic));
  if (!packer) return;
  const [, name, command] = packer;
  throw new UserError(
    `${path} must be ${expected}, plain or packed with gzip, but is packed with ${name}. Unpack it: ${command(shellName(path))}`,
  );
}

export function isGzip(first: Uint8Array): boolean {
  return first[0] === 0x1f && first[1] === 0x8b;
}
