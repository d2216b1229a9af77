import { checkNumber } from "../arguments.js";
import { noGrad } from "../autograd.js";
import { full, stack, zeros } from "../operators/operators.generated.js";
import { requireTensors, scope } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { accumulationDtype } from "./accumulation.js";

/**
 * Scales all gradients so that their joint L2 norm is at most `maxNorm` (Pascanu et al. 2013, arXiv 1211.5063), without
 * waiting for their device: the factor is computed there.
 *
 * @param maxNorm infinite to measure the norm only
 * @returns the norm before scaling, a scalar on the gradients' device; nothing is scaled when it is not finite
 */
export function clipGradNorm(parameters: readonly Tensor[], maxNorm: number): Tensor {
  requireTensors(parameters, "clipGradNorm", "parameters");
  checkNumber("clipGradNorm", "maxNorm", maxNorm, "[0, Infinity]");
  return noGrad(() =>
    scope(() => {
      const gradients = parameters.flatMap((parameter) => parameter.grad ?? []);
      const device = parameters[0]?.device;
      if (gradients.length === 0) return zeros([], { device });
      const norm = stack(gradients.map((gradient) => gradient.norm(2))).norm(2);
      if (maxNorm === Number.POSITIVE_INFINITY) return norm;
      const dtype = accumulationDtype(device!);
      const exact = norm.to({ dtype });
      const small = exact.gt(maxNorm).logicalAnd(exact.isfinite()).logicalNot();
      const factor = full([], maxNorm, { dtype, device }).div(exact.add(1e-6)).maskedFill(small, 1);
      for (const gradient of gradients) gradient.mul_(factor);
      return norm;
    }),
  );
}
