/** Reads a frame's bits, most significant first. Reading beyond the end throws a RangeError. */
export class BitReader {
  /** In bits from the beginning. */
  position = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    // Four bytes are always read at once: three more than there are must be there.
    const { buffer, byteOffset, length } = bytes;
    if (byteOffset + length + 3 <= buffer.byteLength)
      this.#view = new DataView(buffer, byteOffset, length + 3);
    else {
      const padded = new Uint8Array(length + 3);
      padded.set(bytes);
      this.#view = new DataView(padded.buffer);
    }
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
    const view = this.#view;
    let position = this.position;
    for (let i = from; i < to; i++) {
      const word = view.getInt32(position >> 3) << (position & 7);
      const zeros = Math.clz32(word);
      let folded: number;
      if (zeros + 1 + parameter <= 25) {
        // Two shifts, because a shift by 32 is none.
        folded = (zeros << parameter) | ((((word << zeros) << 1) >>> 1) >>> (31 - parameter));
        position += zeros + 1 + parameter;
      } else {
        this.position = position;
        const high = this.unary();
        const upper = parameter > 16 ? this.bits(parameter - 16) : 0;
        const lower = this.bits(Math.min(parameter, 16));
        folded = (high << parameter) | (upper << 16) | lower;
        position = this.position;
      }
      out[i] = (folded >>> 1) ^ -(folded & 1);
    }
    this.position = position;
  }
}

/**
 * Decodes one channel of a frame: https://www.rfc-editor.org/rfc/rfc9639#name-subframes.
 * @param out [block size], integers of `bits` bits
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
  else if (order <= 8) predict8(out, order, shift);
  else if (order <= 12) predict12(out, order, shift);
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

// Predictors add sum(coefficients[j] * out[i - 1 - j]) >> shift to each residual. Those of up to 8 and up to 12
// coefficients, which encoders make of speech, keep all they need in registers; the missing coefficients are 0.

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

function predict8(out: Int32Array, order: number, shift: number): void {
  const c = coefficients;
  const [c0, c1, c2, c3] = [c[0]!, c[1]!, c[2]!, c[3]!];
  const [c4, c5, c6, c7] = [c[4]!, c[5]!, c[6]!, c[7]!];
  const past = (j: number) => (order >= j ? out[order - j]! : 0);
  let [h0, h1, h2, h3] = [past(1), past(2), past(3), past(4)];
  let [h4, h5, h6, h7] = [past(5), past(6), past(7), past(8)];
  for (let i = order; i < out.length; i++) {
    const a = (Math.imul(c0, h0) + Math.imul(c1, h1) + Math.imul(c2, h2) + Math.imul(c3, h3)) | 0;
    const b = (Math.imul(c4, h4) + Math.imul(c5, h5) + Math.imul(c6, h6) + Math.imul(c7, h7)) | 0;
    h7 = h6;
    h6 = h5;
    h5 = h4;
    h4 = h3;
    h3 = h2;
    h2 = h1;
    h1 = h0;
    h0 = (out[i]! + (((a + b) | 0) >> shift)) | 0;
    out[i] = h0;
  }
}

function predict12(out: Int32Array, order: number, shift: number): void {
  const c = coefficients;
  const [c0, c1, c2, c3] = [c[0]!, c[1]!, c[2]!, c[3]!];
  const [c4, c5, c6, c7] = [c[4]!, c[5]!, c[6]!, c[7]!];
  const [c8, c9, c10, c11] = [c[8]!, c[9]!, c[10]!, c[11]!];
  const past = (j: number) => (order >= j ? out[order - j]! : 0);
  let [h0, h1, h2, h3] = [past(1), past(2), past(3), past(4)];
  let [h4, h5, h6, h7] = [past(5), past(6), past(7), past(8)];
  let [h8, h9, h10, h11] = [past(9), past(10), past(11), past(12)];
  for (let i = order; i < out.length; i++) {
    const a = (Math.imul(c0, h0) + Math.imul(c1, h1) + Math.imul(c2, h2) + Math.imul(c3, h3)) | 0;
    const b = (Math.imul(c4, h4) + Math.imul(c5, h5) + Math.imul(c6, h6) + Math.imul(c7, h7)) | 0;
    const c = (Math.imul(c8, h8) + Math.imul(c9, h9) + Math.imul(c10, h10) + Math.imul(c11, h11)) | 0;
    h11 = h10;
    h10 = h9;
    h9 = h8;
    h8 = h7;
    h7 = h6;
    h6 = h5;
    h5 = h4;
    h4 = h3;
    h3 = h2;
    h2 = h1;
    h1 = h0;
    h0 = (out[i]! + (((a + b + c) | 0) >> shift)) | 0;
    out[i] = h0;
  }
}
