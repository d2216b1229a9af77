// What the numerics check computes: every operator of scripts/operators.txt that calculates, one sample a line.
import {
  arange,
  cat,
  conv1d,
  cosineSimilarity,
  crossEntropyLoss,
  ctcLoss,
  dropout,
  embedding,
  groupNorm,
  layerNorm,
  linear,
  nllLoss,
  onesLike,
  randn,
  randperm,
  scaledDotProductAttention,
  stack,
  weightNorm,
  where,
  zerosLike,
} from "./operators.generated.js";
import { type Tensor, tensor } from "./tensor.js";

type Maker = () => Tensor;

/** One operator on one set of inputs; `float32` and `bfloat16` are tolerances where the usual ones do not fit. */
export interface Sample {
  /** As in `OPERATORS`, for example "add.Tensor". */
  readonly operator: string;
  /** Fresh contiguous float64 inputs. */
  readonly inputs: () => Tensor[];
  readonly run: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  readonly float32?: number;
  readonly bfloat16?: number;
}

/** Operators that calculate nothing that float64 could tell wrong: fresh memory, constants, random numbers. */
export const NOT_NUMERIC: readonly string[] = [
  ...["bernoulli_.float", "uniform_", "normal_", "randperm", "rand", "randn"],
  ...["empty.memory_format", "empty_like", "zeros", "ones", "eye", "arange.start_step"],
];

const float64 = { dtype: "float64" } as const;
const normal =
  (...shape: number[]): Maker =>
  () =>
    randn(shape, float64);
/** At least 0.2, for logarithms, roots and divisors. */
const positive =
  (...shape: number[]): Maker =>
  () =>
    randn(shape, float64).abs().add(0.2);
/** Whole numbers in random order, all different and exact in bfloat16: at most 256 elements. */
const distinct =
  (...shape: number[]): Maker =>
  () => {
    const count = shape.reduce((product, size) => product * size, 1);
    return randperm(count, float64).sub(Math.floor(count / 2)).reshape(shape);
  };
/** 0, 1 or 2: with ties and zeros. */
const ties =
  (...shape: number[]): Maker =>
  () =>
    randn(shape, float64).abs().clamp(0, 2).floor();

const integers = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  tensor(values, shape, { dtype: "int64" });
const alternating = (like: Tensor) =>
  arange(0, like.numel).reshape(like.shape).to({ dtype: "int32" }).mul(7).gt(integers([3 * like.numel]));

type Run = Sample["run"];
type Tolerances = Pick<Sample, "float32" | "bfloat16">;

const sample = (operator: string, makers: Maker[], run: Run, tolerances: Tolerances = {}): Sample => ({
  operator,
  inputs: () => makers.map((make) => make()),
  run,
  ...tolerances,
});

// One element, odd sizes, and one large enough for parallel and oneDNN kernels.
const SIZES: readonly number[][] = [[1], [3, 17], [2, 33, 67], [8, 96, 201]];

const elementwise = (operator: string, run: Run, make = normal): Sample[] =>
  SIZES.map((size) => sample(operator, [make(...size)], run));

const pairwise = (operator: string, run: Run, second = normal): Sample[] => [
  ...SIZES.map((size) => sample(operator, [normal(...size), second(...size)], run)),
  sample(operator, [normal(5, 33, 67), second(33, 1)], run),
];

const comparison = (operator: string, run: Run): Sample[] => [
  sample(operator, [ties(3, 17), ties(3, 17)], run),
  sample(operator, [ties(5, 33, 67), ties(5, 33, 67)], run),
];

const inPlace = (operator: string, run: (x: Tensor, y: Tensor) => Tensor, second = normal): Sample[] => [
  sample(operator, [normal(3, 17), second(3, 17)], (x, y) => run(x!.clone(), y!)),
  sample(operator, [normal(4, 33, 67), second(4, 33, 67)], (x, y) => run(x!.clone(), y!)),
];
