import type { Tensor } from "../tensors/tensor.js";
import {
  comparison,
  distinct,
  elementwise,
  normal,
  once,
  positive,
  type Sample,
  sample,
  ties,
} from "./makers.js";

export const REDUCTION: readonly Sample[] = [
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
  sample("argmin", [distinct(13, 17)], (x: Tensor) => [x.argmin(), x.argmin(0), x.argmin(-1)]),
  sample("argsort", [distinct(13, 17)], (x: Tensor) => [x.argsort(), x.argsort(0, true)]),
  once("max", (x: Tensor) => x.max()),
  once("min", (x: Tensor) => x.min()),
  sample("max.dim", [distinct(13, 17)], (x: Tensor) => [...x.max(0), ...x.max(-1, true)]),
  sample("min.dim", [distinct(13, 17)], (x: Tensor) => [...x.min(0), ...x.min(-1, true)]),
  sample("median", [distinct(13, 17)], (x: Tensor) => x.median()),
  sample("median.dim", [distinct(13, 17)], (x: Tensor) => [...x.median(0), ...x.median(-1, true)]),
  sample("prod", [positive(5)], (x: Tensor) => x.prod(), { bfloat16: 4e-2 }),
  sample("prod.dim_int", [positive(5, 17)], (x: Tensor) => [x.prod(0), x.prod(0, true)], { bfloat16: 4e-2 }),
  ...comparison("count_nonzero.dim_IntList", (x: Tensor) => x.countNonzero([0])),
  ...[[33], [17, 67], [4, 96, 101]].map((size) =>
    sample("var.correction", [normal(...size)], (x: Tensor) => x.variance(-1, { correction: 1 })),
  ),
  ...[[33], [17, 67], [4, 96, 101]].map((size) =>
    sample("std.correction", [normal(...size)], (x: Tensor) => x.std(-1, { correction: 1 })),
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
  sample("cumprod", [positive(7, 5)], (x: Tensor) => [x.cumprod(0), x.cumprod(-1)], { bfloat16: 6e-2 }),
  sample("topk", [distinct(13, 17)], (x: Tensor) => x.topk(5, 0)),
  sample("topk", [distinct(13, 17)], (x: Tensor) => x.topk(3)),
  sample("sort", [distinct(13, 17)], (x: Tensor) => x.sort(0)),
  sample("sort", [distinct(13, 17)], (x: Tensor) => x.sort(-1, true)),
];
