import type { nn, optim, Tensor } from "@wav2vec2/libtorch";

/** One of the optimiser's moments of a parameter, under PyTorch's name and that of the parameter. */
export interface NamedMoment {
  name: string;
  parameter: Tensor;
  /** Undefined where another process has it. */
  moment: Tensor | undefined;
}

/** The moments that there are, here or elsewhere: those of the parameters that were updated. */
export function* namedMoments(
  module: nn.Module,
  optimizer: optim.Optimizer,
  state: optim.OptimizerState = optimizer.state(),
): Generator<NamedMoment> {
  const names = namesOf(module, optimizer);
  const { parameters } = optimizer;
  for (const kind of optimizer.momentNames) {
    for (const [i, parameter] of parameters.entries()) {
      if (state.steps[i]! === 0) continue;
      yield { name: `${kind}.${names[i]}`, parameter, moment: state.moments[kind]?.[i] };
    }
  }
}

/** The state-dict key of each of the optimiser's parameters. */
export function namesOf(module: nn.Module, optimizer: optim.Optimizer): string[] {
  const names = new Map(Array.from(module.namedParameters(), ([name, { handle }]) => [handle, name]));
  return optimizer.parameters.map(({ handle }) => names.get(handle)!);
}
