// Reading a zip archive (a Python wheel is one): its central directory, and single members to disk.
// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
import { createReadStream, createWriteStream, mkdirSync, readSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";

/**
 * @typedef {object} ZipEntry
 * @property {string} name path inside the archive, with "/"
 * @property {number} offset where its local header starts
 * @property {number} end where the next member or the central directory starts
 * @property {number} compressedSize
 * @property {number} size
 * @property {number} crc CRC-32 of the uncompressed bytes
 * @property {number} method 0 stored, 8 deflated
 */

const END_OF_CENTRAL_DIRECTORY = 0x06054b50;
const CENTRAL_HEADER = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
/** The end record with the longest possible comment: as much of the file's end as has to be searched. */
export const LONGEST_END = 22 + 0xffff;
/** Members up to this size are unpacked in memory, which is much faster for thousands of headers. */
const IN_MEMORY = 4 << 20;

/** Bytes that are not the ones that the archive, or the index that it came from, promises. */
export class DamagedArchive extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "DamagedArchive";
  }
}

/**
 * @param {Buffer} tail the last bytes of the archive, at least LONGEST_END of them or the whole archive
 * @returns {{ offset: number, size: number, count: number }} where the central directory lies
 * @throws {DamagedArchive}
 */
export function locateCentralDirectory(tail) {
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_OF_CENTRAL_DIRECTORY) continue;
    if (at + 22 + tail.readUInt16LE(at + 20) !== tail.length) continue;
    const [count, size, offset] = [
      tail.readUInt16LE(at + 10),
      tail.readUInt32LE(at + 12),
      tail.readUInt32LE(at + 16),
    ];
    if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
      throw new Error("The archive must be a plain zip, but is in Zip64 form, which is not read here.");
    }
    return { offset, size, count };
  }
  throw new DamagedArchive("The file must be a zip archive, but its end record is missing.");
}

/**
 * @param {Buffer} bytes the central directory
 * @param {{ offset: number, count: number }} directory
 * @returns {Map<string, ZipEntry>} by name, in the order of the archive; folders are left out
 */
export function parseCentralDirectory(bytes, { offset: directoryOffset, count }) {
  /** @type {ZipEntry[]} */
  const entries = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL_HEADER) {
      throw new DamagedArchive(`The archive's central directory is damaged at entry ${index} of ${count}.`);
    }
    const nameLength = bytes.readUInt16LE(at + 28);
    entries.push({
      name: bytes.toString("utf8", at + 46, at + 46 + nameLength),
      offset: bytes.readUInt32LE(at + 42),
      end: directoryOffset,
      compressedSize: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      crc: bytes.readUInt32LE(at + 16),
      method: bytes.readUInt16LE(at + 10),
    });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  entries.sort((a, b) => a.offset - b.offset);
  entries.forEach((entry, index) => {
    entry.end = entries[index + 1]?.offset ?? directoryOffset;
  });
  return new Map(entries.filter(({ name }) => !name.endsWith("/")).map((entry) => [entry.name, entry]));
}

/**
 * Unpacks one member, whose bytes must be present in the archive file, and checks its size and CRC-32.
 * @param {{ fd: number, path: string }} archive
 * @param {ZipEntry} entry
 * @param {string} target file to write; its folder is made
 * @throws {DamagedArchive}
 */
export async function extractMember(archive, entry, target) {
  mkdirSync(dirname(target), { recursive: true });
  if (entry.size <= IN_MEMORY) {
    writeFileSync(target, readMember(archive, entry));
    return;
  }
  const start = dataOffset(archive, entry);
  let crc = 0;
  let size = 0;
  const source = createReadStream(archive.path, { start, end: start + entry.compressedSize - 1 });
  const inflate = entry.method === 0 ? new PassThrough() : zlib.createInflateRaw({ chunkSize: 1 << 20 });
  /** @param {AsyncIterable<Buffer>} chunks */
  async function* measure(chunks) {
    for await (const chunk of chunks) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      if (size > entry.size) throw new DamagedArchive(`${entry.name} has more than its ${entry.size} bytes.`);
      yield chunk;
    }
  }
  try {
    await pipeline(source, inflate, measure, createWriteStream(target));
  } catch (error) {
    throw isInflateError(error)
      ? new DamagedArchive(`${entry.name} does not unpack: ${error.message}.`)
      : error;
  }
  check(entry, size, crc);
}

/**
 * @param {{ fd: number }} archive
 * @param {ZipEntry} entry
 * @returns {Buffer} the member's uncompressed bytes
 * @throws {DamagedArchive}
 */
export function readMember(archive, entry) {
  const packed = read(archive.fd, dataOffset(archive, entry), entry.compressedSize);
  let bytes = packed;
  if (entry.method !== 0) {
    try {
      bytes = zlib.inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
    } catch (error) {
      throw new DamagedArchive(`${entry.name} does not unpack: ${/** @type {Error} */ (error).message}.`);
    }
  }
  check(entry, bytes.length, crc32(bytes, 0));
  return bytes;
}

/**
 * @param {{ fd: number }} archive
 * @param {ZipEntry} entry
 */
function dataOffset(archive, entry) {
  // The local header repeats the name and has extra fields of its own length.
  const header = read(archive.fd, entry.offset, 30);
  if (header.length < 30 || header.readUInt32LE(0) !== LOCAL_HEADER) {
    throw new DamagedArchive(`${entry.name} has no header where the archive's directory says.`);
  }
  return entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}

/**
 * @param {number} fd
 * @param {number} position
 * @param {number} length
 */
function read(fd, position, length) {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, buffer, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

/**
 * @param {ZipEntry} entry
 * @param {number} size
 * @param {number} crc
 */
function check(entry, size, crc) {
  if (size !== entry.size) {
    throw new DamagedArchive(`${entry.name} must have ${entry.size} bytes, but has ${size}.`);
  }
  if (crc !== entry.crc) {
    const [expected, actual] = [entry.crc, crc].map((value) => value.toString(16).padStart(8, "0"));
    throw new DamagedArchive(`${entry.name} must have the CRC-32 ${expected}, but has ${actual}.`);
  }
}

/**
 * @param {unknown} error
 * @returns {error is NodeJS.ErrnoException}
 */
function isInflateError(error) {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}

/** @type {Uint32Array | undefined} */
let table;

/**
 * CRC-32 by table, for Node versions before 20.15, whose zlib has none.
 * @param {Uint8Array} bytes
 * @param {number} [previous] the value over the bytes before
 */
export function crc32ByTable(bytes, previous = 0) {
  table ??= Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let crc = ~previous;
  for (const byte of bytes) crc = /** @type {number} */ (table[(crc ^ byte) & 0xff]) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** @type {(bytes: Uint8Array, previous?: number) => number} */
const crc32 = "crc32" in zlib ? /** @type {typeof crc32ByTable} */ (zlib.crc32) : crc32ByTable;
