import { isGradEnabled } from "../autograd.js";
import { native } from "../native.js";
import { conv1d } from "../operators/operators.generated.js";
import { isTensor, keep, scope, wrap } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { autocastDtypeOnCpu } from "./on-cpu.js";

/** Taps from which on the detour is the shorter way. */
const FEWEST_TAPS = 32;

/**
 * Convolution over time of stride 1. With many taps, on the CPU, a product of spectra instead (Oppenheim and Schafer,
 * Discrete-Time Signal Processing, section 8.7: overlap-save), in float32 also under autocast. The positional convolution of 128
 * taps takes an eighth of the time so, and a fifth with its gradients.
 */
export class LongConvolution {
  #weight: Tensor | undefined;
  /** Of `#weight`, where no gradient is wanted. */
  #spectra: Tensor | undefined;
  #groups = 0;

  /**
   * @param x [batch, channels in, time]
   * @param weight [channels out, channels in / groups, taps]
   * @param bias [channels out]
   * @param padding zeros at each end
   * @returns [batch, channels out, time + 2 padding - taps + 1]
   */
  forward(x: Tensor, weight: Tensor, bias: Tensor | undefined, padding: number, groups: number): Tensor {
    if (!isLong(x, weight, bias, padding, groups)) {
      this.#forget();
      return conv1d(x, weight, bias, 1, padding, 1, groups);
    }
    return scope(() => {
      const wide = x.to({ dtype: "float32" });
      const spectra = this.#spectraOf(wide, weight, padding, groups);
      const found = wrap(
        native.fastLongConvolution(wide.handle, weight.handle, spectra?.handle, padding, groups),
      );
      const sum = bias ? found.add(bias.unsqueeze(1)) : found;
      return sum.to({ dtype: autocastDtypeOnCpu() ?? "float32" }); // [batch, channels out, frames]
    });
  }

  #forget(): void {
    this.#weight?.dispose();
    this.#spectra?.dispose();
    this.#weight = this.#spectra = undefined;
  }

  /**
   * Kept until the weight has other values, however these came: comparing is a twentieth of transforming. None where a
   * gradient is wanted: the weight is another one at each step.
   */
  #spectraOf(x: Tensor, weight: Tensor, padding: number, groups: number): Tensor | undefined {
    if (isGradEnabled()) {
      this.#forget();
      return undefined;
    }
    const isKnown =
      this.#weight?.shape.join() === weight.shape.join() &&
      this.#groups === groups &&
      this.#weight.equal(weight);
    if (isKnown) return this.#spectra;
    this.#forget();
    this.#weight = keep(weight.clone());
    this.#groups = groups;
    this.#spectra = keep(wrap(native.longConvolutionSpectra(x.handle, weight.handle, padding, groups)));
    return this.#spectra;
  }
}

/** What the detour is for; anything else, also what is wrong, is the operator's own business. */
function isLong(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  padding: number,
  groups: number,
): boolean {
  if (!isTensor(x) || !isTensor(weight) || (bias !== undefined && !isTensor(bias))) return false;
  const [[, channels, time], [outputs, inputs, taps]] = [x.shape, weight.shape];
  const isCast = autocastDtypeOnCpu() !== undefined;
  const dtypes = isCast ? ["float32", "bfloat16", "float16"] : ["float32"];
  return (
    x.device === "cpu" &&
    weight.device === "cpu" &&
    dtypes.includes(x.dtype) &&
    weight.dtype === "float32" &&
    (bias === undefined || bias.dtype === "float32") &&
    x.shape.length === 3 &&
    weight.shape.length === 3 &&
    (bias === undefined || bias.shape.join() === `${outputs}`) &&
    channels === inputs! * groups &&
    outputs! % groups === 0 &&
    taps! >= FEWEST_TAPS &&
    time! + 2 * padding >= taps! &&
    padding < taps! &&
    !x.shape.includes(0) &&
    !weight.shape.includes(0)
  );
}
