import { noGrad } from "../autograd.js";
import { scope } from "../handles.js";
import { stack } from "../operators.generated.js";
import type { Tensor } from "../tensor.js";

/**
 * Scales all gradients so that their joint L2 norm is at most `maxNorm` (Pascanu et al. 2013, arXiv 1211.5063).
 *
 * @returns the norm before scaling; nothing is scaled when it is not finite
 */
export function clipGradNorm(parameters: readonly Tensor[], maxNorm: number): number {
  return noGrad(() =>
    scope(() => {
      const gradients = parameters.flatMap((parameter) => parameter.grad ?? []);
      if (gradients.length === 0) return 0;
      const norm = stack(gradients.map((gradient) => gradient.norm(2)))
        .norm(2)
        .item();
      if (Number.isFinite(norm) && norm > maxNorm) {
        for (const gradient of gradients) gradient.mul_(maxNorm / (norm + 1e-6));
      }
      return norm;
    }),
  );
}
