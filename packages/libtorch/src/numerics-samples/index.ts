// What the numerics check computes: every operator of scripts/operators.txt that calculates, one sample a line.
import { ARITHMETIC, CHOICE } from "./arithmetic.js";
import { LINEAR_ALGEBRA } from "./linear-algebra.js";
import type { Sample } from "./makers.js";
import { NETWORK } from "./network.js";
import { REDUCTION } from "./reduction.js";
import { SHAPE } from "./shape.js";

export { runOn, type Sample } from "./makers.js";

/** Operators that calculate nothing that float64 could tell wrong: fresh memory, constants, random numbers. */
export const NOT_NUMERIC: readonly string[] = [
  ...["bernoulli_.float", "uniform_", "normal_", "randperm", "rand", "randn", "multinomial"],
  ...["rand_like", "randn_like", "linspace"],
  ...["empty.memory_format", "empty_like", "zeros", "ones", "full", "eye", "arange.start_step"],
];

export const SAMPLES: readonly Sample[] = [
  ...ARITHMETIC,
  ...CHOICE,
  ...REDUCTION,
  ...SHAPE,
  ...LINEAR_ALGEBRA,
  ...NETWORK,
];
