import type { Tensor } from "@wav2vec2/libtorch";
import { OBJECT, requireArguments } from "../argument-kinds.js";

/** What a forward pass was asked to show of its inside. */
export class Trace {
  /** The first layer's input and the output of every layer that ran, each [batch, time, width]. */
  readonly hiddenStates: Tensor[] | undefined;
  /** Attention weights behind dropout of every layer that ran, each [batch, heads, time, time]. */
  readonly attentions: Tensor[] | undefined;
  /** Whether a layer that LayerDrop leaves out counts as one that changes nothing. */
  readonly everyLayer: boolean;

  constructor(wanted: {
    outputHiddenStates?: boolean | "every layer" | undefined;
    outputAttentions?: boolean | undefined;
  }) {
    requireArguments("new Trace", { wanted: [wanted, OBJECT] });
    this.hiddenStates = wanted.outputHiddenStates ? [] : undefined;
    this.everyLayer = wanted.outputHiddenStates === "every layer";
    this.attentions = wanted.outputAttentions ? [] : undefined;
  }

  /** Keeps the weights, gives the rest. */
  attend({ attended, weights }: { attended: Tensor; weights: Tensor }): Tensor {
    this.attentions?.push(weights);
    return attended;
  }
}
