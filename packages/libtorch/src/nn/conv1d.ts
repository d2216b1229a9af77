import { checkBoolean, checkCount, checkOptions } from "../arguments.js";
import { argumentError } from "../errors.js";
import { LongConvolution } from "../fast/long-convolution.js";
import { stridedConvolution } from "../fast/strided-convolution.js";
import { conv1d } from "../operators/operators.generated.js";
import { handleOf } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { fanInUniform } from "./init.js";
import { Module } from "./module.js";
import { parameter } from "./parameter.js";

export interface Conv1dOptions {
  /** 1 when left out. */
  stride?: number | undefined;
  /** Zeros at each end; none when left out. */
  padding?: number | undefined;
  /** Into which input and output channels are divided; 1 when left out. */
  groups?: number | undefined;
  /** True when left out. */
  bias?: boolean | undefined;
  /** [batch, time, channels] in and out, without padding and groups; false when left out: PyTorch's order. */
  channelsLast?: boolean | undefined;
}

/** Convolution over time. `weight` [outChannels, inChannels / groups, kernel], `bias` [outChannels]. */
export class Conv1d extends Module {
  weight: Tensor;
  bias: Tensor | undefined;
  readonly #stride: number;
  readonly #padding: number;
  readonly #groups: number;
  readonly #channelsLast: boolean;
  readonly #long = new LongConvolution();

  constructor(inChannels: number, outChannels: number, kernel: number, options: Conv1dOptions = {}) {
    super();
    const kind = "Conv1d";
    checkCount(kind, "inChannels", inChannels, 1);
    checkCount(kind, "outChannels", outChannels, 1);
    checkCount(kind, "kernel", kernel, 1);
    checkOptions(kind, options, ["stride", "padding", "groups", "bias", "channelsLast"]);
    const { stride = 1, padding = 0, groups = 1, bias = true, channelsLast = false } = options;
    checkCount(kind, "stride", stride, 1);
    checkCount(kind, "padding", padding);
    checkCount(kind, "groups", groups, 1);
    checkBoolean(kind, "bias", bias);
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw argumentError(
        kind,
        `'groups' must divide ${inChannels} channels into ${outChannels} evenly, but is ${groups}`,
      );
    checkBoolean(kind, "channelsLast", channelsLast);
    if (channelsLast && (padding !== 0 || groups !== 1))
      throw argumentError(
        kind,
        `'padding' and 'groups' must be 0 and 1 with channelsLast, but are ${padding} and ${groups}`,
      );
    this.#stride = stride;
    this.#padding = padding;
    this.#groups = groups;
    this.#channelsLast = channelsLast;
    const fanIn = (inChannels / this.#groups) * kernel;
    this.weight = parameter(fanInUniform([outChannels, inChannels / this.#groups, kernel], fanIn));
    this.bias = bias ? parameter(fanInUniform([outChannels], fanIn)) : undefined;
  }

  override extraRepr(): string {
    const [outChannels, inChannels, kernel] = this.weight.shape as [number, number, number];
    const last = this.#channelsLast ? ", channelsLast=true" : "";
    const options = `stride=${this.#stride}, padding=${this.#padding}, groups=${this.#groups}, bias=${this.bias !== undefined}`;
    return `${inChannels * this.#groups}, ${outChannels}, kernel=${kernel}, ${options}${last}`;
  }

  /**
   * [batch, inChannels, time] to [batch, outChannels, floor((time + 2 padding - kernel) / stride) + 1]; with channelsLast,
   * channels behind time in both
   */
  forward(x: Tensor): Tensor {
    handleOf(x, "conv1d", "x");
    if (this.#channelsLast) return stridedConvolution(x, this.weight, this.bias, this.#stride);
    if (this.#stride === 1) return this.#long.forward(x, this.weight, this.bias, this.#padding, this.#groups);
    return conv1d(x, this.weight, this.bias, this.#stride, this.#padding, 1, this.#groups);
  }
}
