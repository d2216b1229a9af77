import { createHash as create } from "node:crypto";

/** Takes in bytes bit by bit. */
export interface Hash {
  update(bytes: Uint8Array): Hash;
  digest(): Uint8Array;
}

export function createHash(algorithm: "md5" | "sha256"): Hash {
  return create(algorithm);
}
