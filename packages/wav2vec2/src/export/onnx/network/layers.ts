import { type nn, scope, type Tensor } from "@wav2vec2/libtorch";
import type { Graph, Value } from "../graph.js";
import { int8Product } from "../quantized/int8-product.js";
import { q4Product } from "../quantized/q4-product.js";

/** y = x W^T + b over the last axis. @param name of the layer, by which a number format knows it */
export function linear(
  graph: Graph,
  name: string,
  x: Value,
  { weight, bias }: { weight: Tensor; bias?: Tensor | undefined },
): Value {
  const y = product(graph, name, x, weight);
  return bias ? graph.node("Add", [y, graph.weight(bias, { beside: y })]) : y;
}

/** @param weight [out, in] */
function product(graph: Graph, name: string, given: Value, weight: Tensor): Value {
  graph.products.add(name);
  switch (graph.format.quantizationOf(name)) {
    case "int8":
      return scope(() => int8Product(graph, graph.full(given), weight));
    case "q4":
      return scope(() => q4Product(graph, graph.full(given), weight));
    case undefined: {
      const x = graph.forProducts(given);
      return graph.node("MatMul", [x, graph.weight(weight.transpose(0, 1), { beside: x })]);
    }
  }
}

/** Over the last axis, in float32. @param eps that of the layer */
export function layerNorm(graph: Graph, x: Value, { weight, bias, eps }: nn.LayerNorm): Value {
  const inputs = [graph.full(x), graph.weight(weight), graph.weight(bias)];
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
  given: Value,
  { weight, bias }: { weight: Tensor; bias?: Tensor | undefined },
  {
    stride = 1,
    pads = [0, 0],
    groups = 1,
  }: { stride?: number; pads?: [number, number]; groups?: number } = {},
): Value {
  const x = graph.forProducts(given);
  const inputs = [weight, ...(bias ? [bias] : [])].map((values) => graph.weight(values, { beside: x }));
  return graph.node("Conv", [x, ...inputs], {
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

/** What is added to what the layers before made, in float32. */
export function sum(graph: Graph, one: Value, other: Value): Value {
  return graph.node("Add", [graph.full(one), graph.full(other)]);
}
