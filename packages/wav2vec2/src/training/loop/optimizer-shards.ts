import { keep, type nn, type optim, type Tensor, zeros, zerosLike } from "@wav2vec2/libtorch";
import { exchangeParts, flat, type Part } from "../../distributed/exchange-parts.js";
import { ownersOf } from "../../distributed/owners.js";
import type { World } from "../../distributed/world.js";
import { ConfigurationError } from "../../errors.js";
import type { CheckpointWriter } from "../checkpoints/checkpoint-writer.js";
import { type NamedMoment, namedMoments } from "../checkpoints/named-moments.js";
import type { Recipe } from "../recipe/recipe.js";

/** The rank that has a parameter's moments and updates it; empty where every process has all. */
export type Owners = ReadonlyMap<Tensor, number>;

/**
 * Divides the parameters that are trained among the processes by their size, where the recipe wants it. Each goes as a whole, so
 * that the operators that update it are those of an undivided optimiser: a part of a tensor may round otherwise, as vectors of
 * the processor's end elsewhere in it.
 */
export function divideParameters(
  module: nn.Module,
  { distributed }: Pick<Recipe, "distributed">,
  world: World,
): Owners {
  if (distributed.zero_stage === 0 || world.size === 1) return new Map();
  const trained = module.parameters().filter(({ requiresGrad }) => requiresGrad);
  const sizes = trained.map(({ numel }) => numel);
  const owners = ownersOf(sizes, world.size);
  return new Map(trained.map((parameter, place) => [parameter, owners[place]!]));
}

/** @throws ConfigurationError where moments cannot be divided as the parameters are */
function requireParameterShapes(optimizer: optim.Optimizer): void {
  for (const parameter of optimizer.parameters)
    for (const kind of optimizer.momentNames) {
      const shape = optimizer.momentShape(kind, parameter);
      if (shape.join() === parameter.shape.join()) continue;
      throw new ConfigurationError(
        `${kind} of ${optimizer.name} must have the shape of its parameter, [${parameter.shape.join(", ")}], to be divided among ` +
          `processes, but has [${shape.join(", ")}]. Set distributed.zero_stage to 0.`,
      );
    }
}

/**
 * An optimiser whose moments are divided among the processes (ZeRO, Rajbhandari et al. 2020, arXiv 1910.02054, stage 1; PyTorch:
 * `ZeroRedundancyOptimizer`). Each process updates its share of the parameters from gradients that all have, and tells the others:
 * to the bit what each would have made of all moments. All call the same functions in the same order. Where nothing is divided,
 * no process waits for another here but in {@link share}.
 */
export class OptimizerShards {
  readonly #owners: Owners;
  readonly #world: World;
  readonly #messageElements: number | undefined;
  /** All moments, from a checkpoint, until each process has its own. */
  #loaded: optim.OptimizerState | undefined;

  /**
   * @param optimizer to which the parameters of other processes are `elsewhere`
   * @param options.messageElements of one message; `exchangeParts` has a default
   */
  constructor(
    readonly module: nn.Module,
    readonly optimizer: optim.Optimizer,
    owners: Owners,
    world: World,
    { messageElements }: { messageElements?: number } = {},
  ) {
    this.#owners = owners;
    this.#world = world;
    this.#messageElements = messageElements;
    if (this.#isDivided) requireParameterShapes(optimizer);
  }

  /**
   * Updates all parameters in all processes.
   *
   * @param skip that of `Optimizer.step`
   * @throws DistributedError where another process fails or does not come
   */
  async step(skip?: Tensor): Promise<void> {
    this.optimizer.step(skip);
    const updated = this.optimizer.parameters.filter(({ grad }) => grad !== undefined);
    await this.#exchange(
      updated.map((parameter) => ({
        parameter,
        elements: parameter.numel,
        own: parameter,
        receive: (values, first) => flat(parameter).narrow(0, first, values.numel).copy_(values),
      })),
    );
  }

  /**
   * Goes on from a checkpoint's state in rank 0, and makes room for it in the others; {@link share} gives them their part.
   *
   * @param state whole in rank 0, which takes it over; of the steps alone in the others
   */
  load(state: optim.OptimizerState): void {
    const { parameters } = this.optimizer;
    if (this.#world.rank === 0) {
      this.optimizer.loadState(state);
      if (this.#isDivided) this.#loaded = state;
      return;
    }
    const room = (kind: string) =>
      state.steps.map((steps, i) => {
        const parameter = parameters[i]!;
        if (steps === 0 || !this.#isHere(parameter)) return undefined;
        const { dtype, device } = parameter;
        return zeros(this.optimizer.momentShape(kind, parameter), { dtype, device });
      });
    const moments = Object.fromEntries(this.optimizer.momentNames.map((kind) => [kind, room(kind)]));
    this.optimizer.loadState({ ...state, moments });
  }

  /**
   * Gives all processes rank 0's weights and buffers, and the moments that are theirs.
   *
   * @throws DistributedError where a process has other values afterwards
   */
  async share(): Promise<void> {
    const moments = [...namedMoments(this.module, this.optimizer)];
    const parameters = [...new Set(this.module.stateDict().values())]; // and buffers
    if (!this.#isDivided) {
      await this.#world.share([...parameters, ...moments.flatMap(({ moment }) => moment ?? [])]);
      return;
    }
    await this.#world.share(parameters);
    const whole = this.#loaded && [...namedMoments(this.module, this.optimizer, this.#loaded)];
    this.#loaded = undefined;
    for (const [from, to] of piecesOf(moments.map(({ parameter }) => parameter)))
      await this.#sharePiece(moments.slice(from, to), whole?.slice(from, to));
  }

  /** @param whole the same moments in rank 0, none of them elsewhere */
  async #sharePiece(own: readonly NamedMoment[], whole: readonly NamedMoment[] | undefined): Promise<void> {
    const values = own.map(({ parameter, moment }, place) => {
      const source = whole?.[place]?.moment;
      return source ? keep(source.to({ device: parameter.device })) : (moment ?? keep(zerosLike(parameter)));
    });
    await this.#world.share(values);
    for (const [place, { moment }] of own.entries()) {
      whole?.[place]?.moment?.dispose();
      if (values[place] !== moment) values[place]!.dispose();
    }
  }

  /**
   * Puts the moments of all processes into the checkpoint of a step, in rank 0. Where they are divided, all must call it, and none
   * waits for the disk but rank 0 for the checkpoint before.
   */
  async collect(step: number, checkpoints: CheckpointWriter | undefined): Promise<void> {
    if (!this.#isDivided) return;
    await checkpoints?.take(step);
    const moments = [...namedMoments(this.module, this.optimizer)];
    const others = moments.filter(({ parameter }) => this.#owners.get(parameter) !== 0);
    await this.#exchange(
      others.map(({ name, parameter, moment }) => ({
        parameter,
        elements: parameter.numel,
        own: moment,
        receive: checkpoints && ((values, first) => checkpoints.putMoment(name, values, first)),
      })),
    );
  }

  get #isDivided(): boolean {
    return this.#owners.size > 0;
  }

  #isHere(parameter: Tensor): boolean {
    const { rank } = this.#world;
    return (this.#owners.get(parameter) ?? rank) === rank;
  }

  /** Tells all processes what the owners of the parameters have for them. */
  async #exchange(parts: readonly (Part & { parameter: Tensor })[]): Promise<void> {
    if (!this.#isDivided) return;
    const byRank = Array.from({ length: this.#world.size }, (_, rank) =>
      parts.filter(({ parameter }) => this.#owners.get(parameter) === rank),
    );
    const like = this.optimizer.parameters[0]!;
    await exchangeParts(this.#world, byRank, { like, messageElements: this.#messageElements });
  }
}

/** Bytes of moments that rank 0 hands out at once. */
const PIECE_BYTES = 64 * 2 ** 20;

/** Where pieces of not many more bytes begin and end. */
function piecesOf(tensors: readonly Tensor[]): [number, number][] {
  const pieces: [number, number][] = [];
  let [from, elements] = [0, 0];
  for (const [place, { numel }] of tensors.entries()) {
    elements += numel;
    if (4 * elements < PIECE_BYTES && place + 1 < tensors.length) continue;
    pieces.push([from, place + 1]);
    [from, elements] = [place + 1, 0];
  }
  return pieces;
}
