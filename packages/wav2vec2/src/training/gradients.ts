import { noGrad, optim, type Tensor } from "@wav2vec2/libtorch";
import { UserError } from "../errors.js";
import type { Recipe } from "./recipe.js";

/** A batch's part in an update. */
interface Part {
  ids: readonly string[];
  loss: number;
  count: number;
}

/**
 * The gradients of one update's batches: those of sums are added up and divided once by what all the sums counted, so
 * that many small batches equal one large one. (Hugging Face's pre-training script divides after each batch, the
 * earlier ones again and again; `gradient_scaling: every_batch` does that too.)
 */
export class Gradients {
  #parts: Part[] = [];

  constructor(
    readonly parameters: readonly Tensor[],
    private readonly recipe: Pick<Recipe, "gradient_scaling" | "gradient_accumulation" | "optimizer">,
  ) {}

  /** Adds those of a loss that is a sum over `count` parts, such as masked frames. */
  add(loss: Tensor, count: number, ids: readonly string[]): void {
    loss.backward();
    this.#parts.push({ ids, loss: loss.item(), count });
    if (this.recipe.gradient_scaling === "every_batch")
      this.#divide(this.recipe.gradient_accumulation * count);
  }

  /**
   * Divides by the parts of all batches and clips.
   *
   * @param step for messages
   * @returns the norm before clipping
   * @throws UserError where a loss or gradient is not finite, naming the utterances; the weights are as they were
   */
  finish(step: number): number {
    const parts = this.#parts;
    this.#parts = [];
    const bad = parts.filter(({ loss }) => !Number.isFinite(loss));
    if (bad[0]) throw notFinite("loss", bad[0].loss, step, bad);
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    if (this.recipe.gradient_scaling === "once" && count !== 1) this.#divide(count);
    const norm = optim.clipGradNorm(this.parameters, this.recipe.optimizer.max_grad_norm);
    if (!Number.isFinite(norm)) throw notFinite("gradient norm", norm, step, parts);
    return norm;
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
      `optimizer.learning_rate or look at these utterances: ${parts.flatMap(({ ids }) => ids).join(", ")}.`,
  );
}
