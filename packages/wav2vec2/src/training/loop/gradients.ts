import { cat, keep, noGrad, optim, scope, stack, type Tensor } from "@wav2vec2/libtorch";
import { UserError } from "../../errors.js";
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
  /** The batches' losses, and behind them the norm of the gradients where there is one, [numbers] */
  values: Tensor;
  numbers: number;
}

/** What an update is made with. */
export interface Update {
  /** Norm of the gradients before clipping, a scalar on their device. */
  norm: Tensor;
  /**
   * A bool scalar there, for `AdamW.step`: whether a loss or norm was not finite, in this update or in one before it of
   * which {@link Gradients.requireFinite} has not told yet.
   */
  skip: Tensor;
}

/**
 * The gradients of one update's batches: those of sums are added up and divided once by what all the sums counted, so
 * that many small batches equal one large one. (Hugging Face's run_wav2vec2_pretraining_no_trainer.py divides all
 * gradients so far after each batch, the earlier ones again and again; `gradient_scaling: every_batch` does that too.)
 *
 * Nothing is read from the device until {@link requireFinite} is called, but for one value an update in float16, whose
 * scale depends on it. An update that is not finite, and all behind it, leave the weights as they are by themselves.
 */
export class Gradients {
  /** Of float16's losses, whose gradients would vanish otherwise. */
  readonly scaler: optim.GradScaler | undefined;
  #parts: Part[] = [];
  #unread: Unread[] = [];
  /** Whether an unread update is not finite, a bool scalar. */
  #broken: Tensor | undefined;

  constructor(
    readonly parameters: readonly Tensor[],
    private readonly recipe: Pick<
      Recipe,
      "gradient_scaling" | "gradient_accumulation" | "optimizer" | "precision"
    >,
  ) {
    this.scaler = recipe.precision === "float16" ? new optim.GradScaler() : undefined;
  }

  /** Adds those of a loss that is a sum over `count` parts, such as masked frames. */
  add(loss: Tensor, count: number, ids: readonly string[]): void {
    const part = this.#everyBatch ? loss.div(this.recipe.gradient_accumulation) : loss;
    (this.scaler?.scale(part) ?? part).backward();
    this.#parts.push({ ids, loss: keep(loss.detach().to({ dtype: "float32" })), count });
    if (this.#everyBatch && count > 0) this.#divide(count);
  }

  /**
   * Divides by the parts of all batches and clips.
   *
   * @param step for messages
   * @returns undefined where there is nothing to update with: no part at all, or gradients too large for float16, which
   * the next updates scale less
   * @throws UserError where float16's scale has become too small, naming the utterances; the weights are as they were
   */
  finish(step: number): Update | undefined {
    const parts = this.#parts;
    if (parts.length === 0) return undefined;
    this.#parts = [];
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    try {
      if (this.scaler && !this.#fitScale(this.scaler, step, parts)) return undefined;
      if (count > 0 && !this.#everyBatch && count !== 1) this.#divide(count);
      return scope(() => {
        const most = this.recipe.optimizer.max_grad_norm || Number.POSITIVE_INFINITY;
        const norm = count > 0 ? optim.clipGradNorm(this.parameters, most) : undefined;
        const skip = this.#remember(step, parts, norm);
        return norm && { norm, skip };
      });
    } finally {
      for (const { loss } of parts) loss.dispose();
    }
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
    for (const { step, ids, numbers } of unread) {
      const losses = values.slice(first, first + ids.length);
      const norm = values.slice(first + ids.length, first + numbers);
      first += numbers;
      const bad = losses.findIndex((loss) => !Number.isFinite(loss));
      const blamed = ids.filter((_, batch) => !Number.isFinite(losses[batch]));
      if (bad >= 0) throw notFinite("loss", losses[bad]!, step, blamed);
      if (norm[0] !== undefined && !Number.isFinite(norm[0]))
        throw notFinite("gradient norm", norm[0], step, ids);
    }
  }

  get #everyBatch(): boolean {
    return this.recipe.gradient_scaling === "every_batch";
  }

  /** @returns whether an update is to be skipped from here on, a bool scalar */
  #remember(step: number, parts: readonly Part[], norm: Tensor | undefined): Tensor {
    const losses = parts.map(({ loss }) => loss);
    const values = keep(stack(norm ? [...losses, norm.to({ dtype: "float32" })] : losses));
    this.#unread.push({ step, ids: parts.map(({ ids }) => ids), values, numbers: values.numel });
    const broken = values.isfinite().all().logicalNot();
    const before = this.#broken;
    this.#broken = keep(before ? before.logicalOr(broken) : broken);
    before?.dispose();
    return this.#broken;
  }

  /** Reads whether losses and gradients are finite: the one value that a float16 update needs on the host. */
  #fitScale(scaler: optim.GradScaler, step: number, parts: readonly Part[]): boolean {
    const losses = parts.map(({ loss }) => loss);
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

  #divide(by: number): void {
    noGrad(() => {
      for (const { grad } of this.parameters) grad?.div_(by);
    });
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

function listed(ids: readonly (readonly string[])[]): string {
  return ids.flat().join(", ");
}
