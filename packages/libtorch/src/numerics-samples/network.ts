import {
  adaptiveAvgPool1d,
  arange,
  avgPool1d,
  batchNorm,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  conv1d,
  conv2d,
  convTranspose1d,
  cosineSimilarity,
  crossEntropyLoss,
  ctcLoss,
  dropout,
  embedding,
  groupNorm,
  huberLoss,
  klDiv,
  l1Loss,
  layerNorm,
  maxPool1d,
  mseLoss,
  nllLoss,
  ones,
  scaledDotProductAttention,
  smoothL1Loss,
  weightNorm,
  where,
} from "../operators/operators.generated.js";
import type { Tensor } from "../tensors/tensor.js";
import {
  device,
  distinct,
  elementwise,
  integers,
  logProbabilities,
  mask,
  normal,
  once,
  positive,
  type Run,
  repeated,
  type Sample,
  sample,
  single,
} from "./makers.js";

/** Real and imaginary parts; there are no spectra in bfloat16. */
const spectrum = (x: Tensor) => {
  const wave = single(x);
  const window = ones([64], { dtype: wave.dtype, device });
  return wave.stft(64, 16, undefined, window, true, "reflect", false, true, true).viewAsReal();
};

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

// Its gradients are exponentials of sums over all frames: log-probabilities of -200 keep 5 digits in float32.
const lossOfAlignments = (shape: number[], run: Run): Sample =>
  sample("ctc_loss.IntList", [logProbabilities(...shape)], run, { float32: 2e-4 });

export const NETWORK: readonly Sample[] = [
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
  sample("conv2d", [normal(2, 3, 17, 13), normal(5, 3, 3, 3), normal(5)], (x: Tensor, w: Tensor, b: Tensor) =>
    conv2d(x, w, b, 2, 1),
  ),
  sample(
    "conv_transpose1d",
    [normal(2, 5, 17), normal(5, 3, 4), normal(3)],
    (x: Tensor, w: Tensor, b: Tensor) => convTranspose1d(x, w, b, 2, 1),
  ),
  sample("max_pool1d", [distinct(2, 3, 33)], (x: Tensor) => maxPool1d(x, 3, 2)),
  sample("avg_pool1d", [normal(2, 3, 33)], (x: Tensor) => avgPool1d(x, 3, 2)),
  sample("adaptive_avg_pool1d", [normal(2, 3, 33)], (x: Tensor) => adaptiveAvgPool1d(x, 5)),
  sample("batch_norm", [normal(5, 17, 33), normal(17), normal(17)], (x: Tensor, w: Tensor, b: Tensor) =>
    batchNorm(x, w, b, undefined, undefined, true, 0.1, 1e-5, false),
  ),
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
  once("leaky_relu", (x: Tensor) => x.leakyRelu(0.1)),
  once("elu", (x: Tensor) => x.elu()),
  once("silu", (x: Tensor) => x.silu()),
  once("mish", (x: Tensor) => x.mish()),
  once("softplus", (x: Tensor) => x.softplus()),
  once("log_sigmoid", (x: Tensor) => x.logSigmoid()),
  once("hardtanh", (x: Tensor) => x.hardtanh(-0.9, 0.9)),
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
  once("mse_loss", (x: Tensor, y: Tensor) => mseLoss(x, y, 2), [normal, normal]),
  once("l1_loss", (x: Tensor, y: Tensor) => l1Loss(x, y, 0), [normal, normal]),
  once("smooth_l1_loss", (x: Tensor, y: Tensor) => smoothL1Loss(x, y, 0), [normal, normal]),
  once("huber_loss", (x: Tensor, y: Tensor) => huberLoss(x, y, 0), [normal, normal]),
  sample("kl_div", [logProbabilities(17, 33), normal(17, 33)], (x: Tensor, y: Tensor) =>
    klDiv(x, y.softmax(-1), 2),
  ),
  sample("binary_cross_entropy", [normal(17, 33)], (x: Tensor) =>
    binaryCrossEntropy(x.sigmoid(), mask(x.shape).to({ dtype: x.dtype })),
  ),
  sample("binary_cross_entropy_with_logits", [normal(17, 33), normal(17, 33)], (x: Tensor, y: Tensor) =>
    binaryCrossEntropyWithLogits(x, y, undefined, undefined, 2),
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
  sample("stft.center", [normal(2, 401)], spectrum),
  sample("view_as_real", [normal(2, 401)], spectrum),
];
