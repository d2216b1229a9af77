import { cat } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../../../model/configuration.js";
import type { Attention } from "../../../model/transformer/attention.js";
import type { EncoderLayer } from "../../../model/transformer/encoder-layer.js";
import type { FeedForward } from "../../../model/transformer/feed-forward.js";
import type { TransformerEncoder } from "../../../model/transformer/transformer-encoder.js";
import type { Graph, Value } from "../graph.js";
import type { FrameMask } from "./frame-mask.js";
import { activation, layerNorm, linear, sum } from "./layers.js";
import { positions } from "./positions.js";

/** {@link TransformerEncoder}: [batch, frames, width] to the same */
export function transformer(
  graph: Graph,
  hidden: Value,
  encoder: TransformerEncoder,
  mask: FrameMask | undefined,
  config: Wav2Vec2Config,
): Value {
  const { doStableLayerNorm: stable } = config;
  const own = mask ? graph.node("Mul", [hidden, mask.own]) : hidden; // padding is 0
  const positioned = sum(graph, own, positions(graph, own, encoder.posConvEmbed, mask, config));
  let state = stable ? positioned : layerNorm(graph, positioned, encoder.layerNorm);
  for (const [index, layer] of encoder.layers.entries())
    state = encoderLayer(graph, `encoder.layers.${index}`, state, layer, mask, config);
  return stable ? layerNorm(graph, state, encoder.layerNorm) : state;
}

function encoderLayer(
  graph: Graph,
  name: string,
  hidden: Value,
  layer: EncoderLayer,
  mask: FrameMask | undefined,
  config: Wav2Vec2Config,
): Value {
  const attend = (x: Value) => attention(graph, `${name}.attention`, x, layer.attention, mask, config);
  const feed = (x: Value) => feedForward(graph, `${name}.feed_forward`, x, layer.feedForward, config);
  if (!config.doStableLayerNorm) {
    const normalized = layerNorm(graph, sum(graph, hidden, attend(hidden)), layer.layerNorm);
    return layerNorm(graph, sum(graph, normalized, feed(normalized)), layer.finalLayerNorm);
  }
  const residual = sum(graph, hidden, attend(layerNorm(graph, hidden, layer.layerNorm)));
  const output = sum(graph, residual, feed(layerNorm(graph, residual, layer.finalLayerNorm)));
  const adapter = layer.adapterLayer;
  if (!adapter) return output;
  const bottleneck = `${name}.adapter`;
  const inner = linear(graph, bottleneck, layerNorm(graph, output, adapter.norm), adapter.linear_1);
  return sum(graph, output, linear(graph, bottleneck, graph.node("Relu", [inner]), adapter.linear_2));
}

/** Query, key and value are one product; the scale of scores is in the query's weights. */
function attention(
  graph: Graph,
  name: string,
  hidden: Value,
  { qProj, kProj, vProj, outProj }: Attention,
  mask: FrameMask | undefined,
  { numAttentionHeads: heads, hiddenSize: width }: Wav2Vec2Config,
): Value {
  const size = width / heads;
  const scale = size ** -0.5;
  const weight = cat([qProj.weight.mul(scale), kProj.weight, vProj.weight]);
  const bias = cat([qProj.bias!.mul(scale), kProj.bias!, vProj.bias!]);
  const joined = linear(graph, name, hidden, { weight, bias }); // [batch, frames, 3 width]
  const split = graph.node("Reshape", [joined, graph.integers([0, 0, 3 * heads, size])]);
  const [query, key, value] = graph.nodes("Split", [split], 3, { axis: 2, num_outputs: 3 }); // [batch, frames, heads, size]
  const turned = (x: Value, perm: number[]) => graph.node("Transpose", [x], { perm });
  const scores = graph.node("MatMul", [turned(query!, [0, 2, 1, 3]), turned(key!, [0, 2, 3, 1])]);
  const masked = mask ? sum(graph, scores, mask.attention) : graph.full(scores); // [batch, heads, frames, frames]
  const shares = graph.node("Softmax", [masked], { axis: -1 });
  const attended = graph.node("MatMul", [graph.forProducts(shares), turned(value!, [0, 2, 1, 3])]);
  const merged = graph.node("Reshape", [turned(attended, [0, 2, 1, 3]), graph.integers([0, 0, width])]);
  return linear(graph, name, merged, outProj); // [batch, frames, width]
}

function feedForward(
  graph: Graph,
  name: string,
  hidden: Value,
  { intermediateDense, outputDense }: FeedForward,
  { hiddenAct }: Wav2Vec2Config,
): Value {
  const inner = activation(graph, hiddenAct, linear(graph, name, hidden, intermediateDense));
  return linear(graph, name, inner, outputDense);
}
