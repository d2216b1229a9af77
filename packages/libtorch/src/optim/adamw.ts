import { noGrad } from "../autograd.js";
import { keep, scope } from "../handles.js";
import { empty, full, zerosLike } from "../operators.generated.js";
import type { Dtype, Tensor } from "../tensor.js";

export interface ParameterGroup {
  parameters: readonly Tensor[];
  /** Multiplied with the decoupled decay: 0 for biases and norms as most recipes want. */
  weightDecay?: number;
  /** Multiplied with the learning rate; 1 when left out. */
  learningRateScale?: number;
  /**
   * Another process has their moments and updates them: here only their updates are counted. For moments that are divided
   * among processes (Rajbhandari et al. 2020, arXiv 1910.02054, stage 1). False when left out.
   */
  elsewhere?: boolean;
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

  /**
   * Updates every parameter from its gradient.
   *
   * @param skip a bool scalar on the parameters' device, which is not waited for: where it is true, parameters and
   * moments stay as they are and the gradients become 0. It counts as a step all the same, which `state` and the bias
   * corrections of later steps show: who learns of one stops, or goes on from a state of before.
   */
  step(skip?: Tensor): void {
    const [beta1, beta2] = this.#betas;
    noGrad(() =>
      scope(() => {
        const unless = skip ? factorsUnless(skip) : (value: number) => value;
        for (const slot of this.#slots) {
          const { parameter, group } = slot;
          const gradient = parameter.grad;
          if (!gradient) continue;
          slot.step++;
          if (group.elsewhere) continue;
          const correction1 = 1 - beta1 ** slot.step;
          const correction2 = Math.sqrt(1 - beta2 ** slot.step);
          const rate = this.learningRate * (group.learningRateScale ?? 1);
          const decay = group.weightDecay ?? this.#weightDecay;
          const { dtype } = parameter;
          slot.first ??= keep(zerosLike(parameter));
          slot.second ??= keep(zerosLike(parameter));
          if (skip) gradient.maskedFill_(skip, 0); // times 0, what is not finite would be no number
          if (decay !== 0) parameter.mul_(unless(1 - rate * decay, 1, dtype));
          slot.first.lerp_(gradient, unless(1 - beta1, 0, dtype));
          slot.second.mul_(unless(beta2, 1, dtype)).addcmul_(gradient, gradient, { value: 1 - beta2 });
          const eps = unless(this.#eps, Number.POSITIVE_INFINITY, dtype); // divided by infinity, a step is 0
          const denominator = slot.second.sqrt().div_(correction2).add_(eps);
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

  /**
   * Goes on from a copy of the state, without the moments of what is updated elsewhere.
   *
   * @throws Error when the state belongs to another set of parameters.
   */
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
    for (const [i, slot] of this.#slots.entries()) {
      slot.step = state.steps[i] ?? 0;
      if (slot.group.elsewhere) continue;
      const first = state.firstMoments[i];
      const second = state.secondMoments[i];
      const { device } = slot.parameter;
      const copyOf = (values: Tensor) =>
        keep(empty(values.shape, { dtype: values.dtype, device }).copy_(values));
      if (first) slot.first = copyOf(first);
      if (second) slot.second = copyOf(second);
    }
  }
}

/** Factors of an update, as scalars on the device: `value`, or `otherwise` where the update is left out. */
function factorsUnless(skip: Tensor): (value: number, otherwise: number, dtype: Dtype) => Tensor {
  const made = new Map<string, Tensor>();
  const { device } = skip;
  return (value, otherwise, dtype) => {
    const key = `${value} ${otherwise} ${dtype}`;
    const known = made.get(key);
    if (known) return known;
    const factor = full([], value, { dtype, device }).maskedFill(skip, otherwise);
    made.set(key, factor);
    return factor;
  };
}
