import { createHash, type Hash } from "#platform/hash";
import { turn } from "#platform/turn";
import { crc16 } from "./crc.js";
import { type FlacFrame, type FlacFrameHeader, largestFrame } from "./flac-frames.js";
import { FlacKernel } from "./flac-kernel.js";
import { BitReader, decodeSubframe } from "./flac-subframe.js";

/** What a stream's header says of all its frames. */
export interface FlacFormat {
  channels: number;
  /** 24 at most. */
  bitsPerSample: number;
}

// How the two channels of a frame with one of these channel codes are coded; below, they are independent.
const LEFT_SIDE = 8;
const SIDE_RIGHT = 9;
const MID_SIDE = 10;

/** Frames, of mostly 4,096 samples, that are decoded before the event loop has its turn. */
const FRAMES_A_TURN = 8;

const SAMPLE_BITS = [0, 8, 12, 0, 16, 20, 24, 32]; // by the header's code; 0: as the stream's header says

/**
 * Decodes frames whose checksums were found to be right. Written out here because libFLAC compiled to WebAssembly is
 * not faster in the end: it gives floats, to be turned back into integers, refuses frames that do not begin with the
 * file's first, and holds what it read of a bad one against the next file.
 * @returns channelData [channels][samples], exactly integers / 2^(bits-1), and the MD5 of the integers as FLAC wants it:
 * interleaved, little-endian, in whole bytes
 * @throws Error where the format forbids what is there
 */
export async function decodeFrames(
  frames: readonly FlacFrame[],
  format: FlacFormat,
): Promise<{ channelData: Float32Array[]; md5: Uint8Array }> {
  const length = frames.reduce((sum, { header }) => sum + header.blockSize, 0);
  const channelData = Array.from({ length: format.channels }, () => new Float32Array(length));
  const decoder = new FlacDecoder(format);
  let start = 0;
  for (const [i, frame] of frames.entries()) {
    if (i > 0 && i % FRAMES_A_TURN === 0) await turn();
    decoder.decode(frame, channelData, start);
    start += frame.header.blockSize;
  }
  return { channelData, md5: decoder.md5() };
}

/** Decodes frames one after the other, as `decodeFrames` does all. */
export class FlacDecoder {
  readonly #bitsPerSample: number;
  readonly #channels: number;
  readonly #pcm: PcmHash;

  constructor({ channels, bitsPerSample }: FlacFormat) {
    this.#bitsPerSample = bitsPerSample;
    this.#channels = channels;
    this.#pcm = new PcmHash(Math.ceil(bitsPerSample / 8));
  }

  /**
   * @param out [channels][samples], written from `start` on
   * @throws Error where the format forbids what is there
   */
  decode({ bytes, header }: FlacFrame, out: Float32Array[], start: number): void {
    const kernel = new FlacKernel(bytes, this.#channels, header.blockSize);
    decodeFrame(kernel, header.length, this.#bitsPerSample);
    this.#pcm.update(kernel.blocks);
    const scale = 2 ** (1 - this.#bitsPerSample);
    for (const [channel, samples] of kernel.blocks.entries())
      out[channel]!.set(kernel.scaled(samples, scale), start);
  }

  /** Of all that was decoded; the decoder has done its work then. */
  md5(): Uint8Array {
    return this.#pcm.digest();
  }
}

/**
 * Where the frame at the beginning of some bytes ends, by its content: of the last one nothing else tells it where tags
 * follow.
 * @returns undefined where there is no whole frame, or its checksum is wrong
 */
export function frameEnd(bytes: Uint8Array, header: FlacFrameHeader, format: FlacFormat): number | undefined {
  try {
    const end = contentEnd(bytes, header, format);
    return end <= bytes.length && crc16(bytes, 0, end) === 0 ? end : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where the frame at the beginning of some bytes says that it ends, checksum included, right or not.
 * @returns more than there are bytes, where it ends behind them
 * @throws RangeError where it goes on far behind them
 * @throws Error where the format forbids what is there
 */
export function contentEnd(
  bytes: Uint8Array,
  { blockSize, length }: FlacFrameHeader,
  format: FlacFormat,
): number {
  const { channels, bitsPerSample } = format;
  const frame = bytes.subarray(0, largestFrame(format));
  return decodeSubframes(new FlacKernel(frame, channels, blockSize), length, bitsPerSample) + 2;
}

function decodeFrame(kernel: FlacKernel, headerLength: number, bits: number): void {
  const { blocks, bytes } = kernel;
  if (decodeSubframes(kernel, headerLength, bits) !== bytes.length - 2)
    throw new Error("a frame's content does not fill it");
  const channelCode = bytes[3]! >> 4;
  if (channelCode >= LEFT_SIDE) toLeftAndRight(blocks[0]!, blocks[1]!, channelCode);
}

/** @returns where the frame's checksum begins */
function decodeSubframes(kernel: FlacKernel, headerLength: number, bits: number): number {
  const { blocks, bytes } = kernel;
  const channelCode = bytes[3]! >> 4;
  const channels = channelCode < LEFT_SIDE ? channelCode + 1 : 2;
  const sampleBits = SAMPLE_BITS[(bytes[3]! >> 1) & 7]! || bits;
  if (channelCode > MID_SIDE || channels !== blocks.length || sampleBits !== bits)
    throw new Error("a frame has other channels or bits a sample than the file's header says");
  const reader = new BitReader(kernel);
  reader.position = headerLength * 8;
  for (const [channel, block] of blocks.entries()) {
    const isSide = channelCode === SIDE_RIGHT ? channel === 0 : channelCode >= LEFT_SIDE && channel === 1;
    decodeSubframe(reader, block, isSide ? bits + 1 : bits);
  }
  return Math.ceil(reader.position / 8);
}

function toLeftAndRight(first: Int32Array, second: Int32Array, channelCode: number): void {
  for (let i = 0; i < first.length; i++) {
    const [a, b] = [first[i]!, second[i]!];
    if (channelCode === LEFT_SIDE) second[i] = a - b;
    else if (channelCode === SIDE_RIGHT) first[i] = a + b;
    else {
      const doubled = 2 * a + (b & 1); // the middle's lowest bit is the side's
      first[i] = (doubled + b) >> 1;
      second[i] = (doubled - b) >> 1;
    }
  }
}

/** The MD5 of blocks of samples. */
class PcmHash {
  readonly #hash: Hash = createHash("md5");
  #pcm = new Uint8Array(0);

  constructor(readonly sampleBytes: number) {}

  update(block: Int32Array[]): void {
    const length = block[0]!.length;
    const { sampleBytes } = this;
    const size = length * block.length * sampleBytes;
    if (this.#pcm.length < size) this.#pcm = new Uint8Array(size);
    if (sampleBytes === 2) {
      const pcm = new Int16Array(this.#pcm.buffer);
      if (block.length === 1) pcm.set(block[0]!);
      else
        for (const [channel, samples] of block.entries())
          for (let i = 0, at = channel; i < length; i++, at += block.length) pcm[at] = samples[i]!;
    } else {
      const pcm = this.#pcm;
      for (const [channel, samples] of block.entries())
        for (let byte = 0; byte < sampleBytes; byte++)
          for (
            let i = 0, at = channel * sampleBytes + byte;
            i < length;
            i++, at += block.length * sampleBytes
          )
            pcm[at] = samples[i]! >> (8 * byte);
    }
    this.#hash.update(this.#pcm.subarray(0, size));
  }

  digest(): Uint8Array {
    return this.#hash.digest();
  }
}
