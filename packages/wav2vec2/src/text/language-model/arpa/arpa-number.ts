import { latin1 } from "../../../latin1.js";

const [PLUS, MINUS, POINT, ZERO, NINE] = [0x2b, 0x2d, 0x2e, 0x30, 0x39] as const;
const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITY = /^[+-]?inf(inity)?$/i;

/**
 * The decimal number in bytes[start, end), exactly as `Number` reads it but without making a string of the usual ones;
 * NaN where it is none, infinities as SRILM and others spell them.
 */
export function readNumber(bytes: Uint8Array, start: number, end: number): number {
  const sign = bytes[start];
  let at = sign === MINUS || sign === PLUS ? start + 1 : start;
  let digits = 0; // all of them, as one whole number
  let count = 0;
  let decimals = -1;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= ZERO && byte <= NINE) {
      digits = 10 * digits + byte - ZERO;
      count++;
      if (decimals >= 0) decimals++;
    } else if (byte === POINT && decimals < 0) decimals = 0;
    else break;
  }
  // Up to 15 digits and their power of ten are exact in a double, so that their quotient is rounded once.
  if (at === end && count > 0 && count <= 15) {
    const value = decimals > 0 ? digits / POWERS[decimals]! : digits;
    return sign === MINUS ? -value : value;
  }
  const text = latin1(bytes.subarray(start, end));
  if (NUMBER.test(text)) return Number(text);
  if (INFINITY.test(text)) return sign === MINUS ? -Infinity : Infinity;
  return NaN;
}

/** The decimal number of fewest digits, six at least, that a float32 reads as `value`, itself one. */
export function shortestFloat32(value: number): string {
  const size = Math.abs(value);
  if (size >= 0.1 && size < 100) {
    // Digits behind the point that make six; quotients of whole numbers and powers of ten are rounded once.
    for (let digits = size >= 10 ? 4 : size >= 1 ? 5 : 6; digits <= 9; digits++) {
      const power = POWERS[digits]!;
      const shorter = Math.round(value * power) / power;
      if (Math.fround(shorter) === value) return String(shorter);
    }
  }
  for (const digits of [6, 7, 8]) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return String(shorter);
  }
  return String(Number(value.toPrecision(9))); // enough for every float32
}
