import { checkBoolean, checkNumber } from "../arguments.js";
import { argumentError } from "../errors.js";
import type { Tensor } from "../tensors/tensor.js";
import { Optimizer, type OptimizerOptions, type ParameterGroup, type ParameterUpdate } from "./optimizer.js";

export interface SGDOptions extends OptimizerOptions {
  /** Share of the last direction that is kept; 0 when left out. */
  momentum?: number | undefined;
  /** Share of the gradient that does not go into the direction, from the second update on; 0 when left out. */
  dampening?: number | undefined;
  /** Nesterov's momentum, which looks ahead; needs `momentum` and no `dampening`. False when left out. */
  nesterov?: boolean | undefined;
}

/**
 * Gradient descent with or without momentum (Sutskever et al. 2013), computed as PyTorch's `torch.optim.SGD`.
 * `weightDecay` is added to the gradient, times the weight; 0 when left out.
 */
export class SGD extends Optimizer {
  readonly name: string = "SGD";
  readonly momentNames: readonly string[];
  readonly #momentum: number;
  readonly #dampening: number;
  readonly #nesterov: boolean;

  constructor(parameters: readonly Tensor[] | readonly ParameterGroup[], options: SGDOptions) {
    super(parameters, options, ["momentum", "dampening", "nesterov"]);
    const { momentum = 0, dampening = 0, nesterov = false } = options;
    const kind = new.target.name;
    checkNumber(kind, "momentum", momentum, "[0, Infinity)");
    checkNumber(kind, "dampening", dampening);
    checkBoolean(kind, "nesterov", nesterov);
    if (nesterov && (momentum === 0 || dampening !== 0))
      throw argumentError(
        kind,
        `'nesterov' must come with a momentum above 0 and no dampening, but they are ${momentum} and ${dampening}`,
      );
    this.#momentum = momentum;
    this.#dampening = dampening;
    this.#nesterov = nesterov;
    this.momentNames = momentum === 0 ? [] : ["momentum_buffer"];
  }

  protected update(update: ParameterUpdate): void {
    const { parameter, gradient, moments, step, learningRate, weightDecay, unless, unlessSkipped } = update;
    let direction =
      weightDecay === 0 ? gradient : unlessSkipped(gradient.add(parameter, { alpha: weightDecay }));
    const [buffer] = moments;
    if (buffer) {
      const share = step === 1 ? 1 : 1 - this.#dampening;
      buffer.mul_(unless(this.#momentum, 1)).add_(direction, { alpha: share });
      direction = this.#nesterov ? direction.add(buffer, { alpha: this.#momentum }) : buffer;
    }
    parameter.add_(unlessSkipped(direction), { alpha: -learningRate });
  }
}
