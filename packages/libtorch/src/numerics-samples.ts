// What the numerics check computes: every operator of scripts/operators.txt that calculates, one sample a line.
import { autocast } from "./autocast.js";
import {
  arange,
  cat,
  conv1d,
  cosineSimilarity,
  crossEntropyLoss,
  ctcLoss,
  dropout,
  embedding,
  full,
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
import { type Device, type Tensor, tensor } from "./tensor.js";

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
  ...["empty.memory_format", "empty_like", "zeros", "ones", "full", "eye", "arange.start_step"],
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
    return randperm(count, float64)
      .sub(Math.floor(count / 2))
      .reshape(shape);
  };
/** 0, 1 or 2: with ties and zeros. */
const ties =
  (...shape: number[]): Maker =>
  () =>
    randn(shape, float64).abs().clamp(0, 2).floor();

/** Of the tensors that a sample makes besides its inputs. */
let device: Device = "cpu";

/** Runs a sample whose inputs are on a device. */
export function runOn(where: Device, { run }: Sample, inputs: readonly Tensor[]): ReturnType<Sample["run"]> {
  device = where;
  try {
    return run(...inputs);
  } finally {
    device = "cpu";
  }
}

const integers = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  tensor(values, shape, { dtype: "int64", device });
const repeated = (count: number, shape: readonly number[] = [count]) =>
  integers(
    Array.from({ length: count }, (_, i) => i % 3),
    shape,
  );
const mask = (shape: readonly number[]) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(
    Uint8Array.from({ length: count }, (_, i) => Number((i * 7) % 5 < 2)),
    shape,
    { dtype: "bool", device },
  );
};

type Run = Sample["run"];
type Tolerances = Pick<Sample, "float32" | "bfloat16">;

const sample = (operator: string, makers: Maker[], run: Run, tolerances: Tolerances = {}): Sample => ({
  operator,
  inputs: () => makers.map((make) => make()),
  run,
  ...tolerances,
});

// Odd sizes, and one large enough for parallel and oneDNN kernels.
const SIZES: readonly number[][] = [[5], [3, 17], [4, 96, 101]];

const elementwise = (operator: string, run: Run, make = normal, tolerances: Tolerances = {}): Sample[] =>
  SIZES.map((size) => sample(operator, [make(...size)], run, tolerances));

const pairwise = (operator: string, run: Run, second = normal): Sample[] => [
  ...SIZES.map((size) => sample(operator, [normal(...size), second(...size)], run)),
  // A broadcast input's gradient is a sum, which 1.13 takes in bfloat16 for some strides.
  sample(operator, [normal(5, 33, 67), second(33, 1)], run, { bfloat16: 6e-2 }),
];

const comparison = (operator: string, run: Run): Sample[] => [
  sample(operator, [ties(3, 17), ties(3, 17)], run),
  sample(operator, [ties(5, 33, 67), ties(5, 33, 67)], run),
];

const inPlace = (operator: string, run: (x: Tensor, y: Tensor) => Tensor, second = normal): Sample[] => [
  sample(operator, [normal(3, 17), second(3, 17)], (x: Tensor, y: Tensor) => run(x.clone(), y)),
  sample(operator, [normal(4, 33, 67), second(4, 33, 67)], (x: Tensor, y: Tensor) => run(x.clone(), y)),
];

const ARITHMETIC: readonly Sample[] = [
  ...pairwise("add.Tensor", (x: Tensor, y: Tensor) => x.add(y, { alpha: 1.5 })),
  ...elementwise("add.Scalar", (x: Tensor) => x.add(1.5)),
  ...pairwise("sub.Tensor", (x: Tensor, y: Tensor) => x.sub(y, { alpha: 1.5 })),
  ...elementwise("sub.Scalar", (x: Tensor) => x.sub(1.5)),
  ...pairwise("mul.Tensor", (x: Tensor, y: Tensor) => x.mul(y)),
  ...elementwise("mul.Scalar", (x: Tensor) => x.mul(1.5)),
  ...pairwise("div.Tensor", (x: Tensor, y: Tensor) => x.div(y), positive),
  ...elementwise("div.Scalar", (x: Tensor) => x.div(1.5)),
  ...elementwise("pow.Tensor_Scalar", (x: Tensor) => x.pow(3)),
  ...elementwise("pow.Tensor_Scalar", (x: Tensor) => x.pow(1.7), positive),
  ...elementwise("neg", (x: Tensor) => x.neg()),
  ...elementwise("abs", (x: Tensor) => x.abs()),
  ...elementwise("exp", (x: Tensor) => x.exp()),
  ...elementwise("log", (x: Tensor) => x.log(), positive),
  ...elementwise("sqrt", (x: Tensor) => x.sqrt(), positive),
  ...elementwise("rsqrt", (x: Tensor) => x.rsqrt(), positive),
  ...elementwise("square", (x: Tensor) => x.square()),
  ...elementwise("reciprocal", (x: Tensor) => x.reciprocal(), positive),
  ...elementwise("floor", (x: Tensor) => x.floor()),
  ...elementwise("clamp", (x: Tensor) => x.clamp(-0.5, 1)),
  ...pairwise("maximum", (x: Tensor, y: Tensor) => x.maximum(y)),
  ...pairwise("minimum", (x: Tensor, y: Tensor) => x.minimum(y)),
  ...inPlace("add_.Tensor", (x, y) => x.add_(y, { alpha: 1.5 })),
  ...inPlace("add_.Scalar", (x) => x.add_(1.5)),
  ...inPlace("sub_.Tensor", (x, y) => x.sub_(y, { alpha: 1.5 })),
  ...inPlace("sub_.Scalar", (x) => x.sub_(1.5)),
  ...inPlace("mul_.Tensor", (x, y) => x.mul_(y)),
  ...inPlace("mul_.Scalar", (x) => x.mul_(1.5)),
  ...inPlace("div_.Tensor", (x, y) => x.div_(y), positive),
  ...inPlace("div_.Scalar", (x) => x.div_(1.5)),
  ...inPlace("addcmul_", (x, y) => x.addcmul_(y, y, { value: 0.5 })),
  ...inPlace("addcdiv_", (x, y) => x.addcdiv_(y.square(), y, { value: 0.5 }), positive),
  ...inPlace("lerp_.Scalar", (x, y) => x.lerp_(y, 0.3)),
  ...inPlace("lerp_.Tensor", (x, y) => x.lerp_(y, full([], 0.25, { dtype: x.dtype, device }))),
  ...elementwise("sqrt_", (x: Tensor) => x.clone().sqrt_(), positive),
  ...inPlace("zero_", (x, y) => x.zero_().add(y)),
  ...inPlace("fill_.Scalar", (x, y) => x.fill_(1.5).add(y)),
  ...inPlace("copy_", (x, y) => x.copy_(y)),
  ...inPlace("clamp_min_", (x) => x.clampMin_(0.25)),
];

const CHOICE: readonly Sample[] = [
  ...comparison("eq.Tensor", (x: Tensor, y: Tensor) => x.eq(y)),
  ...comparison("eq.Scalar", (x: Tensor) => x.eq(1)),
  ...comparison("ne.Tensor", (x: Tensor, y: Tensor) => x.ne(y)),
  ...comparison("ne.Scalar", (x: Tensor) => x.ne(1)),
  ...comparison("lt.Tensor", (x: Tensor, y: Tensor) => x.lt(y)),
  ...comparison("lt.Scalar", (x: Tensor) => x.lt(1)),
  ...comparison("le.Tensor", (x: Tensor, y: Tensor) => x.le(y)),
  ...comparison("le.Scalar", (x: Tensor) => x.le(1)),
  ...comparison("gt.Tensor", (x: Tensor, y: Tensor) => x.gt(y)),
  ...comparison("gt.Scalar", (x: Tensor) => x.gt(1)),
  ...comparison("ge.Tensor", (x: Tensor, y: Tensor) => x.ge(y)),
  ...comparison("ge.Scalar", (x: Tensor) => x.ge(1)),
  ...comparison("logical_not", (x: Tensor) => x.logicalNot()),
  ...comparison("logical_and", (x: Tensor, y: Tensor) => x.logicalAnd(y)),
  ...comparison("logical_or", (x: Tensor, y: Tensor) => x.logicalOr(y)),
  ...comparison("isnan", (x: Tensor, y: Tensor) => x.div(y).isnan()),
  ...comparison("isfinite", (x: Tensor, y: Tensor) => x.div(y).isfinite()),
  ...comparison("equal", (x: Tensor, y: Tensor) => tensor([Number(x.equal(y)), Number(x.equal(x.clone()))])),
  ...comparison("any", (x: Tensor) => stack([x.any(), x.gt(2).any()])),
  ...comparison("all", (x: Tensor) => stack([x.all(), x.le(2).all()])),
  ...pairwise("where.self", (x: Tensor, y: Tensor) => where(mask(x.shape), x, y)),
  ...elementwise("masked_fill.Scalar", (x: Tensor) => x.maskedFill(mask(x.shape), -1.5)),
  ...elementwise("masked_fill.Tensor", (x: Tensor) => x.maskedFill(mask(x.shape), x.detach().amax())),
  ...inPlace("masked_fill_.Scalar", (x) => x.maskedFill_(mask(x.shape), -1.5)),
  ...inPlace("masked_fill_.Tensor", (x, y) => x.maskedFill_(mask(x.shape), y.amax())),
];

const REDUCTION: readonly Sample[] = [
  ...elementwise("sum", (x: Tensor) => x.abs().sum()),
  ...elementwise("sum.dim_IntList", (x: Tensor) => [
    x.sum(0),
    x.sum(-1, true),
    x.sum(x.shape.map((_, i) => i)),
  ]),
  ...elementwise("mean", (x: Tensor) => x.abs().mean()),
  ...elementwise("mean.dim", (x: Tensor) => [x.mean(0), x.mean(-1, true)]),
  ...elementwise("amax", (x: Tensor) => [x.amax(), x.amax(-1)]),
  ...elementwise("amin", (x: Tensor) => [x.amin(), x.amin(0)]),
  sample("amax", [ties(5, 33)], (x: Tensor) => x.amax(-1)),
  sample("argmax", [distinct(13, 17)], (x: Tensor) => [x.argmax(), x.argmax(0), x.argmax(-1)]),
  ...[[33], [17, 67], [4, 96, 101]].map((size) =>
    sample("var.correction", [normal(...size)], (x: Tensor) => x.variance(-1, { correction: 1 })),
  ),
  ...elementwise(
    "linalg_vector_norm",
    (x: Tensor) => [x.norm(2), x.norm(2, -1, true), x.norm(1, 0)],
    positive,
    { bfloat16: 4e-2 }, // three gradients, each divided by a rounded norm
  ),
  ...elementwise("logsumexp", (x: Tensor) => x.logsumexp(-1)),
  ...elementwise("cumsum", (x: Tensor) => x.cumsum(-1)),
  ...elementwise("cumsum", (x: Tensor) => x.cumsum(0)),
  sample("topk", [distinct(13, 17)], (x: Tensor) => x.topk(5, 0)),
  sample("topk", [distinct(13, 17)], (x: Tensor) => x.topk(3)),
  sample("sort", [distinct(13, 17)], (x: Tensor) => x.sort(0)),
  sample("sort", [distinct(13, 17)], (x: Tensor) => x.sort(-1, true)),
];

const SHAPE: readonly Sample[] = [
  sample("reshape", [normal(6, 33, 4)], (x: Tensor) => x.reshape([11, -1])),
  sample("view", [normal(6, 33, 4)], (x: Tensor) => x.contiguous().view([8, 99])),
  sample("permute", [normal(3, 17, 33)], (x: Tensor) => x.permute([2, 0, 1])),
  sample("transpose.int", [normal(3, 17, 33)], (x: Tensor) => x.transpose(0, 2)),
  sample("unsqueeze", [normal(3, 17)], (x: Tensor) => x.unsqueeze(1)),
  sample("squeeze.dim", [normal(3, 1, 17)], (x: Tensor) => x.squeeze(1)),
  sample("expand", [normal(3, 1, 17)], (x: Tensor) => x.expand([5, -1, 33, -1])),
  sample("flatten.using_ints", [normal(3, 17, 5)], (x: Tensor) => x.flatten(1)),
  sample("narrow", [normal(3, 33, 5)], (x: Tensor) => x.narrow(1, 7, 17)),
  sample("select.int", [normal(3, 33, 5)], (x: Tensor) => x.select(1, -2)),
  sample("slice.Tensor", [normal(3, 33, 5)], (x: Tensor) => x.slice(1, 2, -3, 4)),
  sample("unfold", [normal(3, 67)], (x: Tensor) => x.unfold(-1, 10, 5)),
  sample("chunk", [normal(3, 33)], (x: Tensor) => x.chunk(4, 1)),
  sample("split.Tensor", [normal(3, 33)], (x: Tensor) => x.split(10, 1)),
  sample("unbind.int", [normal(3, 33)], (x: Tensor) => x.unbind(0)),
  sample("index_select", [normal(3, 33)], (x: Tensor) => x.indexSelect(1, integers([32, 0, 7, 7]))),
  sample("index_select", [normal(5, 17)], (x: Tensor) => x.indexSelect(0, repeated(2000))),
  sample("gather", [normal(3, 5)], (x: Tensor) => x.gather(1, integers([0, 4, 4, 1, 2, 2], [3, 2]))),
  sample("index.Tensor", [normal(5, 7, 3)], (x: Tensor) =>
    x.index([integers([4, 0, 4]), integers([6, 1, 6])]),
  ),
  sample("gather", [normal(17, 5)], (x: Tensor) => x.gather(1, repeated(34_000, [17, 2000]))),
  sample("index.Tensor", [normal(5, 17)], (x: Tensor) => x.index([repeated(2000)])),
  sample("index.Tensor", [normal(8, 67, 33)], (x: Tensor) => x.index([mask([8, 67])])),
  sample("index_put_", [normal(5, 7), normal(2, 7)], (x: Tensor, y: Tensor) =>
    x.clone().indexPut_([integers([4, 0])], y),
  ),
  sample("index_put_", [normal(8, 67, 33), normal(33)], (x: Tensor, y: Tensor) =>
    x.clone().indexPut_([mask([8, 67])], y),
  ),
  sample("contiguous", [normal(3, 17, 33)], (x: Tensor) => x.contiguous()),
  sample("clone", [normal(3, 17, 33)], (x: Tensor) => x.clone()),
  sample("detach", [normal(3, 17)], (x: Tensor) => x.detach()),
  sample("flip", [normal(3, 17, 33)], (x: Tensor) => x.flip([0, 2])),
  sample("cat", [normal(3, 5, 7), normal(3, 33, 7)], (x: Tensor, y: Tensor) => cat([x, y, x], 1)),
  sample("stack", [normal(3, 17), normal(3, 17)], (x: Tensor, y: Tensor) => stack([x, y], 1)),
  sample("constant_pad_nd", [normal(3, 17, 33)], (x: Tensor) => x.pad([1, 2, 3, 0], 1.5)),
  sample("to.dtype_layout", [normal(3, 17, 33)], (x: Tensor) => x.to({ dtype: "float32" })),
  sample("one_hot", [ties(3, 17)], (x: Tensor) => x.detach().to({ dtype: "int64" }).oneHot(3)),
  sample("zeros_like", [normal(3, 17, 5)], (x: Tensor) => x.add(zerosLike(x))),
  sample("ones_like", [normal(3, 17, 5)], (x: Tensor) => x.add(onesLike(x))),
];

// As in training: float32 parameters, results and products in bfloat16.
const underAutocast = (operator: string, makers: Maker[], run: (...inputs: Tensor[]) => Tensor): Sample =>
  sample(operator, makers, (...inputs) => autocast({ device }, () => run(...inputs)), { float32: 2e-2 });

const matmul = (...shapes: [number[], number[]]): Sample =>
  sample("matmul", [normal(...shapes[0]), normal(...shapes[1])], (x: Tensor, y: Tensor) => x.matmul(y));

const LINEAR_ALGEBRA: readonly Sample[] = [
  matmul([17], [17]),
  matmul([33, 17], [17]),
  matmul([3, 17, 33], [33, 67]),
  matmul([3, 17, 33], [3, 33, 5]),
  matmul([2, 3, 33, 16], [2, 3, 16, 33]),
  matmul([2, 65, 129], [129, 65]),
  sample("mm", [normal(1, 33), normal(33, 17)], (x: Tensor, y: Tensor) => x.mm(y)),
  sample("mm", [normal(129, 67), normal(67, 65)], (x: Tensor, y: Tensor) => x.mm(y)),
  sample("bmm", [normal(5, 17, 33), normal(5, 33, 67)], (x: Tensor, y: Tensor) => x.bmm(y)),
  sample(
    "baddbmm",
    [normal(5, 1, 67), normal(5, 17, 33), normal(5, 33, 67)],
    (x: Tensor, y: Tensor, z: Tensor) => x.baddbmm(y, z, { beta: 0.5, alpha: 2 }),
  ),
  sample("addmm", [normal(67), normal(17, 33), normal(33, 67)], (x: Tensor, y: Tensor, z: Tensor) =>
    x.addmm(y, z, { beta: 0.5, alpha: 2 }),
  ),
  sample("linear", [normal(3, 17, 33), normal(67, 33), normal(67)], linear),
  sample("linear", [normal(8, 101, 33), normal(65, 33), normal(65)], linear),
  sample("linear", [normal(33, 17), normal(1, 17)], linear),
  underAutocast("linear", [normal(2000, 33), normal(17, 33), normal(17)], linear),
  underAutocast("matmul", [normal(2, 17, 33), normal(2, 33, 67)], (x: Tensor, y: Tensor) => x.matmul(y)),
];

const convolution = (
  shapes: [number[], number[]],
  options: { stride?: number; padding?: number; groups?: number; bias?: boolean } = {},
): Sample => {
  const { stride = 1, padding = 0, groups = 1, bias = true } = options;
  const makers = [normal(...shapes[0]), normal(...shapes[1]), ...(bias ? [normal(shapes[1][0]!)] : [])];
  return sample("conv1d", makers, (x: Tensor, weight: Tensor, b?: Tensor) =>
    conv1d(x, weight, b, stride, padding, 1, groups),
  );
};

const normalised = (size: number, ...leading: number[]): Sample =>
  sample(
    "layer_norm",
    [normal(...leading, size), normal(size), normal(size)],
    (x: Tensor, weight: Tensor, bias: Tensor) => layerNorm(x, [size], weight, bias),
  );

const grouped = (groups: number, ...shape: [number, number, number]): Sample =>
  sample(
    "group_norm",
    [normal(...shape), normal(shape[1]), normal(shape[1])],
    (x: Tensor, weight: Tensor, bias: Tensor) => groupNorm(x, groups, weight, bias),
  );

const single = (x: Tensor) => (x.dtype === "bfloat16" ? x.to({ dtype: "float32" }) : x);

const logProbabilities =
  (...shape: number[]): Maker =>
  () =>
    randn(shape, float64).logSoftmax(-1);

// Its gradients are exponentials of sums over all frames: log-probabilities of -200 keep 5 digits in float32.
const lossOfAlignments = (shape: number[], run: Run): Sample =>
  sample("ctc_loss.IntList", [logProbabilities(...shape)], run, { float32: 2e-4 });

const NETWORK: readonly Sample[] = [
  convolution(
    [
      [2, 1, 401],
      [33, 1, 10],
    ],
    { stride: 5, bias: false },
  ),
  convolution(
    [
      [2, 33, 67],
      [17, 33, 3],
    ],
    { stride: 2 },
  ),
  convolution(
    [
      [3, 32, 201],
      [32, 32, 3],
    ],
    { stride: 2, bias: false },
  ),
  convolution(
    [
      [2, 64, 49],
      [64, 4, 128],
    ],
    { padding: 64, groups: 16 },
  ),
  // Few channels and many taps, of even and odd numbers: kernels of their own.
  convolution(
    [
      [2, 12, 49],
      [5, 12, 8],
    ],
    { padding: 4 },
  ),
  convolution(
    [
      [2, 48, 67],
      [48, 3, 31],
    ],
    { padding: 15, groups: 16 },
  ),
  convolution([
    [1, 5, 17],
    [3, 5, 1],
  ]),
  normalised(17, 3, 5),
  normalised(96, 8, 201),
  normalised(3, 5),
  sample(
    "layer_norm",
    [normal(1600, 17), normal(17), normal(17)],
    (x: Tensor, weight: Tensor, bias: Tensor) => layerNorm(x, [17], single(weight), single(bias)),
  ),
  grouped(33, 3, 33, 67),
  grouped(5, 2, 15, 17),
  grouped(64, 4, 64, 401),
  sample("embedding", [normal(33, 17)], (x: Tensor) => embedding(x, integers([3, 32, 3, 0, 5, 5], [2, 3]))),
  sample("embedding", [normal(5, 17)], (x: Tensor) => embedding(x, repeated(2000))),
  // Kept elements are doubled, also in the gradient; what was dropped is put back here.
  ...elementwise("dropout", (x: Tensor) => {
    const kept = dropout(x, 0.5, true);
    return where(kept.ne(0), kept, x.mul(2));
  }),
  ...elementwise("gelu", (x: Tensor) => x.gelu()),
  ...elementwise("gelu", (x: Tensor) => x.gelu({ approximate: "tanh" })),
  ...elementwise("relu", (x: Tensor) => x.relu()),
  sample("glu", [normal(3, 34)], (x: Tensor) => x.glu()),
  sample("glu", [normal(8, 96, 201)], (x: Tensor) => x.glu(1)),
  ...elementwise("tanh", (x: Tensor) => x.tanh()),
  ...elementwise("sigmoid", (x: Tensor) => x.sigmoid()),
  ...elementwise("softmax.int", (x: Tensor) => x.softmax(-1)),
  ...elementwise("softmax.int", (x: Tensor) => x.softmax(0)),
  ...elementwise("log_softmax.int", (x: Tensor) => x.logSoftmax(-1)),
  ...elementwise("log_softmax.int", (x: Tensor) => x.logSoftmax(0)),
  lossOfAlignments([33, 3, 17], (x: Tensor) =>
    ctcLoss(x, integers([1, 2, 2, 5, 3, 16, 4]), [33, 20, 7], [4, 2, 1], 0, 0),
  ),
  lossOfAlignments([67, 2, 32], (x: Tensor) =>
    ctcLoss(x, integers([1, 2, 2, 31, 5, 5, 7, 0], [2, 4]), [67, 33], [4, 3], 0, 1, true),
  ),
  sample("nll_loss", [logProbabilities(17, 33)], (x: Tensor) =>
    nllLoss(x, arange(0, 17, 1, { dtype: "int64", device }), undefined, 2),
  ),
  sample("cross_entropy_loss", [normal(17, 33)], (x: Tensor) =>
    crossEntropyLoss(x, arange(0, 17, 1, { dtype: "int64", device }), undefined, 0),
  ),
  sample("cross_entropy_loss", [normal(201, 101)], (x: Tensor) =>
    crossEntropyLoss(x, integers(Array(201).fill(0)), undefined, 2),
  ),
  sample("cosine_similarity", [normal(5, 1, 33), normal(5, 17, 33)], (x: Tensor, y: Tensor) =>
    cosineSimilarity(x, y, -1),
  ),
  sample(
    "scaled_dot_product_attention",
    [normal(2, 3, 33, 16), normal(2, 3, 33, 16), normal(2, 3, 33, 16)],
    (q, k, v) => scaledDotProductAttention(q!, k!, v!),
  ),
  sample(
    "scaled_dot_product_attention",
    [normal(2, 4, 65, 24), normal(2, 4, 65, 24), normal(2, 4, 65, 24)],
    (q, k, v) => scaledDotProductAttention(q!, k!, v!, mask([2, 1, 1, 65])),
  ),
  sample("_weight_norm", [normal(33, 17, 5), positive(33, 1, 1)], (v: Tensor, g: Tensor) =>
    weightNorm(v, g, 0),
  ),
  sample("_weight_norm", [normal(64, 4, 128), positive(1, 1, 128)], (v: Tensor, g: Tensor) =>
    weightNorm(v, g, 2),
  ),
  sample("_weight_norm", [normal(5, 17, 3), positive(1, 17, 1)], (v: Tensor, g: Tensor) =>
    weightNorm(v, g, 1),
  ),
];

export const SAMPLES: readonly Sample[] = [
  ...ARITHMETIC,
  ...CHOICE,
  ...REDUCTION,
  ...SHAPE,
  ...LINEAR_ALGEBRA,
  ...NETWORK,
];
