// Inputs of the samples, and samples of one kind.
import { randn, randperm } from "../operators/operators.generated.js";
import { type Device, type Tensor, tensor } from "../tensors/tensor.js";

export type Maker = () => Tensor;

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

export const float64 = { dtype: "float64" } as const;
export const normal =
  (...shape: number[]): Maker =>
  () =>
    randn(shape, float64);
/** At least 0.2, for logarithms, roots and divisors. */
export const positive =
  (...shape: number[]): Maker =>
  () =>
    randn(shape, float64).abs().add(0.2);
/** Whole numbers in random order, all different and exact in bfloat16: at most 256 elements. */
export const distinct =
  (...shape: number[]): Maker =>
  () => {
    const count = shape.reduce((product, size) => product * size, 1);
    return randperm(count, float64)
      .sub(Math.floor(count / 2))
      .reshape(shape);
  };
/** 0, 1 or 2: with ties and zeros. */
export const ties =
  (...shape: number[]): Maker =>
  () =>
    randn(shape, float64).abs().clamp(0, 2).floor();

/** Of the tensors that a sample makes besides its inputs. */
export let device: Device = "cpu";

/** Runs a sample whose inputs are on a device. */
export function runOn(where: Device, { run }: Sample, inputs: readonly Tensor[]): ReturnType<Sample["run"]> {
  device = where;
  try {
    return run(...inputs);
  } finally {
    device = "cpu";
  }
}

export const integers = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  tensor(values, shape, { dtype: "int64", device });
export const repeated = (count: number, shape: readonly number[] = [count]) =>
  integers(
    Array.from({ length: count }, (_, i) => i % 3),
    shape,
  );
export const mask = (shape: readonly number[]) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(
    Uint8Array.from({ length: count }, (_, i) => Number((i * 7) % 5 < 2)),
    shape,
    { dtype: "bool", device },
  );
};

export type Run = Sample["run"];
export type Tolerances = Pick<Sample, "float32" | "bfloat16">;

export const sample = (operator: string, makers: Maker[], run: Run, tolerances: Tolerances = {}): Sample => ({
  operator,
  inputs: () => makers.map((make) => make()),
  run,
  ...tolerances,
});

// Odd sizes, and one large enough for parallel and oneDNN kernels.
export const SIZES: readonly number[][] = [[5], [3, 17], [4, 96, 101]];

export const elementwise = (
  operator: string,
  run: Run,
  make = normal,
  tolerances: Tolerances = {},
): Sample[] => SIZES.map((size) => sample(operator, [make(...size)], run, tolerances));

export const pairwise = (operator: string, run: Run, second = normal): Sample[] => [
  ...SIZES.map((size) => sample(operator, [normal(...size), second(...size)], run)),
  // A broadcast input's gradient is a sum, which 1.13 takes in bfloat16 for some strides.
  sample(operator, [normal(5, 33, 67), second(33, 1)], run, { bfloat16: 6e-2 }),
];

/** One size, for operators that no model here trains with. */
export const once = (
  operator: string,
  run: Run,
  makers: readonly (typeof normal)[] = [normal],
  tolerances: Tolerances = {},
): Sample =>
  sample(
    operator,
    makers.map((make) => make(5, 33, 7)),
    run,
    tolerances,
  );

export const comparison = (operator: string, run: Run): Sample[] => [
  sample(operator, [ties(3, 17), ties(3, 17)], run),
  sample(operator, [ties(5, 33, 67), ties(5, 33, 67)], run),
];

export const inPlace = (
  operator: string,
  run: (x: Tensor, y: Tensor) => Tensor,
  second = normal,
): Sample[] => [
  sample(operator, [normal(3, 17), second(3, 17)], (x: Tensor, y: Tensor) => run(x.clone(), y)),
  sample(operator, [normal(4, 33, 67), second(4, 33, 67)], (x: Tensor, y: Tensor) => run(x.clone(), y)),
];

export const single = (x: Tensor) => (x.dtype === "bfloat16" ? x.to({ dtype: "float32" }) : x);

export const logProbabilities =
  (...shape: number[]): Maker =>
  () =>
    randn(shape, float64).logSoftmax(-1);
