import { lengthOf } from "./join-in-turns.js";

/** Blocks of numbers, one behind the other. */
export function joined(blocks: readonly Float32Array[]): Float32Array {
  return joinInto(new Float32Array(lengthOf(blocks)), blocks);
}

/** The same of bytes. */
export function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  return joinInto(new Uint8Array(lengthOf(parts)), parts);
}

function joinInto<Numbers extends Uint8Array | Float32Array>(
  all: Numbers,
  blocks: readonly Numbers[],
): Numbers {
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}
