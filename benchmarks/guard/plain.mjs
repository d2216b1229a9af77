// What the network's parts need at least, as bare operators of libtorch with weights of their own: how long these take on a
// machine is what the guard measures the parts by.
import {
  conv1d,
  groupNorm,
  keep,
  layerNorm,
  linear,
  nn,
  noGrad,
  randn,
  scaledDotProductAttention,
} from "@wav2vec2/libtorch";

/** @param {{ hiddenSize: number, intermediateSize: number, numAttentionHeads: number }} config */
export function plainLayer({ hiddenSize: width, intermediateSize: inner, numAttentionHeads: heads }) {
  const matrices = [1, 1, 1, 1].map(() => weight([width, width]));
  const [up, down] = [weight([inner, width]), weight([width, inner])];
  const scale = weight([width]);
  /** [batch, time, width] to the same */
  return (x) => {
    const [batch, time] = x.shape;
    const [query, key, value] = matrices.slice(0, 3).map((matrix) =>
      linear(x, matrix)
        .view([batch, time, heads, width / heads])
        .transpose(1, 2),
    );
    const attended = scaledDotProductAttention(query, key, value)
      .transpose(1, 2)
      .reshape([batch, time, width]);
    const hidden = layerNorm(x.add(linear(attended, matrices[3])), [width], scale);
    return layerNorm(hidden.add(linear(linear(hidden, up).gelu(), down)), [width], scale);
  };
}

/** @param {{ convDim: number[], convKernel: number[], convStride: number[], featExtractNorm: "group" | "layer" }} config */
export function plainEncoder({ convDim, convKernel, convStride, featExtractNorm }) {
  const weights = convDim.map((width, i) => weight([width, convDim[i - 1] ?? 1, convKernel[i]]));
  /** [batch, samples] to [batch, frames, channels] */
  return (input) => {
    const features = weights.reduce((x, kernel, i) => {
      const made = conv1d(x, kernel, undefined, convStride[i]);
      const width = convDim[i];
      const normalised =
        featExtractNorm === "layer"
          ? layerNorm(made.transpose(1, 2), [width]).transpose(1, 2)
          : i === 0
            ? groupNorm(made, width)
            : made;
      return normalised.gelu();
    }, input.unsqueeze(1));
    return features.transpose(1, 2);
  };
}

/** A network of these with a backward pass through all of it. */
export function plainNetwork(config) {
  const encoder = plainEncoder(config);
  const project = weight([config.hiddenSize, config.convDim.at(-1)]);
  const layers = Array.from({ length: config.numHiddenLayers }, () => plainLayer(config));
  return (input) => {
    const context = layers.reduce((x, layer) => layer(x), linear(encoder(input), project));
    context.square().mean().backward();
  };
}

function weight(shape) {
  return nn.parameter(keep(noGrad(() => randn(shape).mul(0.05))));
}
