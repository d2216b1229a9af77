import { md5 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** Takes in bytes bit by bit. */
export interface Hash {
  update(bytes: Uint8Array): Hash;
  digest(): Uint8Array;
}

// The browser's own knows no MD5, takes all bytes at once, and is there on secure addresses alone.
export function createHash(algorithm: "md5" | "sha256"): Hash {
  return algorithm === "md5" ? md5.create() : sha256.create();
}
