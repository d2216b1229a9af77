import { nearest } from "@wav2vec2/libtorch/nearest";
import { ConfigurationError } from "../../errors.js";

/**
 * Numbers that a network's file can be in. `int8` and `q8` hold the same: Hugging Face's programs look for 8 bits under either name.
 */
export const DTYPES = ["float32", "float16", "int8", "q8", "q4"] as const;
export type Dtype = (typeof DTYPES)[number];

/** As transformers.js calls them, and what it calls the files (`onnx/model_quantized.onnx`). */
const NAMES: Readonly<Record<Dtype, { short: string; ending: string }>> = {
  float32: { short: "fp32", ending: "" },
  float16: { short: "fp16", ending: "_fp16" },
  int8: { short: "int8", ending: "_int8" },
  q8: { short: "q8", ending: "_quantized" },
  q4: { short: "q4", ending: "_q4" },
};

/** Which file is taken where nobody says: by what it loses, and on processors float16 is the slowest. */
export const PREFERRED: readonly Dtype[] = ["float32", "int8", "q8", "q4", "float16"];

/** @throws ConfigurationError that names what there is */
export function dtypeNamed(name: string): Dtype {
  const known = DTYPES.find((dtype) => dtype === name || NAMES[dtype].short === name);
  if (known) return known;
  const names = [...DTYPES, "fp32", "fp16"];
  const meant = nearest(name, names);
  throw new ConfigurationError(
    `dtype must be one of ${names.join(", ")}, but is ${name}.${meant === undefined ? "" : ` Did you mean ${meant}?`}`,
  );
}

/** transformers.js' name. */
export function shortName(dtype: Dtype): string {
  return NAMES[dtype].short;
}

/** The file of the network below a directory, with slashes. */
export function networkFile(dtype: Dtype): string {
  return `onnx/model${NAMES[dtype].ending}.onnx`;
}
