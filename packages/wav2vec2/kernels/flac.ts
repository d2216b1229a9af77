// AssemblyScript, compiled by scripts/kernels.mjs: where the time of decoding FLAC goes. Addresses are in bytes, samples
// are integers of 32 bits, which also hold the residuals they are predicted from.

/** What one load surely gives from any bit on. */
const WORD: u32 = 57;

/** The bits from a position on, most significant first. A shuffle turns the bytes around; there is no instruction for it. */
function bitsAt(bytes: usize, position: u32): u64 {
  const loaded = v128.load64_zero(bytes + (position >> 3));
  const turned = i8x16.shuffle(loaded, loaded, 7, 6, 5, 4, 3, 2, 1, 0, 8, 9, 10, 11, 12, 13, 14, 15);
  return (<u64>i64x2.extract_lane(turned, 0)) << (position & 7);
}

/**
 * Rice codes with this parameter, unfolded (0, -1, 1, -2, …). One load serves all codes that lie within it.
 * @param position of the first code, in bits
 * @param limit position at which no code may begin
 * @param out address of the first result
 * @param end address behind the last
 * @returns the position behind the codes; -1 where they go beyond the limit
 */
export function rice(bytes: usize, position: u32, limit: u32, parameter: u32, out: usize, end: usize): i32 {
  while (out < end) {
    if (position >= limit) return -1;
    let word = bitsAt(bytes, position);
    const begin = position;
    const full = position + WORD;
    while (out < end) {
      const zeros = <u32>clz(word);
      const next = position + zeros + 1 + parameter;
      if (next > full) break;
      word = (word << zeros) << 1;
      // Two shifts, because a shift by 64 is none.
      const folded = (zeros << parameter) | <u32>((word >> 1) >> (63 - parameter));
      word <<= parameter;
      position = next;
      store<u32>(out, (folded >> 1) ^ -(folded & 1));
      out += 4;
    }
    if (position > begin || out >= end) continue;
    // A code that is longer than what one load gives.
    let zeros: u32 = 0;
    for (let more: u32 = WORD; more === WORD; zeros += more, position += more) {
      if (position >= limit) return -1;
      more = min(<u32>clz(bitsAt(bytes, position)), WORD);
    }
    const lower = bitsAt(bytes, ++position);
    position += parameter;
    const folded = (zeros << parameter) | <u32>((lower >> 1) >> (63 - parameter));
    store<u32>(out, (folded >> 1) ^ -(folded & 1));
    out += 4;
  }
  return position;
}

/**
 * Adds (sum(coefficients[j] * out[i - 1 - j]) >> shift) to each residual. The sums of the next twelve samples are kept:
 * each sample, once known, is multiplied by all coefficients at once.
 * @param out the first `order` samples, and residuals up to `end`
 * @param order 12 at most
 * @param coefficients [12], those behind the order 0
 */
export function predict(out: usize, end: usize, order: i32, coefficients: usize, shift: i32): void {
  const zero = i32x4.splat(0);
  const c0 = v128.load(coefficients);
  const c1 = v128.load(coefficients, 16);
  const c2 = v128.load(coefficients, 32);
  let s0 = zero;
  let s1 = zero;
  let s2 = zero;
  const first = out + ((<usize>order) << 2);
  for (; out < end; out += 4) {
    let sample = v128.load32_zero(out);
    if (out >= first) {
      sample = i32x4.add(sample, i32x4.shr_s(s0, shift));
      v128.store32_lane(out, sample, 0);
    }
    sample = i32x4.shuffle(sample, sample, 0, 0, 0, 0);
    s0 = i32x4.add(i32x4.shuffle(s0, s1, 1, 2, 3, 4), i32x4.mul(sample, c0));
    s1 = i32x4.add(i32x4.shuffle(s1, s2, 1, 2, 3, 4), i32x4.mul(sample, c1));
    s2 = i32x4.add(i32x4.shuffle(s2, zero, 1, 2, 3, 4), i32x4.mul(sample, c2));
  }
}

/** Turns integers into float32, in place, and multiplies them; some behind the end too. */
export function scaled(out: usize, end: usize, scale: f32): void {
  const factor = f32x4.splat(scale);
  for (; out < end; out += 16) v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(v128.load(out)), factor));
}
