import { FLAC } from "../../kernels/flac.generated.js";
import { instantiate } from "../../kernels/instantiate.js";

/** kernels/flac.ts; addresses in bytes. */
interface Kernel {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  rice(bytes: number, position: number, limit: number, parameter: number, out: number, end: number): number;
  predict(out: number, end: number, order: number, coefficients: number, shift: number): void;
  scaled(out: number, end: number, scale: number): void;
}

const PAGE = 2 ** 16; // bytes
const WORD = 16; // bytes that the kernel reads or writes at once, and to which all begin
export const KERNEL_ORDER = 12;
const BLOCKS = KERNEL_ORDER * 4; // behind the coefficients

let kernel: Kernel | undefined;

/** A frame in the kernel's memory, until the next one is there: its bytes, its samples as integers. */
export class FlacKernel {
  /** Followed by zeros. */
  readonly bytes: Uint8Array;
  /** [channels][block size] */
  readonly blocks: Int32Array[];
  readonly #kernel: Kernel;

  constructor(frame: Uint8Array, channels: number, blockSize: number) {
    kernel ??= instantiate<Kernel>(FLAC);
    this.#kernel = kernel;
    const { memory } = kernel;
    const stride = WORD * Math.ceil((blockSize * 4) / WORD);
    const begin = BLOCKS + channels * stride;
    const end = begin + frame.length + WORD;
    const pages = Math.ceil((end - memory.buffer.byteLength) / PAGE);
    if (pages > 0) memory.grow(pages);
    this.blocks = Array.from(
      { length: channels },
      (_, channel) => new Int32Array(memory.buffer, BLOCKS + channel * stride, blockSize),
    );
    const room = new Uint8Array(memory.buffer, begin, frame.length + WORD);
    room.set(frame);
    room.fill(0, frame.length);
    this.bytes = room.subarray(0, frame.length);
  }

  /**
   * Rice codes with this parameter, unfolded, into out[from, to) of a block.
   * @param position in the frame, in bits
   * @returns the position behind them
   * @throws RangeError where the frame ends before
   */
  rice(position: number, parameter: number, out: Int32Array, from: number, to: number): number {
    const { byteOffset, length } = this.bytes;
    const start = out.byteOffset;
    const end = this.#kernel.rice(
      byteOffset,
      position,
      length * 8,
      parameter,
      start + 4 * from,
      start + 4 * to,
    );
    if (end < 0) throw new RangeError("a frame ends within its samples");
    return end;
  }

  /** Adds a prediction by up to `KERNEL_ORDER` coefficients to each residual of a block. */
  predict(out: Int32Array, coefficients: Int32Array, order: number, shift: number): void {
    new Int32Array(this.#kernel.memory.buffer, 0, KERNEL_ORDER).set(coefficients.subarray(0, KERNEL_ORDER));
    this.#kernel.predict(out.byteOffset, out.byteOffset + out.byteLength, order, 0, shift);
  }

  /** @returns the block as float32, multiplied, in its place */
  scaled(out: Int32Array, scale: number): Float32Array {
    this.#kernel.scaled(out.byteOffset, out.byteOffset + out.byteLength, scale);
    return new Float32Array(out.buffer, out.byteOffset, out.length);
  }
}
