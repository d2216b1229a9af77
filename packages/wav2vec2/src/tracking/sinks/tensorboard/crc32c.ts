import { reflectedCrc32 } from "../../../files/crc32.js";

/** CRC-32C: Castagnoli's polynomial (RFC 3720, appendix B.4). */
export const crc32c = reflectedCrc32(0x82f63b78);
