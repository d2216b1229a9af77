import type { Dtype } from "./dtypes.js";

/** How the weights of a matrix product are kept. */
export type Quantization = "int8" | "q4";

/** In which numbers a network computes. */
export interface NumberFormat {
  /** Whether convolutions and products are in half precision. Norms, softmax and sums stay in float32. */
  half: boolean;
  /** How a matrix product is quantised, by its layer's name; undefined where it is not. */
  quantizationOf(layer: string): Quantization | undefined;
}

export const FLOAT32: NumberFormat = { half: false, quantizationOf: () => undefined };

/** What is quantised: together all but all of the weights, and not the few at both ends, on which all others rest. */
const QUANTIZED = /^encoder\.layers\./;

/**
 * @param keeps whether a layer stays in float32 although layers of its kind are quantised
 */
export function formatOf(dtype: Dtype, keeps: (layer: string) => boolean = () => false): NumberFormat {
  const quantization = quantizationOf(dtype);
  return {
    half: dtype === "float16",
    quantizationOf: (layer) => (QUANTIZED.test(layer) && !keeps(layer) ? quantization : undefined),
  };
}

/** Undefined where a file's numbers are all real ones. */
export function quantizationOf(dtype: Dtype): Quantization | undefined {
  if (dtype === "int8" || dtype === "q8") return "int8";
  return dtype === "q4" ? "q4" : undefined;
}
