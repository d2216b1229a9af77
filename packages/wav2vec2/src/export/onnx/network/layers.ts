import type { nn, Tensor } from "@wav2vec2/libtorch";
import type { Graph, Value } from "../graph.js";

/** y = x W^T + b over the last axis. */
export function linear(graph: Graph, x: Value, { weight, bias }: nn.Linear): Value {
  const product = graph.node("MatMul", [x, graph.weight(weight.transpose(0, 1))]);
  return bias ? graph.node("Add", [product, graph.weight(bias)]) : product;
}

/** Over the last axis. @param eps that of the layer */
export function layerNorm(graph: Graph, x: Value, { weight, bias, eps }: nn.LayerNorm): Value {
  const inputs = [x, graph.weight(weight), graph.weight(bias)];
  return graph.node("LayerNormalization", inputs, { axis: -1, epsilon: { real: eps } });
}

export function activation(graph: Graph, name: nn.ActivationName, x: Value): Value {
  switch (name) {
    case "gelu":
      return graph.node("Gelu", [x]);
    case "gelu_new":
      return graph.node("Gelu", [x], { approximate: "tanh" });
    case "relu":
      return graph.node("Relu", [x]);
    case "silu":
      return graph.node("Mul", [x, graph.node("Sigmoid", [x])]);
  }
}

/** Over [batch, channels, time]. */
export function convolution(
  graph: Graph,
  x: Value,
  { weight, bias }: { weight: Tensor; bias?: Tensor | undefined },
  {
    stride = 1,
    pads = [0, 0],
    groups = 1,
  }: { stride?: number; pads?: [number, number]; groups?: number } = {},
): Value {
  const inputs = [x, graph.weight(weight), ...(bias ? [graph.weight(bias)] : [])];
  return graph.node("Conv", inputs, {
    kernel_shape: [weight.shape[2]!],
    strides: [stride],
    pads,
    group: groups,
  });
}

/** Swaps the last two of three axes. */
export function swapped(graph: Graph, x: Value): Value {
  return graph.node("Transpose", [x], { perm: [0, 2, 1] });
}
