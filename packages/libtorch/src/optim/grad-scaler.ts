import { checkBoolean, checkCount, checkNumber, checkOptions, describe } from "../arguments.js";
import { noGrad } from "../autograd.js";
import { stateError } from "../errors.js";
import { ones, stack } from "../operators/operators.generated.js";
import { handleOf, requireTensors, scope } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";

export interface GradScalerOptions {
  /** The first scale. */
  scale?: number;
  growthFactor?: number;
  backoffFactor?: number;
  /** Updates in a row with finite gradients after which the scale grows. */
  growthInterval?: number;
  /** The scale below which `update` gives up; fairseq's `min_loss_scale`. */
  minimumScale?: number;
}

const OPTION_KEYS = ["scale", "growthFactor", "backoffFactor", "growthInterval", "minimumScale"];

/** What a run needs to go on exactly. */
export interface GradScalerState {
  scale: number;
  /** Updates with finite gradients since the scale last changed. */
  growthTracker: number;
}

/** Gradients overflow at any scale that is left: the training is beyond what scaling can mend. */
export class LossScaleError extends Error {
  override readonly name = "LossScaleError";
  readonly code = "ERR_TORCH_LOSS_SCALE";
}

/**
 * Scales losses so that the small gradients of float16 do not become 0, and finds the scale by trying (Micikevicius et
 * al. 2018, arXiv 1710.03740, section 3.2), computed as PyTorch's `torch.amp.GradScaler`:
 *
 *     scaler.scale(loss).backward();
 *     const finite = scaler.unscale(optimizer.parameters).item() === 1;
 *     if (finite) optimizer.step();
 *     scaler.update(finite);
 */
export class GradScaler {
  #scale: number;
  #growthTracker = 0;
  readonly #growthFactor: number;
  readonly #backoffFactor: number;
  readonly #growthInterval: number;
  readonly #minimumScale: number;

  /** @throws TorchError for an option that does not exist, or a number that is out of range */
  constructor(options: GradScalerOptions = {}) {
    const kind = "GradScaler";
    checkOptions(kind, options, OPTION_KEYS);
    const { scale = 65536, growthFactor = 2, backoffFactor = 0.5 } = options;
    const { growthInterval = 2000, minimumScale = 1e-4 } = options;
    checkNumber(kind, "scale", scale, "(0, Infinity)");
    checkNumber(kind, "growthFactor", growthFactor, "(1, Infinity)");
    checkNumber(kind, "backoffFactor", backoffFactor, "(0, 1)");
    checkCount(kind, "growthInterval", growthInterval, 1);
    checkNumber(kind, "minimumScale", minimumScale, "[0, Infinity)");
    this.#scale = scale;
    this.#growthFactor = growthFactor;
    this.#backoffFactor = backoffFactor;
    this.#growthInterval = growthInterval;
    this.#minimumScale = minimumScale;
  }

  /** `loss` times the scale. */
  scale(loss: Tensor): Tensor {
    handleOf(loss, "GradScaler.scale", "loss");
    return loss.mul(this.#scale);
  }

  /**
   * Divides the gradients by the scale, once before each `update`.
   *
   * @returns whether all of them are finite, a bool scalar on their device; an update must be left out where they are not
   */
  unscale(parameters: readonly Tensor[]): Tensor {
    requireTensors(parameters, "GradScaler.unscale", "parameters");
    const inverse = Math.fround(1 / this.#scale);
    return noGrad(() =>
      scope(() => {
        const gradients = parameters.flatMap((parameter) => parameter.grad ?? []);
        if (gradients.length === 0) return ones([], { dtype: "bool", device: parameters[0]?.device });
        for (const gradient of gradients) gradient.mul_(inverse);
        return stack(gradients.map((gradient) => gradient.norm(Number.POSITIVE_INFINITY)))
          .amax()
          .isfinite();
      }),
    );
  }

  /**
   * Fits the scale to whether the gradients of this update were finite, those of all processes together.
   *
   * @throws LossScaleError where the scale would fall below its minimum
   */
  update(finite: boolean): void {
    checkBoolean("GradScaler.update", "finite", finite);
    if (!finite) {
      const scale = Math.fround(this.#scale * this.#backoffFactor);
      if (scale < this.#minimumScale) throw new LossScaleError(this.#minimumReached());
      this.#scale = scale;
      this.#growthTracker = 0;
    } else if (++this.#growthTracker === this.#growthInterval) {
      const scale = Math.fround(this.#scale * this.#growthFactor);
      if (Number.isFinite(scale)) this.#scale = scale;
      this.#growthTracker = 0;
    }
  }

  #minimumReached(): string {
    return (
      `Gradients must be finite at a loss scale of ${this.#minimumScale} or more, but overflow at ${this.#scale}: ` +
      "minimum loss scale reached. The loss is probably exploding. Lower the learning rate, clip gradients, or train " +
      "in bfloat16 or float32."
    );
  }

  state(): GradScalerState {
    return { scale: this.#scale, growthTracker: this.#growthTracker };
  }

  /** @throws TorchError when the state is none of a scaler. */
  loadState(state: GradScalerState): void {
    const { scale, growthTracker } = (state ?? {}) as Partial<GradScalerState>;
    if (
      typeof scale !== "number" ||
      typeof growthTracker !== "number" ||
      !(scale > 0 && Number.isFinite(scale) && Number.isInteger(growthTracker) && growthTracker >= 0)
    ) {
      throw stateError(
        "GradScaler",
        `the state must be a scale above 0 and a count, but is ${describe(scale)} and ${describe(growthTracker)}`,
      );
    }
    this.#scale = scale;
    this.#growthTracker = growthTracker;
  }
}
