import type { Tensor } from "@wav2vec2/libtorch";
import type { Graph, Value } from "../graph.js";
import { TYPES } from "../messages.js";

/**
 * Weights take 7 of the 8 bits. Processors with AVX2 and without VNNI add two products of a byte without sign and one with it in 16
 * bits, which hold 255 * 64 * 2 and not 255 * 127 * 2: of larger weights, results would be wrong there without a word.
 */
const LARGEST = 64;

/**
 * x W^T in whole numbers of 8 bits, by the standard's operators, which onnxruntime joins to one when it loads them: the input is
 * quantised as it comes, to the range of all its values, and each row of W to the range of its own.
 *
 * @param weight [out, in]
 * @returns without bias
 */
export function int8Product(graph: Graph, x: Value, weight: Tensor): Value {
  const [out, width] = weight.shape as [number, number];
  const scale = weight.abs().amax([1], true).clamp(1e-30).div(LARGEST); // [out, 1]
  const whole = weight.div(scale).round().transpose(0, 1); // [in, out]
  const [quantized, inputScale, inputZero] = graph.nodes("DynamicQuantizeLinear", [x], 3);
  const kernel = graph.constant("bytes", "int8", [width, out], signedBytes(whole));
  const sums = graph.node("MatMulInteger", [quantized!, kernel, inputZero!]);
  const product = graph.node("Cast", [sums], { to: TYPES.float32 });
  const factors = graph.node("Mul", [inputScale!, graph.weight(scale.reshape([out]))]); // [out]
  return graph.node("Mul", [product, factors]);
}

/** Whole numbers from -128 to 127 as bytes in two's complement. */
function signedBytes(values: Tensor): Uint8Array {
  return new Uint8Array(Int8Array.from(values.toFloat32Array()).buffer);
}
