import { noGrad } from "../autograd.js";
import { keep, scope } from "../handles.js";
import { empty, zerosLike } from "../operators.generated.js";
import type { Tensor } from "../tensor.js";

export interface ParameterGroup {
  parameters: readonly Tensor[];
  /** Multiplied with the decoupled decay: 0 for biases and norms as most recipes want. */
  weightDecay?: number;
  /** Multiplied with the learning rate; 1 when left out. */
  learningRateScale?: number;
}

export interface AdamWOptions {
  learningRate: number;
  betas?: readonly [number, number];
  eps?: number;
  weightDecay?: number;
}

/** What a run needs to go on exactly, by position of the parameter. */
export interface AdamWState {
  /** How often each parameter was updated. */
  steps: number[];
  firstMoments: (Tensor | undefined)[];
  secondMoments: (Tensor | undefined)[];
}

interface Slot {
  readonly parameter: Tensor;
  readonly group: ParameterGroup;
  /** Counted for each parameter, since LayerDrop leaves some without a gradient. */
  step: number;
  first?: Tensor;
  second?: Tensor;
}

/**
 * Loshchilov and Hutter 2019 (arXiv 1711.05101), computed as PyTorch's `torch.optim.AdamW`. Parameters without
 * a gradient are left as they are.
 */
export class AdamW {
  learningRate: number;
  readonly #betas: readonly [number, number];
  readonly #eps: number;
  readonly #weightDecay: number;
  readonly #slots: Slot[];

  constructor(parameters: readonly Tensor[] | readonly ParameterGroup[], options: AdamWOptions) {
    this.learningRate = options.learningRate;
    this.#betas = options.betas ?? [0.9, 0.999];
    this.#eps = options.eps ?? 1e-8;
    this.#weightDecay = options.weightDecay ?? 0.01;
    const groups = parameters.map((entry) => ("parameters" in entry ? entry : { parameters: [entry] }));
    this.#slots = groups.flatMap((group) =>
      group.parameters.map((parameter) => ({ parameter, group, step: 0 })),
    );
  }

  get parameters(): Tensor[] {
    return this.#slots.map((slot) => slot.parameter);
  }

  /** Updates every parameter from its gradient. */
  step(): void {
    const [beta1, beta2] = this.#betas;
    noGrad(() =>
      scope(() => {
        for (const slot of this.#slots) {
          const { parameter, group } = slot;
          const gradient = parameter.grad;
          if (!gradient) continue;
          slot.step++;
          const correction1 = 1 - beta1 ** slot.step;
          const correction2 = Math.sqrt(1 - beta2 ** slot.step);
          const rate = this.learningRate * (group.learningRateScale ?? 1);
          const decay = group.weightDecay ?? this.#weightDecay;
          slot.first ??= keep(zerosLike(parameter));
          slot.second ??= keep(zerosLike(parameter));
          if (decay !== 0) parameter.mul_(1 - rate * decay);
          slot.first.lerp_(gradient, 1 - beta1);
          slot.second.mul_(beta2).addcmul_(gradient, gradient, { value: 1 - beta2 });
          const denominator = slot.second.sqrt().div_(correction2).add_(this.#eps);
          parameter.addcdiv_(slot.first, denominator, { value: -rate / correction1 });
        }
      }),
    );
  }

  zeroGrad(): void {
    for (const { parameter } of this.#slots) parameter.grad = undefined;
  }

  state(): AdamWState {
    return {
      steps: this.#slots.map((slot) => slot.step),
      firstMoments: this.#slots.map((slot) => slot.first),
      secondMoments: this.#slots.map((slot) => slot.second),
    };
  }

  /** @throws Error when the state belongs to another set of parameters. */
  loadState(state: AdamWState): void {
    if (state.steps.length !== this.#slots.length) {
      throw new Error(
        `The optimiser's state must hold ${this.#slots.length} parameters, but holds ${state.steps.length}.`,
      );
    }
    for (const [i, { parameter }] of this.#slots.entries()) {
      const moment = state.firstMoments[i];
      if (moment && moment.shape.join() !== parameter.shape.join()) {
        throw new Error(
          `The optimiser's state of parameter ${i} must have the shape [${parameter.shape}], but has [${moment.shape}].`,
        );
      }
    }
    const copyOf = (values: Tensor) => keep(empty(values.shape, { dtype: values.dtype }).copy_(values));
    for (const [i, slot] of this.#slots.entries()) {
      slot.step = state.steps[i] ?? 0;
      const first = state.firstMoments[i];
      const second = state.secondMoments[i];
      if (first) slot.first = copyOf(first);
      if (second) slot.second = copyOf(second);
    }
  }
}
