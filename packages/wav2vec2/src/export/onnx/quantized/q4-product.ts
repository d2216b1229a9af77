import { scope, type Tensor, where, zeros } from "@wav2vec2/libtorch";
import type { Graph, Value } from "../graph.js";

/** Weights of a row that share a scale: what kernels for processors and GPUs both have. */
const BLOCK = 32;
const BITS = 4;
/** Whole numbers go from -8 to 7 and stand in the file with this added. */
const MIDDLE = 8;
/** Inputs are quantised to 8 bits, block by block, where the processor is faster so. */
const INPUT_IN_INT8 = 4;

/**
 * x W^T with weights of 4 bits in blocks of 32 by onnxruntime's MatMulNBits, which runs on processors, in WebAssembly and on GPUs by
 * WebGPU. Where rows are no multiple of a block, the last is filled with zeros.
 *
 * @param weight [out, in]
 * @returns without bias
 */
export function q4Product(graph: Graph, x: Value, weight: Tensor): Value {
  const [out, width] = weight.shape as [number, number];
  const blocks = Math.ceil(width / BLOCK);
  const padded = zeros([out, blocks * BLOCK]);
  padded.narrow(1, 0, width).copy_(weight);
  const { values, scales } = quantizeBlocks(padded.reshape([out, blocks, BLOCK]));
  const inputs = [
    x,
    graph.constant("blocks", "uint8", [out, blocks, BLOCK / 2], pairs(values)),
    graph.weight(scales.reshape([out * blocks])),
  ];
  return graph.microsoftNode("MatMulNBits", inputs, {
    K: width,
    N: out,
    bits: BITS,
    block_size: BLOCK,
    accuracy_level: INPUT_IN_INT8,
  });
}

/** Of two neighbours the first is in the lower half of a byte. */
function pairs(values: Tensor): Uint8Array {
  const [out, blocks] = values.shape as [number, number];
  const apart = values.reshape([out, blocks, BLOCK / 2, 2]);
  const bytes = apart.select(3, 0).add(apart.select(3, 1).mul(16)); // [out, blocks, 16]
  return bytes.to({ dtype: "uint8" }).toBytes();
}

/** Of the scale that holds a block's largest number. */
const SHARES = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 1.05, 1.1];

interface Candidate {
  /** [out, blocks, 32], around 0 */
  values: Tensor;
  /** [out, blocks, 1] */
  scales: Tensor;
  /** Sum of squares, [out, blocks, 1] */
  error: Tensor;
}

/**
 * The scale of each block that gives the least squared error, of some: the one that holds its largest number, and smaller ones,
 * which cut it off and keep the others better. Whole numbers reach one further below zero than above it, so the largest is put
 * there.
 *
 * @param blocks [out, blocks, 32]
 * @returns whole numbers from 0 to 15, in float32, [out, blocks, 32], and scales [out, blocks, 1]
 */
function quantizeBlocks(blocks: Tensor): { values: Tensor; scales: Tensor } {
  const high = blocks.amax([2], true); // [out, blocks, 1]
  const low = blocks.amin([2], true);
  const extreme = where(high.gt(low.neg()), high, low);
  const candidate = (share: number): Candidate => {
    const exact = extreme.mul(-share / MIDDLE);
    const scales = where(exact.ne(0), exact, exact.add(1)); // a block of zeros
    const values = blocks
      .div(scales)
      .round()
      .clamp(-MIDDLE, MIDDLE - 1);
    return { values, scales, error: values.mul(scales).sub(blocks).square().sum([2], true) };
  };
  let best: Candidate | undefined;
  for (const share of SHARES) {
    const last = best;
    best = scope(() => better(last, candidate(share)));
  }
  return { values: best!.values.add(MIDDLE), scales: best!.scales };
}

/** Block by block. */
function better(one: Candidate | undefined, other: Candidate): Candidate {
  if (!one) return other;
  const isLess = other.error.lt(one.error);
  const choose = (name: keyof Candidate) => where(isLess, other[name], one[name]);
  return { values: choose("values"), scales: choose("scales"), error: choose("error") };
}
