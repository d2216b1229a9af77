import { grad, type Tensor } from "../src/index.js";

/** Copies in float64, with gradients. */
export function doubles(tensors: readonly Tensor[]): Tensor[] {
  return tensors.map((each) => {
    const double = each.detach().to({ dtype: "float64" });
    double.requiresGrad = true;
    return double;
  });
}

/** The largest difference relative to the largest value. */
export function error(found: Tensor, exact: Tensor): number {
  return found.to({ dtype: "float64" }).sub(exact).abs().amax().item() / exact.abs().amax().item();
}

/** Gradients of the sum of squares of all gradients of the sum of the output's squares. */
export function gradientsOfGradients(output: Tensor, of: readonly Tensor[]): (Tensor | undefined)[] {
  const first = grad([output.square().sum()], of, { createGraph: true });
  return grad([first.map((each) => each!.square().sum()).reduce((a, b) => a.add(b))], of);
}
