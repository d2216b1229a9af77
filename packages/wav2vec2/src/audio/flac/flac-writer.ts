import { createHash } from "node:crypto";
import { requireArguments, whole } from "../../argument-kinds.js";
import { describeType } from "../../describe-type.js";
import { wrongType } from "../../errors.js";
import { toInt16 } from "../wav/int16.js";
import { crc8, crc16 } from "./crc.js";

// https://www.rfc-editor.org/rfc/rfc9639
const BLOCK_SIZE = 4096;
const PARTITION_ORDER = 4;
const MAX_FIXED_ORDER = 4;
const MAX_RICE_PARAMETER = 14; // 15 is the escape code

/**
 * Encodes 16-bit mono FLAC: fixed predictors with Rice-coded residuals, losslessly.
 * @param samples full scale [-1, 1] (rounded to integers / 32768 and clipped), or 16-bit integers
 * @param sampleRate Hz, an integer from 1 to 65535. Default: 16,000
 * @throws UserError on a sample that is not finite
 * @throws ConfigurationError on a rate out of range
 */
export function encodeFlac(samples: Float32Array | Int16Array, sampleRate = 16000): Uint8Array {
  if (!(samples instanceof Float32Array || samples instanceof Int16Array))
    throw wrongType(`samples must be a Float32Array or an Int16Array, but are ${describeType(samples)}.`);
  requireArguments("encodeFlac", { sampleRate: [sampleRate, whole(1, 65535)] });
  const pcm = samples instanceof Int16Array ? samples : toInt16(samples);
  const frames: Uint8Array[] = [];
  for (let start = 0; start < pcm.length; start += BLOCK_SIZE)
    frames.push(encodeFrame(pcm.subarray(start, start + BLOCK_SIZE), frames.length, sampleRate));

  const out = new BitWriter();
  out.bytes(new TextEncoder().encode("fLaC"));
  out.bits(0x80, 8); // last metadata block, type STREAMINFO
  out.bits(34, 24);
  out.bits(BLOCK_SIZE, 16);
  out.bits(BLOCK_SIZE, 16);
  out.bits(0, 24); // smallest and largest frame: not said
  out.bits(0, 24);
  out.bits(sampleRate, 20);
  out.bits(0, 3); // channels - 1
  out.bits(15, 5); // bits a sample - 1
  out.bits(Math.floor(pcm.length / 2 ** 32), 4);
  out.bits(pcm.length, 32);
  out.bytes(createHash("md5").update(littleEndian(pcm)).digest());
  for (const frame of frames) out.bytes(frame);
  return out.finish();
}

function littleEndian(pcm: Int16Array): Uint8Array {
  const bytes = new Uint8Array(pcm.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < pcm.length; i++) view.setInt16(i * 2, pcm[i]!, true);
  return bytes;
}

function encodeFrame(block: Int16Array, number: number, sampleRate: number): Uint8Array {
  const out = new BitWriter();
  out.bits(0b111111111111100, 15); // sync code
  out.bits(0, 1); // fixed block size
  out.bits(0b0111, 4); // block size - 1 follows in 16 bits
  out.bits(0b1101, 4); // sample rate in Hz follows in 16 bits
  out.bits(0, 4); // mono
  out.bits(0b100, 3); // 16 bits a sample
  out.bits(0, 1);
  out.bytes(codedNumber(number));
  out.bits(block.length - 1, 16);
  out.bits(sampleRate, 16);
  out.bits(crc8(out.finish()), 8);
  encodeSubframe(out, block);
  out.align();
  out.bits(crc16(out.finish()), 16);
  return out.finish();
}

function encodeSubframe(out: BitWriter, block: Int16Array): void {
  if (block.every((sample) => sample === block[0])) {
    out.bits(0b00000000, 8); // constant
    out.bits(block[0]!, 16);
    return;
  }
  const { order, residual } = bestFixedPredictor(block);
  const partitionOrder = block.length === BLOCK_SIZE ? PARTITION_ORDER : 0;
  const partitionLength = block.length >> partitionOrder;
  const partitions: { values: Uint32Array; parameter: number; cost: number }[] = [];
  for (let end = partitionLength; end <= block.length; end += partitionLength) {
    const values = residual.subarray(Math.max(0, end - partitionLength - order), end - order);
    partitions.push({ values, ...bestRiceParameter(values) });
  }
  const cost = partitions.reduce((sum, partition) => sum + 4 + partition.cost, 6 + order * 16);
  if (cost >= block.length * 16) {
    out.bits(0b00000010, 8); // verbatim
    for (const sample of block) out.bits(sample, 16);
    return;
  }
  out.bits(0b00010000 | (order << 1), 8); // fixed predictor of this order
  for (const sample of block.subarray(0, order)) out.bits(sample, 16);
  out.bits(0, 2); // Rice parameters of 4 bits
  out.bits(partitionOrder, 4);
  for (const { values, parameter } of partitions) {
    out.bits(parameter, 4);
    for (const value of values) {
      out.zeros(value >>> parameter);
      out.bits(1, 1);
      out.bits(value, parameter);
    }
  }
}

/** The fixed predictor whose residual is smallest, with its residual folded to 0, -1, 1, -2, … = 0, 1, 2, 3, … */
function bestFixedPredictor(block: Int16Array): { order: number; residual: Uint32Array } {
  let order = 0;
  let best = Int32Array.from(block);
  let bestSum = sumMagnitudes(best);
  let differences = best;
  for (let candidate = 1; candidate <= Math.min(MAX_FIXED_ORDER, block.length - 1); candidate++) {
    const lower = differences;
    differences = new Int32Array(lower.length - 1);
    for (let i = 0; i < differences.length; i++) differences[i] = lower[i + 1]! - lower[i]!;
    const sum = sumMagnitudes(differences);
    if (sum < bestSum) [order, best, bestSum] = [candidate, differences, sum];
  }
  const residual = new Uint32Array(best.length);
  for (let i = 0; i < best.length; i++) residual[i] = best[i]! < 0 ? -2 * best[i]! - 1 : 2 * best[i]!;
  return { order, residual };
}

function sumMagnitudes(values: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!);
  return sum;
}

function bestRiceParameter(values: Uint32Array): { parameter: number; cost: number } {
  let best = { parameter: 0, cost: Number.POSITIVE_INFINITY };
  for (let parameter = 0; parameter <= MAX_RICE_PARAMETER; parameter++) {
    let cost = values.length * (1 + parameter);
    for (let i = 0; i < values.length; i++) cost += values[i]! >>> parameter;
    if (cost > best.cost) break; // the cost has one valley
    best = { parameter, cost };
  }
  return best;
}

/** The frame number in UTF-8's scheme, extended to 31 bits. */
function codedNumber(number: number): Uint8Array {
  if (number < 0x80) return Uint8Array.of(number);
  const tail: number[] = [];
  let rest = number;
  for (let leadBits = 6; rest >= 2 ** leadBits || tail.length === 0; leadBits--) {
    tail.unshift(0x80 | (rest & 0x3f));
    rest >>>= 6;
  }
  return Uint8Array.of(((0xff00 >> (tail.length + 1)) & 0xff) | rest, ...tail);
}

/** Appends bits, most significant first. */
class BitWriter {
  #buffer = new Uint8Array(1024);
  #bitLength = 0;

  #reserve(bits: number): void {
    const needed = (this.#bitLength + bits + 7) >> 3;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer);
    this.#buffer = grown;
  }

  /** The low `count` bits of `value`, count <= 32. */
  bits(value: number, count: number): void {
    this.#reserve(count);
    for (let left = count; left > 0; ) {
      const free = 8 - (this.#bitLength & 7);
      const take = Math.min(free, left);
      const chunk = (value >>> (left - take)) & ((1 << take) - 1);
      this.#buffer[this.#bitLength >> 3]! |= chunk << (free - take);
      this.#bitLength += take;
      left -= take;
    }
  }

  zeros(count: number): void {
    this.#reserve(count);
    this.#bitLength += count;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length * 8);
    this.#buffer.set(bytes, this.#bitLength >> 3);
    this.#bitLength += bytes.length * 8;
  }

  align(): void {
    this.zeros(-this.#bitLength & 7);
  }

  /** What was written so far; whole bytes only. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#bitLength >> 3);
  }
}
