import { type nn, noGrad, scope } from "@wav2vec2/libtorch";
import { UserError } from "../../errors.js";

/**
 * For results that are no numbers: finds out whether the weights are none already.
 *
 * @throws UserError naming the first parameter that holds NaN or infinity
 */
export function requireFiniteWeights(module: nn.Module): void {
  for (const [name, parameter] of module.namedParameters()) {
    if (noGrad(() => scope(() => Number.isFinite(parameter.abs().amax().item())))) continue;
    throw new UserError(
      `The model's weights must be finite numbers, but ${name} holds others. Start from another checkpoint.`,
      { code: "ERR_MODEL_INVALID" },
    );
  }
}
