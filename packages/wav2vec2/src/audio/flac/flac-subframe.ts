import { type FlacKernel, KERNEL_ORDER } from "./flac-kernel.js";

/** Reads a frame's bits, most significant first. Reading beyond the end throws a RangeError. */
export class BitReader {
  /** In bits from the beginning. */
  position = 0;
  readonly #view: DataView;

  constructor(readonly kernel: FlacKernel) {
    // Four bytes are always read at once.
    const { buffer, byteOffset, length } = kernel.bytes;
    this.#view = new DataView(buffer, byteOffset, length + 3);
  }

  /** An unsigned integer of up to 25 bits. */
  bits(count: number): number {
    if (count === 0) return 0;
    const word = this.#view.getInt32(this.position >> 3) << (this.position & 7);
    this.position += count;
    return word >>> (32 - count);
  }

  /** A two's complement integer of up to 25 bits. */
  signed(count: number): number {
    return count === 0 ? 0 : (this.bits(count) << (32 - count)) >> (32 - count);
  }

  /** The number of zeros before the next one, which is skipped too. */
  unary(): number {
    let zeros = 0;
    for (;;) {
      const word = this.#view.getInt32(this.position >> 3) << (this.position & 7);
      const found = Math.clz32(word);
      // The shift has brought in zeros that are none of the stream's.
      if (found < 25) {
        this.position += found + 1;
        return zeros + found;
      }
      zeros += 25;
      this.position += 25;
    }
  }

  /** Rice codes with this parameter, unfolded (0, -1, 1, -2, …), into out[from, to). */
  rice(parameter: number, out: Int32Array, from: number, to: number): void {
    this.position = this.kernel.rice(this.position, parameter, out, from, to);
  }
}

/**
 * Decodes one channel of a frame: https://www.rfc-editor.org/rfc/rfc9639#name-subframes.
 * @param out [block size], a block of the reader's frame: integers of `bits` bits
 * @param bits of a sample; one more than the stream's in a side channel, and 25 at most
 * @throws Error where the format forbids what is there
 */
export function decodeSubframe(reader: BitReader, out: Int32Array, bits: number): void {
  if (reader.bits(1) !== 0) throw new Error("a subframe begins with a one");
  const type = reader.bits(6);
  const wasted = reader.bits(1) === 1 ? reader.unary() + 1 : 0;
  const width = bits - wasted;
  if (width < 1) throw new Error("every bit of a subframe is wasted");
  if (type === 0) out.fill(reader.signed(width));
  else if (type === 1) for (let i = 0; i < out.length; i++) out[i] = reader.signed(width);
  else if (type >= 8 && type <= 12) decodeFixed(reader, out, width, type - 8);
  else if (type >= 32) decodeLinear(reader, out, width, type - 31);
  else throw new Error(`a subframe is of the reserved type ${type}`);
  if (wasted > 0) for (let i = 0; i < out.length; i++) out[i]! <<= wasted;
}

function decodeFixed(reader: BitReader, out: Int32Array, width: number, order: number): void {
  readWarmUp(reader, out, width, order);
  readResidual(reader, out, order);
  // Order n adds what n-fold differences took away, from the inside out.
  if (order === 1) for (let i = 1; i < out.length; i++) out[i]! += out[i - 1]!;
  else if (order === 2) for (let i = 2; i < out.length; i++) out[i]! += 2 * out[i - 1]! - out[i - 2]!;
  else if (order === 3)
    for (let i = 3; i < out.length; i++) out[i]! += 3 * (out[i - 1]! - out[i - 2]!) + out[i - 3]!;
  else if (order === 4)
    for (let i = 4; i < out.length; i++)
      out[i]! += 4 * (out[i - 1]! + out[i - 3]!) - 6 * out[i - 2]! - out[i - 4]!;
}

const MAX_ORDER = 32;
const coefficients = new Int32Array(MAX_ORDER);

function decodeLinear(reader: BitReader, out: Int32Array, width: number, order: number): void {
  readWarmUp(reader, out, width, order);
  const precision = reader.bits(4) + 1;
  if (precision === 16) throw new Error("a predictor has coefficients of a forbidden precision");
  const shift = reader.signed(5);
  if (shift < 0) throw new Error("a predictor has a negative shift");
  coefficients.fill(0);
  for (let j = 0; j < order; j++) coefficients[j] = reader.signed(precision);
  readResidual(reader, out, order);
  if (width + precision + Math.ceil(Math.log2(order)) > 32) predictWide(out, order, shift);
  else if (order <= KERNEL_ORDER) reader.kernel.predict(out, coefficients, order, shift);
  else predict(out, order, shift);
}

function readWarmUp(reader: BitReader, out: Int32Array, width: number, order: number): void {
  if (order > out.length) throw new Error("a predictor is longer than its block");
  for (let i = 0; i < order; i++) out[i] = reader.signed(width);
}

function readResidual(reader: BitReader, out: Int32Array, order: number): void {
  const method = reader.bits(2);
  if (method > 1) throw new Error("a residual is coded by a reserved method");
  const parameterBits = method === 0 ? 4 : 5;
  const escapeCode = method === 0 ? 15 : 31;
  const partitionOrder = reader.bits(4);
  const partitionLength = out.length >> partitionOrder;
  if (partitionLength << partitionOrder !== out.length || partitionLength < order)
    throw new Error("a residual has partitions that do not fit the block");
  for (let start = order, end = partitionLength; end <= out.length; start = end, end += partitionLength) {
    const parameter = reader.bits(parameterBits);
    if (parameter !== escapeCode) reader.rice(parameter, out, start, end);
    else {
      const width = reader.bits(5);
      for (let i = start; i < end; i++) out[i] = wideSigned(reader, width);
    }
  }
}

/** A two's complement integer of up to 31 bits. */
function wideSigned(reader: BitReader, count: number): number {
  if (count <= 25) return reader.signed(count);
  const upper = reader.signed(count - 16);
  return (upper << 16) | reader.bits(16);
}

// Predictors add sum(coefficients[j] * out[i - 1 - j]) >> shift to each residual. What encoders make of speech has up to
// 12 coefficients, for which the kernel is.

function predict(out: Int32Array, order: number, shift: number): void {
  for (let i = order; i < out.length; i++) {
    let sum = 0;
    for (let j = 0; j < order; j++) sum = (sum + Math.imul(coefficients[j]!, out[i - 1 - j]!)) | 0;
    out[i]! += sum >> shift;
  }
}

/** In float64, where sums of more than 32 bits are exact too: 25 + 15 + 5 bits at most. */
function predictWide(out: Int32Array, order: number, shift: number): void {
  const scale = 2 ** -shift;
  for (let i = order; i < out.length; i++) {
    let sum = 0;
    for (let j = 0; j < order; j++) sum += coefficients[j]! * out[i - 1 - j]!;
    out[i]! += Math.floor(sum * scale);
  }
}
