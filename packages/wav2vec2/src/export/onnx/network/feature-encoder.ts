import type { nn } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../../../model/configuration.js";
import type { FeatureEncoder } from "../../../model/features/feature-encoder.js";
import type { Graph, Value } from "../graph.js";
import { activation, convolution, layerNorm, swapped } from "./layers.js";

/** {@link FeatureEncoder}: [batch, samples] to [batch, frames, channels] */
export function featureEncoder(
  graph: Graph,
  samples: Value,
  { convLayers }: FeatureEncoder,
  config: Wav2Vec2Config,
): Value {
  let x = graph.node("Unsqueeze", [samples, graph.integers([1])]); // [batch, 1, samples]
  for (const [layer, convLayer] of convLayers.entries()) {
    const centred = layer === 0 && config.featExtractNorm === "group"; // its norm takes any bias away
    const { weight, bias } = convLayer.conv;
    x = convolution(
      graph,
      x,
      { weight, bias: centred ? undefined : bias },
      { stride: config.convStride[layer]! },
    ); // [batch, channels, time]
    if ("layerNorm" in convLayer) x = norm(graph, x, convLayer.layerNorm, config);
    x = activation(graph, config.featExtractActivation, x);
  }
  return swapped(graph, x); // [batch, frames, channels]
}

/** Of every channel over time, where each channel is a group; or over channels. */
function norm(graph: Graph, x: Value, layer: nn.GroupNorm | nn.LayerNorm, config: Wav2Vec2Config): Value {
  if (config.featExtractNorm === "layer")
    return swapped(graph, layerNorm(graph, swapped(graph, x), layer as nn.LayerNorm)); // [batch, channels, time]
  const inputs = [graph.full(x), graph.weight(layer.weight), graph.weight(layer.bias)];
  return graph.node("InstanceNormalization", inputs, { epsilon: { real: layer.eps } });
}
