import { autocast } from "../autocast.js";
import { einsum, linear } from "../operators/operators.generated.js";
import type { Tensor } from "../tensors/tensor.js";
import { device, type Maker, normal, positive, type Sample, sample } from "./makers.js";

// As in training: float32 parameters, results and products in bfloat16.
const underAutocast = (operator: string, makers: Maker[], run: (...inputs: Tensor[]) => Tensor): Sample =>
  sample(operator, makers, (...inputs) => autocast({ device }, () => run(...inputs)), { float32: 2e-2 });

const matmul = (...shapes: [number[], number[]]): Sample =>
  sample("matmul", [normal(...shapes[0]), normal(...shapes[1])], (x: Tensor, y: Tensor) => x.matmul(y));

export const LINEAR_ALGEBRA: readonly Sample[] = [
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
  sample("dot", [positive(67), positive(67)], (x: Tensor, y: Tensor) => x.dot(y), { bfloat16: 6e-2 }),
  sample("outer", [normal(17), normal(33)], (x: Tensor, y: Tensor) => x.outer(y)),
  sample("einsum", [normal(3, 17, 33), normal(3, 33, 5)], (x: Tensor, y: Tensor) => [
    einsum("bij,bjk->bik", [x, y]),
    einsum("bij->ji", [x]),
  ]),
  sample("linear", [normal(3, 17, 33), normal(67, 33), normal(67)], linear),
  sample("linear", [normal(8, 101, 33), normal(65, 33), normal(65)], linear),
  sample("linear", [normal(33, 17), normal(1, 17)], linear),
  underAutocast("linear", [normal(2000, 33), normal(17, 33), normal(17)], linear),
  underAutocast("matmul", [normal(2, 17, 33), normal(2, 33, 67)], (x: Tensor, y: Tensor) => x.matmul(y)),
];
