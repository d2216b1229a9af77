import { crc8, crc16, crc32 } from "../../src/audio/flac/crc.js";
import { metadataEnd, parseFrameHeader, splitFrames } from "../../src/audio/flac/flac-frames.js";
import { parseFrame } from "../../src/audio/mp3/mp3-frames.js";
import { leadingTagSize } from "../../src/audio/mp3/tags.js";
import { pageLength } from "../../src/audio/ogg/ogg-page.js";
import type { Random } from "../../src/data/random.js";

type Bytes = Buffer<ArrayBufferLike>;

/** A number in a part of a file. */
interface Field {
  at: number;
  bytes: 1 | 2 | 4 | 8;
  isBig?: boolean;
}

/** A file's parts, which its format puts behind one another: chunks, pages, blocks, frames, elements. */
interface Layout {
  parts: Bytes[];
  /** Sizes, counts, ids and flags that stand at fixed places of a part. */
  fields(part: Bytes): Field[];
  /** Puts the checksums right that cover a part, so that what was changed in it is believed. */
  seal(part: Bytes): void;
}

/**
 * Changes a file as no transmission would: numbers in its headers under checksums that fit, parts that are twice there, missing, in
 * another order, cut, from another file.
 * @param others files of which parts are taken
 */
export function mutate(bytes: Bytes, random: Random, others: readonly Bytes[]): Bytes {
  const { fields, seal, ...layout } = layoutOf(bytes);
  const parts: Bytes[] = layout.parts.map((part) => Buffer.from(part));
  const changes = 1 + random.integer(3);
  for (let change = 0; change < changes; change++) {
    const at = place(random, parts.length);
    const part = parts[at]!;
    const kind = random.integer(10);
    if (kind < 4) changeField(part, fields(part), random);
    else if (kind === 4) parts.splice(at, 0, Buffer.from(part));
    else if (kind === 5 && parts.length > 1) parts.splice(at, 1);
    else if (kind === 6) swap(parts, at, place(random, parts.length));
    else if (kind === 7) parts[at] = part.subarray(0, random.integer(part.length + 1));
    else if (kind === 8) parts.splice(at, 0, foreign(others, random));
    else if (part.length > 0) part[random.integer(part.length)]! ^= 1 + random.integer(255);
    const changed = parts[at];
    if (changed && random.integer(5) > 0) seal(changed);
  }
  return Buffer.concat(parts);
}

/** The headers in front are changed as often as all that follows them. */
function place(random: Random, length: number): number {
  return random.integer(2) ? random.integer(Math.min(4, length)) : random.integer(length);
}

function foreign(others: readonly Bytes[], random: Random): Bytes {
  const { parts } = layoutOf(others[random.integer(others.length)]!);
  return Buffer.from(parts[random.integer(parts.length)]!);
}

function swap(parts: Bytes[], first: number, second: number): void {
  [parts[first], parts[second]] = [parts[second]!, parts[first]!];
}

function changeField(part: Bytes, fields: readonly Field[], random: Random): void {
  const inside = fields.filter(({ at, bytes }) => at + bytes <= part.length);
  if (inside.length === 0) return;
  const { at, bytes, isBig } = inside[random.integer(inside.length)]!;
  const most = 2n ** BigInt(8 * bytes) - 1n;
  const old = readField(part, at, bytes, isBig);
  const values = [0n, 1n, most, most >> 1n, (most >> 1n) + 1n, old + 1n, old - 1n, old * 2n, old / 2n];
  const value = random.integer(3)
    ? values[random.integer(values.length)]!
    : BigInt(random.integer(2 ** 31)) * BigInt(random.integer(2 ** 31));
  writeField(part, at, bytes, value & most, isBig);
}

function readField(part: Bytes, at: number, bytes: number, isBig = false): bigint {
  const digits = [...part.subarray(at, at + bytes)];
  return (isBig ? digits : digits.reverse()).reduce((value, digit) => value * 256n + BigInt(digit), 0n);
}

function writeField(part: Bytes, at: number, bytes: number, value: bigint, isBig = false): void {
  for (let i = 0; i < bytes; i++)
    part[at + (isBig ? bytes - 1 - i : i)] = Number((value >> BigInt(8 * i)) & 255n);
}

function layoutOf(bytes: Bytes): Layout {
  const tag = leadingTagSize(bytes);
  if (tag > 0) {
    const { parts, ...rest } = layoutOf(bytes.subarray(tag));
    return { parts: [bytes.subarray(0, tag), ...parts], ...rest };
  }
  const magic = bytes.toString("latin1", 0, 4);
  if (magic === "RIFF") return wavLayout(bytes);
  if (magic === "fLaC") return flacLayout(bytes);
  if (magic === "OggS") return oggLayout(bytes);
  return magic === "\x1aE\xdf\xa3" ? webmLayout(bytes) : mp3Layout(bytes);
}

const little = (at: number, bytes: Field["bytes"]): Field => ({ at, bytes });
const big = (at: number, bytes: Field["bytes"]): Field => ({ at, bytes, isBig: true });

function wavLayout(bytes: Bytes): Layout {
  const parts = [bytes.subarray(0, 12)];
  for (let at = 12; at < bytes.length; at += parts.at(-1)!.length) {
    const size = bytes.readUInt32LE(at + 4);
    parts.push(bytes.subarray(at, at + 8 + size + (size & 1)));
  }
  const format = [8, 10, 22, 24, 26, 32].map((at) => little(at, 2));
  const fields = (part: Bytes) => [
    little(0, 4),
    little(4, 4),
    ...(part.toString("latin1", 0, 4) === "fmt " ? [...format, little(12, 4), little(16, 4)] : []),
  ];
  return { parts, fields, seal: () => {} };
}

function flacLayout(bytes: Bytes): Layout {
  const parts = [bytes.subarray(0, 4)];
  const begin = metadataEnd(bytes);
  for (let at = 4; at < begin; at += parts.at(-1)!.length)
    parts.push(bytes.subarray(at, at + 4 + (bytes.readUInt32BE(at) & 0xffffff)));
  for (const frame of splitFrames(bytes, begin).frames) parts.push(Buffer.from(frame.bytes));
  const info = [
    little(0, 1),
    big(0, 4),
    big(4, 2),
    big(6, 2),
    big(14, 4),
    big(16, 2),
    big(18, 4),
    big(22, 4),
  ];
  return {
    parts,
    fields: (part) => (part[0] === 0xff ? [1, 2, 3, 4, 5, 6].map((at) => little(at, 1)) : info),
    seal(part) {
      const header = part[0] === 0xff ? parseFrameHeader(resealed(part), 0) : undefined;
      if (!header || part.length < header.length + 2) return;
      part[header.length - 1] = crc8(part, 0, header.length - 1);
      part.writeUInt16BE(crc16(part, 0, part.length - 2), part.length - 2);
    },
  };
}

/** A frame's header whose checksum fits, wherever that is: it shows how long the header is. */
function resealed(part: Bytes): Bytes {
  for (let end = 5; end < Math.min(16, part.length); end++) {
    const copy = Buffer.from(part);
    copy[end] = crc8(copy, 0, end);
    if (parseFrameHeader(copy, 0)?.length === end + 1) return copy;
  }
  return part;
}

function oggLayout(bytes: Bytes): Layout {
  const parts: Bytes[] = [];
  for (let at = 0; at < bytes.length; at += parts.at(-1)!.length)
    parts.push(bytes.subarray(at, at + pageLength(bytes.subarray(at))));
  const header = [little(5, 1), little(6, 8), little(6, 4), little(14, 4), little(18, 4), little(26, 1)];
  // The codec's own header, and the first bytes of packets.
  const codec = [36, 37, 38, 39, 40, 44, 45, 46, 47, 56].map((at) => little(at, 1));
  return {
    parts,
    fields: () => [...header, little(27, 1), little(38, 2), little(40, 4), little(44, 2), ...codec],
    seal(part) {
      if (part.length < 27) return;
      part.writeUInt32LE(0, 22);
      part.writeUInt32LE(crc32(part), 22);
    },
  };
}

function mp3Layout(bytes: Bytes): Layout {
  const parts: Bytes[] = [];
  for (let at = 0; at < bytes.length; at += parts.at(-1)!.length) {
    const length = parseFrame(bytes, at)?.length ?? bytes.length - at;
    parts.push(bytes.subarray(at, at + length));
  }
  // The frame's header and side information; of the first one also the counts.
  const counts = [21, 25, 29, 33, 36, 40, 44, 156, 160].map((at) => big(at, 4));
  return {
    parts,
    fields: () => [little(1, 1), little(2, 1), little(3, 1), big(4, 2), big(6, 2), ...counts],
    seal: () => {},
  };
}

const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;

function webmLayout(bytes: Bytes): Layout {
  const parts: Bytes[] = [];
  for (let at = 0; at < bytes.length; at += parts.at(-1)!.length) {
    const idLength = Math.clz32(bytes[at]!) - 23;
    const id = bytes.readUIntBE(at, Math.min(idLength, 4));
    const sizeLength = Math.clz32(bytes[at + idLength]!) - 23;
    const size = readField(bytes, at + idLength, sizeLength, true) & (2n ** BigInt(7 * sizeLength) - 1n);
    const isEntered = id === SEGMENT || id === CLUSTER;
    parts.push(bytes.subarray(at, at + idLength + sizeLength + (isEntered ? 0 : Number(size))));
  }
  return { parts, fields: () => [0, 1, 2, 3, 4, 5, 6, 8, 10, 20].map((at) => little(at, 1)), seal: () => {} };
}
