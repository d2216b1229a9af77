import { cat, full, keep, noGrad, optim, scope, stack, type Tensor } from "@wav2vec2/libtorch";
import { listOf, OBJECT, requireArguments } from "../../argument-kinds.js";
import type { GradientExchange, GradientExchangeOptions } from "../../distributed/gradient-exchange.js";
import { ALONE, type World } from "../../distributed/world.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { TENSOR } from "../../module-kinds.js";
import type { Recipe } from "../recipe/recipe.js";

/** A batch's part in an update. */
interface Part {
  ids: readonly string[];
  /** On its device. */
  loss: Tensor;
  count: number;
}

/** An update of which nothing was read yet. */
interface Unread {
  step: number;
  /** Utterances of each batch. */
  ids: readonly (readonly string[])[];
  /**
   * The batches' losses; behind them, with several processes, the sum of all processes' losses, and the norm of the gradients
   * where there is one: [numbers]
   */
  values: Tensor;
  numbers: number;
  hasNorm: boolean;
}

/** What an update is made with. */
export interface Update {
  /** Norm of the gradients before clipping, a scalar on their device. */
  norm: Tensor;
  /**
   * A bool scalar there, for `Optimizer.step`: whether a loss or norm was not finite, in this update or in one before it of
   * which {@link Gradients.requireFinite} has not told yet.
   */
  skip: Tensor;
}

const TENSORS = listOf("tensors, such as an optimiser's parameters", TENSOR.holds);

/**
 * The gradients of one update's batches: those of sums are added up and divided once by what all the sums counted, so
 * that many small batches equal one large one. (Hugging Face's run_wav2vec2_pretraining_no_trainer.py divides all
 * gradients so far after each batch, the earlier ones again and again; `gradient_scaling: every_batch` does that too.)
 *
 * Nothing is read from the device until {@link requireFinite} is called, but for one value an update in float16, whose
 * scale depends on it. An update that is not finite, and all behind it, leave the weights as they are by themselves.
 */
export class Gradients implements Disposable {
  /** Of float16's losses, whose gradients would vanish otherwise. */
  readonly scaler: optim.GradScaler | undefined;
  #parts: Part[] = [];
  #unread: Unread[] = [];
  /** Whether an unread update is not finite, a bool scalar. */
  #broken: Tensor | undefined;
  readonly #exchange: GradientExchange;

  /** @throws ConfigurationError where several processes cannot scale as the recipe says */
  constructor(
    readonly parameters: readonly Tensor[],
    private readonly recipe: Pick<
      Recipe,
      "gradient_scaling" | "gradient_accumulation" | "optimizer" | "precision"
    >,
    private readonly world: World = ALONE,
    exchange: GradientExchangeOptions = {},
  ) {
    requireArguments("new Gradients", { parameters: [parameters, TENSORS], recipe: [recipe, OBJECT] });
    requireArguments("new Gradients", { "recipe.optimizer": [recipe.optimizer, OBJECT] });
    this.scaler = recipe.precision === "float16" ? new optim.GradScaler() : undefined;
    if (world.size > 1 && this.#everyBatch)
      throw new ConfigurationError(
        "gradient_scaling must be once with several processes, but is every_batch. Remove the key, or train with one process.",
      );
    this.#exchange = world.exchange(parameters, exchange);
  }

  /**
   * Begins an update.
   *
   * @param idle parameters that have no gradient in it in any process
   */
  begin(idle: Iterable<Tensor> = []): void {
    this.#exchange.begin(idle);
  }

  /** The next batch is the update's last: with several processes, its backward pass sends the gradients. */
  last(): void {
    this.#exchange.sendNext();
  }

  /** Adds those of a loss that is a sum over `count` parts, such as masked frames. */
  add(loss: Tensor, count: number, ids: readonly string[]): void {
    const part = this.#everyBatch ? loss.div(this.recipe.gradient_accumulation) : loss;
    (this.scaler?.scale(part) ?? part).backward();
    this.#parts.push({ ids, loss: keep(loss.detach().to({ dtype: "float32" })), count });
    if (this.#everyBatch && count > 0) this.#divide(count);
  }

  /**
   * Sums over the processes, divides by the parts of all batches and clips.
   *
   * @param step for messages
   * @param numbers to sum over the processes as well, such as whether to stop
   * @returns the sums of `numbers`; without `update` where there is nothing to update with: no part at all, or gradients too
   * large for float16, which the next updates scale less
   * @throws UserError where float16's scale has become too small, naming the utterances; the weights are as they were
   * @throws DistributedError where another process fails
   */
  async finish(
    step: number,
    numbers: readonly number[] = [],
  ): Promise<{ update: Update | undefined; sums: Float64Array }> {
    const parts = this.#parts;
    this.#parts = [];
    const own = parts.reduce((sum, part) => sum + part.count, 0);
    const [count = 0, ...sums] = await this.#exchange.finish(Float64Array.of(own, ...numbers));
    const total = await this.#totalLoss(parts);
    try {
      return { update: this.#updateOf(step, parts, count, total), sums: Float64Array.from(sums) };
    } finally {
      for (const { loss } of parts) loss.dispose();
      total?.dispose();
    }
  }

  /** For a checkpoint: sums are formed in this order. */
  order(): number[] | undefined {
    return this.#exchange.order();
  }

  [Symbol.dispose](): void {
    this.#exchange.close();
  }

  /** What all processes must judge by, since they must judge alike; undefined where there is one process. */
  async #totalLoss(parts: readonly Part[]): Promise<Tensor | undefined> {
    if (this.world.size === 1) return undefined;
    const { device } = this.parameters[0]!;
    const total = noGrad(() =>
      scope(() => {
        const losses = parts.map(({ loss }) => loss);
        return keep(losses.length > 0 ? stack(losses).sum() : full([], 0, { device }));
      }),
    );
    await this.world.sumTensor(total);
    return total;
  }

  #updateOf(
    step: number,
    parts: readonly Part[],
    count: number,
    total: Tensor | undefined,
  ): Update | undefined {
    if (parts.length === 0 && total === undefined) return undefined;
    if (this.scaler && !this.#fitScale(this.scaler, step, parts, total)) return undefined;
    if (count > 0 && !this.#everyBatch && count !== 1) this.#divide(count);
    const made = scope(() => {
      const most = this.recipe.optimizer.max_grad_norm || Number.POSITIVE_INFINITY;
      const norm = count > 0 ? optim.clipGradNorm(this.parameters, most) : undefined;
      const skip = this.#remember(step, parts, norm, total);
      return norm && { norm, skip };
    });
    return made;
  }

  /**
   * Reads the losses and norms of all updates since the last call, at once.
   *
   * @throws UserError where one was not finite, naming the first such step and its utterances; the weights are as they
   * were before that step, whatever came behind it
   */
  requireFinite(): void {
    const unread = this.#unread;
    if (unread.length === 0) return;
    this.#unread = [];
    const values = scope(() => cat(unread.map((update) => update.values)).toArray());
    for (const update of unread) update.values.dispose();
    this.#broken?.dispose();
    this.#broken = undefined;
    let first = 0;
    for (const { step, ids, numbers, hasNorm } of unread) {
      const losses = values.slice(first, first + ids.length);
      const others = values.slice(first + ids.length, first + numbers);
      const norm = hasNorm ? others.pop() : undefined;
      const [total] = others;
      first += numbers;
      const bad = losses.findIndex((loss) => !Number.isFinite(loss));
      const blamed = ids.filter((_, batch) => !Number.isFinite(losses[batch]));
      if (bad >= 0) throw notFinite("loss", losses[bad]!, step, blamed);
      if (total !== undefined && !Number.isFinite(total)) throw notFiniteElsewhere(step, total);
      if (norm !== undefined && !Number.isFinite(norm)) throw notFinite("gradient norm", norm, step, ids);
    }
  }

  get #everyBatch(): boolean {
    return this.recipe.gradient_scaling === "every_batch";
  }

  /** @returns whether an update is to be skipped from here on, a bool scalar */
  #remember(
    step: number,
    parts: readonly Part[],
    norm: Tensor | undefined,
    total: Tensor | undefined,
  ): Tensor {
    const losses = parts.map(({ loss }) => loss);
    const common = [...(total ? [total] : []), ...(norm ? [norm.to({ dtype: "float32" })] : [])];
    const values = keep(stack([...losses, ...common]));
    const ids = parts.map((part) => part.ids);
    this.#unread.push({ step, ids, values, numbers: values.numel, hasNorm: norm !== undefined });
    // Of several processes, none may leave out an update that another makes: their own losses do not count.
    const judged = total ? stack(common) : values;
    const broken = judged.isfinite().all().logicalNot();
    const before = this.#broken;
    this.#broken = keep(before ? before.logicalOr(broken) : broken);
    before?.dispose();
    return this.#broken;
  }

  /** Reads whether losses and gradients are finite: the one value that a float16 update needs on the host. */
  #fitScale(
    scaler: optim.GradScaler,
    step: number,
    parts: readonly Part[],
    total: Tensor | undefined,
  ): boolean {
    const losses = total ? [total] : parts.map(({ loss }) => loss);
    const gradients = scaler.unscale(this.parameters);
    const finite = scope(
      () =>
        stack([gradients, ...losses.map((loss) => loss.isfinite())])
          .all()
          .item() === 1,
    );
    try {
      scaler.update(finite);
    } catch (error) {
      if (!(error instanceof optim.LossScaleError)) throw error;
      const bad = parts.filter(({ loss }) => !Number.isFinite(loss.item()));
      const blamed = (bad.length > 0 ? bad : parts).map(({ ids }) => ids);
      throw new UserError(
        `${error.message} It happened at step ${step} with these utterances: ${listed(blamed)}. The weights were not changed.`,
        { cause: error },
      );
    }
    return finite;
  }

  /** In a scope: outside of one, the gradients would outlive their update until the collector finds them. */
  #divide(by: number): void {
    noGrad(() =>
      scope(() => {
        for (const { grad } of this.parameters) grad?.div_(by);
      }),
    );
  }
}

function notFinite(
  what: string,
  value: number,
  step: number,
  ids: readonly (readonly string[])[],
): UserError {
  return new UserError(
    `The ${what} of step ${step} must be finite, but is ${value}. The weights were not changed in it or since. Lower ` +
      `optimizer.learning_rate or look at these utterances: ${listed(ids)}.`,
  );
}

function notFiniteElsewhere(step: number, value: number): UserError {
  return new UserError(
    `The losses of step ${step} must be finite, but their sum over the processes is ${value}. The weights were not changed in it ` +
      "or since. The log of the process whose loss it is names the utterances.",
  );
}

function listed(ids: readonly (readonly string[])[]): string {
  return ids.flat().join(", ");
}
