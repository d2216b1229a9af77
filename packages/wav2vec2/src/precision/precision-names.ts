import { choice, type Kind } from "../argument-kinds.js";

// Apart from what loads libtorch.

/** Number formats of matrix products and convolutions; everything else, weights among it, is in float32. */
export const PRECISIONS = ["float32", "bfloat16", "float16"] as const;

export type Precision = (typeof PRECISIONS)[number];

/** `auto` is the faster one of float32 and bfloat16 on the device that computes. */
export const WANTED_PRECISIONS = ["auto", ...PRECISIONS] as const;

export type WantedPrecision = (typeof WANTED_PRECISIONS)[number];

export const PRECISION: Kind = choice(...WANTED_PRECISIONS);
