// FLAC's checksums, most significant bit first, initial value 0: RFC 9639, sections 9.1.8 and 9.3.

function table(width: 8 | 16, polynomial: number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte << (width - 8);
    for (let bit = 0; bit < 8; bit++)
      remainder = (remainder >> (width - 1)) & 1 ? (remainder << 1) ^ polynomial : remainder << 1;
    return remainder & (2 ** width - 1);
  });
}

const TABLE_8 = table(8, 0x07);
const TABLE_16 = table(16, 0x8005);

export function crc8(bytes: Uint8Array): number {
  let checksum = 0;
  for (let i = 0; i < bytes.length; i++) checksum = TABLE_8[checksum ^ bytes[i]!]!;
  return checksum;
}

export function crc16(bytes: Uint8Array): number {
  let checksum = 0;
  for (let i = 0; i < bytes.length; i++) checksum = crc16Next(checksum, bytes[i]!);
  return checksum;
}

/** The CRC-16 of what `checksum` covers, followed by `byte`. */
export function crc16Next(checksum: number, byte: number): number {
  return ((checksum << 8) & 0xffff) ^ TABLE_16[(checksum >> 8) ^ byte]!;
}
