// Which shared libraries a Linux library needs: the DT_NEEDED entries of its dynamic section.
// Format: https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
import { closeSync, openSync, readSync } from "node:fs";

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NULL = 0n;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;

/**
 * @param {string} path a 64-bit little-endian ELF file (every Linux that libtorch is built for)
 * @returns {string[]} file names such as "libgomp.so.1", in the file's order
 */
export function neededLibraries(path) {
  const fd = openSync(path, "r");
  try {
    const header = read(fd, 0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) {
      throw new Error(`${path} must be a 64-bit little-endian ELF file, but is not.`);
    }
    const entrySize = header.readUInt16LE(54);
    const table = read(fd, Number(header.readBigUInt64LE(32)), entrySize * header.readUInt16LE(56));
    /** @type {{ type: number, offset: number, address: number, size: number }[]} */
    const segments = [];
    for (let at = 0; at + entrySize <= table.length; at += entrySize) {
      segments.push({
        type: table.readUInt32LE(at),
        offset: Number(table.readBigUInt64LE(at + 8)),
        address: Number(table.readBigUInt64LE(at + 16)),
        size: Number(table.readBigUInt64LE(at + 32)),
      });
    }
    const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
    if (dynamic === undefined) return [];
    const { needed, strings, stringsSize } = dynamicEntries(read(fd, dynamic.offset, dynamic.size));
    const segment = segments.find(
      ({ type, address, size }) => type === PT_LOAD && address <= strings && strings < address + size,
    );
    if (segment === undefined) throw new Error(`${path} has a dynamic section without its strings.`);
    const names = read(fd, segment.offset + strings - segment.address, stringsSize);
    return needed.map((start) => names.toString("utf8", start, names.indexOf(0, start)));
  } finally {
    closeSync(fd);
  }
}

/** @param {Buffer} section */
function dynamicEntries(section) {
  const needed = [];
  let strings = -1;
  let stringsSize = 0;
  for (let at = 0; at + 16 <= section.length; at += 16) {
    const tag = section.readBigInt64LE(at);
    const value = Number(section.readBigUInt64LE(at + 8));
    if (tag === DT_NULL) break;
    if (tag === DT_NEEDED) needed.push(value);
    if (tag === DT_STRTAB) strings = value;
    if (tag === DT_STRSZ) stringsSize = value;
  }
  return { needed, strings, stringsSize };
}

/**
 * @param {number} fd
 * @param {number} position
 * @param {number} length
 */
function read(fd, position, length) {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(fd, buffer, 0, length, position));
}
