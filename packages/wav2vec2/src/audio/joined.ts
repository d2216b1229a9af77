import { lengthOf } from "./join-in-turns.js";

/** Blocks of numbers, one behind the other. */
export function joined(blocks: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(lengthOf(blocks));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}
