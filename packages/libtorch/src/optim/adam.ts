import { checkBoolean, checkNumber, describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import { adamAtOnce } from "../fast/adam.js";
import type { Tensor } from "../tensors/tensor.js";
import { Optimizer, type OptimizerOptions, type ParameterGroup, type ParameterUpdate } from "./optimizer.js";

export interface AdamOptions extends OptimizerOptions {
  /** Decay rates of the two moments; [0.9, 0.999] when left out. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment; 1e-8 when left out. */
  eps?: number | undefined;
  /** Whether to divide by the largest second moment so far (Reddi et al. 2018, arXiv 1904.09237). False when left out. */
  amsgrad?: boolean | undefined;
}

/**
 * Kingma and Ba 2015 (arXiv 1412.6980), computed as PyTorch's `torch.optim.Adam`. `weightDecay` is added to the gradient,
 * times the weight; 0 when left out. {@link AdamW} decouples it.
 */
export class Adam extends Optimizer {
  readonly name: string = "Adam";
  readonly momentNames: readonly string[];
  readonly #betas: readonly [number, number];
  readonly #eps: number;

  constructor(
    parameters: readonly Tensor[] | readonly ParameterGroup[],
    options: AdamOptions,
    defaultDecay = 0,
  ) {
    super(parameters, options, ["betas", "eps", "amsgrad"], defaultDecay);
    const { betas = [0.9, 0.999], eps = 1e-8, amsgrad = false } = options;
    const kind = new.target.name;
    if (!Array.isArray(betas) || betas.length !== 2)
      throw argumentError(kind, `'betas' must be two numbers, but is ${describe(betas)}`);
    for (const [i, beta] of betas.entries()) checkNumber(kind, `betas[${i}]`, beta, "[0, 1)");
    checkNumber(kind, "eps", eps, "[0, Infinity)");
    checkBoolean(kind, "amsgrad", amsgrad);
    this.#betas = betas as readonly [number, number];
    this.#eps = eps;
    this.momentNames = ["exp_avg", "exp_avg_sq", ...(amsgrad ? ["max_exp_avg_sq"] : [])];
  }

  /** Whether this is no class of somebody's own, whose methods are to be called. */
  protected get isAsBuilt(): boolean {
    return this.constructor === Adam;
  }

  /** Whether weights decay by themselves, not through the gradient. */
  protected get isDecoupled(): boolean {
    return false;
  }

  protected override updateAtOnce(
    update: Omit<ParameterUpdate, "unless" | "unlessSkipped">,
    skip: Tensor | undefined,
  ): boolean {
    const rates = { betas: this.#betas, eps: this.#eps };
    return this.isAsBuilt && adamAtOnce(this.isDecoupled, update, rates, skip);
  }

  /** @returns the gradient to follow */
  protected decay({ parameter, gradient, weightDecay, unlessSkipped }: ParameterUpdate): Tensor {
    return weightDecay === 0 ? gradient : unlessSkipped(gradient.add(parameter, { alpha: weightDecay }));
  }

  protected update(update: ParameterUpdate): void {
    const { parameter, moments, step, learningRate, unless } = update;
    const [beta1, beta2] = this.#betas;
    const [first, second, largest] = moments as [Tensor, Tensor, Tensor?];
    const gradient = this.decay(update);
    first.lerp_(gradient, unless(1 - beta1, 0));
    second.mul_(unless(beta2, 1)).addcmul_(gradient, gradient, { value: 1 - beta2 });
    largest?.copy_(largest.maximum(second));
    const correction1 = 1 - beta1 ** step;
    const correction2 = Math.sqrt(1 - beta2 ** step);
    const eps = unless(this.#eps, Number.POSITIVE_INFINITY); // divided by infinity, a step is 0
    const denominator = (largest ?? second).sqrt().div_(correction2).add_(eps);
    parameter.addcdiv_(first, denominator, { value: -learningRate / correction1 });
  }
}
