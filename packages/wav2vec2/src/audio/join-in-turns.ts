import { turn } from "#platform/turn";

/** Numbers that are copied before the event loop has its turn. */
const SLICE = 2 ** 18;

/**
 * Writes parts one behind the other; the event loop has its turn in between.
 *
 * @param target as long as all of them
 */
export async function joinInTurns<Numbers extends Uint8Array | Float32Array>(
  parts: Iterable<Numbers>,
  target: Numbers,
): Promise<Numbers> {
  let place = 0;
  let sinceTurn = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += SLICE) {
      const slice = part.subarray(at, at + SLICE);
      if (sinceTurn + slice.length > SLICE) {
        await turn();
        sinceTurn = 0;
      }
      target.set(slice, place);
      place += slice.length;
      sinceTurn += slice.length;
    }
  }
  return target;
}

/** How many numbers all parts hold. */
export function lengthOf(parts: readonly { length: number }[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
