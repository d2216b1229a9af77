import { noGrad, optim, type Tensor } from "@wav2vec2/libtorch";
import { UserError } from "../../errors.js";
import type { Recipe } from "../recipe/recipe.js";

/** A batch's part in an update. */
interface Part {
  ids: readonly string[];
  loss: number;
  count: number;
}

/**
 * The gradients of one update's batches: those of sums are added up and divided once by what all the sums counted, so
 * that many small batches equal one large one. (Hugging Face's run_wav2vec2_pretraining_no_trainer.py divides all
 * gradients so far after each batch, the earlier ones again and again; `gradient_scaling: every_batch` does that too.)
 */
export class Gradients {
  /** Of float16's losses, whose gradients would vanish otherwise. */
  readonly scaler: optim.GradScaler | undefined;
  #parts: Part[] = [];

  constructor(
    readonly parameters: readonly Tensor[],
    private readonly recipe: Pick<
      Recipe,
      "gradient_scaling" | "gradient_accumulation" | "optimizer" | "precision"
    >,
  ) {
    this.scaler = recipe.precision === "float16" ? new optim.GradScaler() : undefined;
  }

  /**
   * Adds those of a loss that is a sum over `count` parts, such as masked frames.
   *
   * @returns whether the loss is finite
   */
  add(loss: Tensor, count: number, ids: readonly string[]): boolean {
    const part = this.#everyBatch ? loss.div(this.recipe.gradient_accumulation) : loss;
    (this.scaler?.scale(part) ?? part).backward();
    const value = loss.item();
    this.#parts.push({ ids, loss: value, count });
    if (this.#everyBatch && count > 0) this.#divide(count);
    return Number.isFinite(value);
  }

  /**
   * Divides by the parts of all batches and clips.
   *
   * @param step for messages
   * @returns the norm before clipping; undefined where there is nothing to update with: no part at all, or gradients
   * too large for float16, which the next updates scale less
   * @throws UserError where a loss or gradient is not finite, naming the utterances; the weights are as they were
   */
  finish(step: number): number | undefined {
    const parts = this.#parts;
    this.#parts = [];
    const bad = parts.filter(({ loss }) => !Number.isFinite(loss));
    if (this.scaler) {
      const finite = this.scaler.unscale(this.parameters) && bad.length === 0;
      this.#fitScale(finite, step, bad.length > 0 ? bad : parts);
      if (!finite) return undefined;
    }
    if (bad[0]) throw notFinite("loss", bad[0].loss, step, bad);
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    if (count === 0) return undefined;
    if (!this.#everyBatch && count !== 1) this.#divide(count);
    const most = this.recipe.optimizer.max_grad_norm || Number.POSITIVE_INFINITY;
    const norm = optim.clipGradNorm(this.parameters, most);
    if (!Number.isFinite(norm)) throw notFinite("gradient norm", norm, step, parts);
    return norm;
  }

  get #everyBatch(): boolean {
    return this.recipe.gradient_scaling === "every_batch";
  }

  #fitScale(finite: boolean, step: number, parts: readonly Part[]): void {
    try {
      this.scaler?.update(finite);
    } catch (error) {
      if (!(error instanceof optim.LossScaleError)) throw error;
      throw new UserError(
        `${error.message} It happened at step ${step} with these utterances: ${idsOf(parts)}. The weights were not changed.`,
        { cause: error },
      );
    }
  }

  #divide(by: number): void {
    noGrad(() => {
      for (const { grad } of this.parameters) grad?.div_(by);
    });
  }
}

function notFinite(what: string, value: number, step: number, parts: readonly Part[]): UserError {
  return new UserError(
    `The ${what} of step ${step} must be finite, but is ${value}. The weights were not changed. Lower ` +
      `optimizer.learning_rate or look at these utterances: ${idsOf(parts)}.`,
  );
}

function idsOf(parts: readonly Part[]): string {
  return parts.flatMap(({ ids }) => ids).join(", ");
}
