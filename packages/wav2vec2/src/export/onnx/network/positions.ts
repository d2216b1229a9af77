import { nn, ones, type Tensor, zeros } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../../../model/configuration.js";
import type { BatchNorm } from "../../../model/transformer/batch-norm.js";
import type { PositionalConvEmbedding } from "../../../model/transformer/positional-embedding.js";
import { StackedPositionalEmbedding } from "../../../model/transformer/stacked-positional-embedding.js";
import type { Graph, Value } from "../graph.js";
import type { FrameMask } from "./frame-mask.js";
import { activation, convolution, swapped } from "./layers.js";

/** What the transformer's positions add: [batch, frames, width] to the same */
export function positions(
  graph: Graph,
  hidden: Value,
  embedding: PositionalConvEmbedding | StackedPositionalEmbedding,
  mask: FrameMask | undefined,
  config: Wav2Vec2Config,
): Value {
  if (embedding instanceof StackedPositionalEmbedding) return stacked(graph, hidden, embedding, mask, config);
  const { batchNorm, conv } = embedding;
  const input = batchNorm ? ownFrames(graph, normalized(graph, hidden, batchNorm), mask) : hidden;
  // The weight norm is folded: its product is the convolution's weight.
  const weight = conv instanceof nn.Conv1d ? conv.weight : conv.parametrizations.weight.forward();
  const layer = { weight, bias: conv.bias };
  return activation(graph, config.featExtractActivation, convolved(graph, input, layer, config));
}

function stacked(
  graph: Graph,
  hidden: Value,
  { layers }: StackedPositionalEmbedding,
  mask: FrameMask | undefined,
  config: Wav2Vec2Config,
): Value {
  const { hiddenSize: width, featExtractActivation } = config;
  const plain = [graph.weight(ones([width])), graph.weight(zeros([width]))]; // a norm without weights
  return layers.reduce((x, { conv }) => {
    const inputs = [graph.full(convolved(graph, x, conv, config)), ...plain];
    const norm = graph.node("LayerNormalization", inputs, { axis: -1, epsilon: { real: 1e-5 } });
    return ownFrames(graph, activation(graph, featExtractActivation, norm), mask);
  }, hidden);
}

/** As many frames as there are: an even kernel sees one less behind a frame than before it. */
function convolved(
  graph: Graph,
  hidden: Value,
  layer: { weight: Tensor; bias?: Tensor | undefined },
  { numConvPosEmbeddingGroups: groups }: Wav2Vec2Config,
): Value {
  const kernel = layer.weight.shape[2]!;
  const before = Math.floor(kernel / 2);
  const x = convolution(graph, swapped(graph, hidden), layer, {
    pads: [before, kernel - 1 - before],
    groups,
  });
  return swapped(graph, x); // [batch, frames, width]
}

/** Statistics of training as a factor and a term. */
function normalized(
  graph: Graph,
  hidden: Value,
  { weight, bias, runningMean, runningVar, eps }: BatchNorm,
): Value {
  const factor = weight.div(runningVar.add(eps).sqrt()); // [width]
  const term = bias.sub(runningMean.mul(factor));
  return graph.node("Add", [graph.node("Mul", [hidden, graph.weight(factor)]), graph.weight(term)]);
}

/** Padding is 0. */
function ownFrames(graph: Graph, hidden: Value, mask: FrameMask | undefined): Value {
  return mask ? graph.node("Mul", [graph.full(hidden), mask.own]) : hidden;
}
