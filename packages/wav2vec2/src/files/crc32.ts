/**
 * A checksum of 32 bits that begins at the least significant bit, with everything inverted before and behind.
 *
 * @param polynomial its bits in that order
 */
export function reflectedCrc32(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++)
      remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
    return remainder;
  });
  return (bytes) => {
    let remainder = 0xffffffff;
    for (const byte of bytes) remainder = (remainder >>> 8) ^ table[(remainder ^ byte) & 0xff]!;
    return ~remainder >>> 0;
  };
}

/** That of PNG, ZIP and Ethernet, which unlike Ogg's begins at the least significant bit; Node's own is not in every version 20. */
export const crc32 = reflectedCrc32(0xedb88320);
