// Checksums of FLAC (RFC 9639, sections 9.1.8 and 9.3) and Ogg (RFC 3533, section 6): most significant bit first,
// initial value 0, nothing inverted.

function table(width: 8 | 16 | 32, polynomial: number): Uint32Array {
  const mask = width === 32 ? 0xffffffff : (1 << width) - 1;
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte << (width - 8);
    for (let bit = 0; bit < 8; bit++)
      remainder = (remainder >>> (width - 1)) & 1 ? (remainder << 1) ^ polynomial : remainder << 1;
    return remainder & mask;
  });
}

const TABLE_8 = table(8, 0x07);
const TABLE_32 = table(32, 0x04c11db7);

// SLICES[k][b] is the CRC-16 of byte b followed by k zero bytes: eight bytes are taken at once ("slicing-by-8",
// Kounavis & Berry 2005), which is several times faster than one by one.
const SLICES: Uint16Array[] = [Uint16Array.from(table(16, 0x8005))];
for (let k = 1; k < 8; k++)
  SLICES.push(SLICES[k - 1]!.map((crc) => ((crc << 8) & 0xffff) ^ SLICES[0]![crc >> 8]!));
const [S0, S1, S2, S3, S4, S5, S6, S7] = SLICES as [
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
  Uint16Array,
];

/** FLAC's CRC-8 of bytes[start, end). */
export function crc8(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let checksum = 0;
  for (let i = start; i < end; i++) checksum = TABLE_8[checksum ^ bytes[i]!]!;
  return checksum;
}

/** FLAC's CRC-16 of what `checksum` covers, followed by bytes[start, end). */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length, checksum = 0): number {
  let crc = checksum;
  let i = start;
  for (; i + 8 <= end; i += 8)
    crc =
      S7[(crc >> 8) ^ bytes[i]!]! ^
      S6[(crc & 255) ^ bytes[i + 1]!]! ^
      S5[bytes[i + 2]!]! ^
      S4[bytes[i + 3]!]! ^
      S3[bytes[i + 4]!]! ^
      S2[bytes[i + 5]!]! ^
      S1[bytes[i + 6]!]! ^
      S0[bytes[i + 7]!]!;
  for (; i < end; i++) crc = ((crc << 8) & 0xffff) ^ S0[(crc >> 8) ^ bytes[i]!]!;
  return crc;
}

/** Ogg's CRC-32 of what `checksum` covers, followed by bytes[start, end). */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length, checksum = 0): number {
  let crc = checksum;
  for (let i = start; i < end; i++) crc = (crc << 8) ^ TABLE_32[(crc >>> 24) ^ bytes[i]!]!;
  return crc >>> 0;
}

/** The CRC-16 by which LAME and FFmpeg seal an MP3 file's counts: FLAC's polynomial, least significant bit first. */
export function crc16Reflected(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) {
    crc ^= bytes[i]!;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}
