import { checkBoolean, checkNumber, checkOptions, describe } from "../arguments.js";
import { noGrad } from "../autograd.js";
import { argumentError, stateError } from "../errors.js";
import { empty, full, zeros, zerosLike } from "../operators/operators.generated.js";
import { handleOf, isTensor, keep, scope } from "../tensors/handles.js";
import type { Dtype, Tensor } from "../tensors/tensor.js";

export interface ParameterGroup {
  parameters: readonly Tensor[];
  /** Takes the place of the optimiser's own `weightDecay`: 0 for biases and norms as most recipes want. */
  weightDecay?: number | undefined;
  /** Multiplied with the learning rate; 1 when left out. */
  learningRateScale?: number | undefined;
  /**
   * Another process has their moments and updates them: here only their updates are counted. For moments that are divided
   * among processes (Rajbhandari et al. 2020, arXiv 1910.02054, stage 1). False when left out.
   */
  elsewhere?: boolean | undefined;
}

/** What all optimisers take. */
export interface OptimizerOptions {
  /** Above 0 or 0, times the group's `learningRateScale`. PyTorch: `lr`. */
  learningRate: number;
  /** Pulls weights towards 0, in the way of the optimiser. */
  weightDecay?: number | undefined;
  /** Whether to go up the gradient instead of down. False when left out. */
  maximize?: boolean | undefined;
}

/** What a run needs to go on exactly, by position of the parameter. */
export interface OptimizerState {
  /** The optimiser that it is of, its `name`. */
  name: string;
  /** How often each parameter was updated. */
  steps: number[];
  /** For each of the optimiser's `momentNames`, a tensor of each parameter; none before its first update. */
  moments: Record<string, (Tensor | undefined)[]>;
}

/** One parameter in one step. */
export interface ParameterUpdate {
  readonly parameter: Tensor;
  /** Negative where the optimiser maximises; 0 where the update is skipped. Not to be changed in place. */
  readonly gradient: Tensor;
  /** One tensor for each of `momentNames`, to be changed in place; zeros in the first update. */
  readonly moments: readonly Tensor[];
  /** Which update of this parameter it is; the first is 1. */
  readonly step: number;
  /** Of its group. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** `value`, or `otherwise` where the update is skipped, for a factor: on the device where that is only known there. */
  unless(value: number, otherwise: number): number | Tensor;
  /** `values`, or 0 where the update is skipped. */
  unlessSkipped(values: Tensor): Tensor;
}

interface Slot {
  readonly parameter: Tensor;
  readonly group: ParameterGroup;
  /** Counted for each parameter, since LayerDrop leaves some without a gradient. */
  step: number;
  moments?: Tensor[];
}

const GROUP_KEYS = ["parameters", "weightDecay", "learningRateScale", "elsewhere"];
const OPTION_KEYS = ["learningRate", "weightDecay", "maximize"];

/**
 * What optimisers have in common: groups of parameters, their moments, steps that may be skipped, and the state to go on
 * from. An optimiser of one's own says what it keeps for each parameter, and how one parameter is updated:
 *
 *     class SignDescent extends optim.Optimizer {
 *       readonly name = "SignDescent";
 *       readonly momentNames = [];
 *       protected update({ parameter, gradient, learningRate }) {
 *         parameter.add_(gradient.sign(), { alpha: -learningRate });
 *       }
 *     }
 */
export abstract class Optimizer {
  /** Under which its state is known: a state of another name is refused. */
  abstract readonly name: string;
  /** What is kept for each parameter, under PyTorch's names. Each is a tensor of {@link momentShape}. */
  abstract readonly momentNames: readonly string[];
  #learningRate: number;
  readonly #weightDecay: number;
  readonly #maximize: boolean;
  readonly #slots: Slot[];

  /**
   * @param parameters tensors, or groups of them
   * @param optionNames of options besides those of all optimisers
   * @param defaultDecay the `weightDecay` where none is given
   * @throws TorchError for an option that does not exist, a number that is out of range, or a parameter that is given twice
   */
  constructor(
    parameters: readonly Tensor[] | readonly ParameterGroup[],
    options: OptimizerOptions,
    optionNames: readonly string[] = [],
    defaultDecay = 0,
  ) {
    const kind = new.target.name;
    if (!Array.isArray(optionNames) || !optionNames.every((name) => typeof name === "string"))
      throw argumentError(kind, `'optionNames' must be an array of names, but is ${describe(optionNames)}`);
    checkOptions(kind, options, [...OPTION_KEYS, ...optionNames], ["learningRate"]);
    const { learningRate, weightDecay = defaultDecay, maximize = false } = options;
    checkNumber(kind, "learningRate", learningRate, "[0, Infinity)");
    checkNumber(kind, "weightDecay", weightDecay, "[0, Infinity)");
    checkBoolean(kind, "maximize", maximize);
    this.#learningRate = learningRate;
    this.#weightDecay = weightDecay;
    this.#maximize = maximize;
    this.#slots = slotsOf(kind, parameters);
  }

  /** May be set before each step, by a schedule. */
  get learningRate(): number {
    return this.#learningRate;
  }
  /** @throws TorchError where it is negative, infinite or no number */
  set learningRate(rate: number) {
    checkNumber(this.name, "learningRate", rate, "[0, Infinity)");
    this.#learningRate = rate;
  }

  /** In the order of the groups. */
  get parameters(): Tensor[] {
    return this.#slots.map((slot) => slot.parameter);
  }

  /**
   * The shape of one of `momentNames`: the parameter's own, unless an optimiser keeps something else of it, such as Adafactor's
   * means of rows and columns. It must depend on the parameter's shape alone.
   */
  momentShape(_name: string, parameter: Tensor): readonly number[] {
    handleOf(parameter, `${this.name}.momentShape`, "parameter");
    return parameter.shape;
  }

  /** Changes `update.parameter` and `update.moments` in place, without recording. Called inside a scope. */
  protected abstract update(update: ParameterUpdate): void;

  /**
   * {@link update} by one operator, also of an update that may be skipped, where there is one.
   *
   * @returns whether there is; nothing is changed where not
   */
  protected updateAtOnce(
    _update: Omit<ParameterUpdate, "unless" | "unlessSkipped">,
    _skip: Tensor | undefined,
  ): boolean {
    return false;
  }

  /**
   * Updates every parameter from its gradient. Parameters without a gradient are left as they are.
   *
   * @param skip a bool scalar on the parameters' device, which is not waited for: where it is true, parameters and
   * moments stay as they are; the gradients may become 0. It counts as a step all the same, which `state` and the bias
   * corrections of later steps show: who learns of one stops, or goes on from a state of before.
   */
  step(skip?: Tensor): void {
    if (skip !== undefined) handleOf(skip, `${this.name}.step`, "skip");
    noGrad(() =>
      scope(() => {
        const factor = skip && factorsUnless(skip);
        for (const slot of this.#slots) {
          const { parameter, group } = slot;
          const gradient = parameter.grad;
          if (!gradient) continue;
          slot.step++;
          if (group.elsewhere) continue;
          slot.moments ??= this.momentNames.map((name) => keep(this.#zeros(name, parameter)));
          const { dtype } = parameter;
          const wanted = {
            parameter,
            gradient: this.#maximize ? gradient.neg() : gradient,
            moments: slot.moments,
            step: slot.step,
            learningRate: this.#learningRate * (group.learningRateScale ?? 1),
            weightDecay: group.weightDecay ?? this.#weightDecay,
          };
          if (this.updateAtOnce(wanted, skip)) continue;
          if (skip) wanted.gradient.maskedFill_(skip, 0); // times 0, what is not finite would be no number
          this.update({
            ...wanted,
            unless: (value, otherwise) => (factor ? factor(value, otherwise, dtype) : value),
            unlessSkipped: (values) => (skip ? values.maskedFill(skip, 0) : values),
          });
        }
      }),
    );
  }

  #zeros(name: string, parameter: Tensor): Tensor {
    const shape = this.momentShape(name, parameter);
    if (shape === parameter.shape) return zerosLike(parameter);
    if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      throw argumentError(
        this.name,
        `'momentShape' must return a shape such as [2, 3], but returned ${describe(shape)}`,
      );
    return zeros(shape, { dtype: parameter.dtype, device: parameter.device });
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const { parameter } of this.#slots) parameter.grad = undefined;
  }

  /** The optimiser's own tensors, not copies of them. */
  state(): OptimizerState {
    const moments = this.momentNames.map((name, place) => [
      name,
      this.#slots.map((slot) => slot.moments?.[place]),
    ]);
    return {
      name: this.name,
      steps: this.#slots.map((slot) => slot.step),
      moments: Object.fromEntries(moments),
    };
  }

  /**
   * Goes on from a copy of the state, without the moments of what is updated elsewhere.
   *
   * @throws TorchError when the state belongs to another kind of optimiser or another set of parameters; nothing is
   * changed then.
   */
  loadState(state: OptimizerState): void {
    this.#checkState(state);
    for (const [i, slot] of this.#slots.entries()) {
      slot.step = state.steps[i]!;
      if (slot.group.elsewhere) continue;
      const { device } = slot.parameter;
      const loaded = this.momentNames.map((name) => state.moments[name]?.[i]);
      if (loaded.every((moment) => moment === undefined)) delete slot.moments;
      else
        slot.moments = loaded.map((values) =>
          keep(empty(values!.shape, { dtype: values!.dtype, device }).copy_(values!)),
        );
    }
  }

  #checkState(state: OptimizerState): void {
    const refuse = (reason: string) => stateError(this.name, reason);
    if (typeof state !== "object" || state === null || !Array.isArray(state.steps) || !state.moments)
      throw refuse(`the state must be what 'state' returns, but is ${describe(state)}`);
    if (state.name !== this.name)
      throw refuse(`the state must be one of ${this.name}, but is one of ${state.name}`);
    if (state.steps.length !== this.#slots.length)
      throw refuse(`the state must hold ${this.#slots.length} parameters, but holds ${state.steps.length}`);
    const kept = Object.keys(state.moments).filter((name) => !this.momentNames.includes(name));
    if (kept.length > 0) {
      const own = this.momentNames.join(", ") || "nothing";
      throw refuse(`the state must hold ${own} for each parameter, but holds ${kept.join(", ")} too`);
    }
    for (const [i, { parameter, group }] of this.#slots.entries()) {
      if (!Number.isSafeInteger(state.steps[i]) || state.steps[i]! < 0)
        throw refuse(`the state's steps must be whole numbers, but one is ${describe(state.steps[i])}`);
      const moments = this.momentNames.map((name) => state.moments[name]?.[i]);
      for (const [place, moment] of moments.entries()) {
        const name = this.momentNames[place]!;
        if (moment === undefined) {
          if (group.elsewhere || moments.every((each) => each === undefined)) continue;
          throw refuse(`the state must hold ${name} of parameter ${i}, but does not`);
        }
        if (!isTensor(moment))
          throw refuse(`the state's ${name} of parameter ${i} must be a Tensor, but is ${describe(moment)}`);
        const shape = this.momentShape(name, parameter);
        if (moment.shape.join() !== shape.join())
          throw refuse(
            `the state's ${name} of parameter ${i} must have the shape [${shape.join(", ")}], but has [${moment.shape.join(", ")}]`,
          );
      }
    }
  }
}

function slotsOf(kind: string, parameters: unknown): Slot[] {
  if (!Array.isArray(parameters))
    throw argumentError(
      kind,
      `'parameters' must be an array of Tensors or of groups { parameters, … }, but is ${describe(parameters)}. ` +
        "Give module.parameters()",
    );
  const groups = parameters.map((entry: unknown, i) =>
    isTensor(entry) ? { parameters: [entry] } : groupOf(kind, entry, i),
  );
  if (groups.every((group) => group.parameters.length === 0))
    throw argumentError(
      kind,
      "'parameters' must hold at least one Tensor, but holds none. Give module.parameters(); Tensors in a field are parameters once nn.parameter made them",
    );
  const seen = new Set<number>();
  return groups.flatMap((group) =>
    group.parameters.map((parameter) => {
      if (seen.has(parameter.handle))
        throw argumentError(kind, `'parameters' must hold each Tensor once, but ${parameter} is there twice`);
      seen.add(parameter.handle);
      return { parameter, group, step: 0 };
    }),
  );
}

function groupOf(kind: string, group: unknown, place: number): ParameterGroup {
  const where = `${kind}: parameters[${place}]`;
  if (typeof group !== "object" || group === null || Array.isArray(group))
    throw argumentError(kind, `parameters[${place}] must be a Tensor or a group, but is ${describe(group)}`);
  checkOptions(where, group, GROUP_KEYS, ["parameters"]);
  const { parameters, weightDecay = 0, learningRateScale = 1, elsewhere = false } = group as ParameterGroup;
  checkNumber(where, "weightDecay", weightDecay, "[0, Infinity)");
  checkNumber(where, "learningRateScale", learningRateScale, "[0, Infinity)");
  checkBoolean(where, "elsewhere", elsewhere);
  if (!Array.isArray(parameters))
    throw argumentError(where, `'parameters' must be an array of Tensors, but is ${describe(parameters)}`);
  for (const [i, parameter] of parameters.entries()) handleOf(parameter, where, `parameters[${i}]`);
  return group as ParameterGroup;
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
