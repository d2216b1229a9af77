// A network for pre-training as its backward pass meets it: which gradients come when.
import { contextFlops, encoderFlops, framesOf, headFlops } from "../gpu/flops.mjs";

/** @typedef {import("wav2vec2").Wav2Vec2Config} Config */
/** @typedef {{ parameters: number, flops: number }} Part
 *  parameters: each is one tensor's; flops: forward operations that lie between the gradient before and this one */

/**
 * The gradients in the order in which the backward pass makes them, from the loss to the first convolution.
 * @param {Config} config
 * @param {number} samples of a clip
 * @returns {Part[]}
 */
export function gradients(config, samples) {
  const {
    hiddenSize: H,
    intermediateSize: I,
    convDim,
    convKernel,
    codevectorDim: D,
    projCodevectorDim: P,
  } = config;
  const { numConvPosEmbeddings: K, numConvPosEmbeddingGroups: G, numHiddenLayers, convBias } = config;
  const frames = framesOf(config, samples);
  const features = convDim.at(-1);
  const entries = config.numCodevectorGroups * config.numCodevectorsPerGroup;
  const linear = (input, output) => ({
    parameters: input * output + output,
    flops: 2 * frames * input * output,
  });
  const norm = (width) => ({ parameters: 2 * width, flops: 0 });
  const parts = [
    { parameters: H * P + P, flops: headFlops(config, "pretrain", frames) },
    { parameters: D * P + P, flops: 0 },
    { parameters: (entries * D) / config.numCodevectorGroups, flops: 0 },
    { parameters: features * entries + entries, flops: 0 },
  ];
  const attention = { parameters: 0, flops: 4 * frames * frames * H };
  for (let layer = 0; layer < numHiddenLayers; layer++) {
    parts.push(norm(H), linear(I, H), linear(H, I), norm(H), linear(H, H), attention);
    parts.push(linear(H, H), linear(H, H), linear(H, H));
  }
  parts.push(norm(H), { parameters: (H / G) * H * K + H + K, flops: 2 * frames * (H / G) * H * K });
  parts.push({ parameters: H, flops: 0 }, linear(features, H), norm(features)); // the mask's vector, the projection
  const layerNorms = config.featExtractNorm === "layer";
  for (let i = convDim.length - 1; i >= 0; i--) {
    const channels = i === 0 ? 1 : convDim[i - 1];
    const normed = layerNorms || i === 0 ? 2 * convDim[i] : 0;
    const before = encoderFlops({ ...config, convDim: convDim.slice(0, i) }, samples);
    const flops = encoderFlops({ ...config, convDim: convDim.slice(0, i + 1) }, samples) - before;
    parts.push({ parameters: normed, flops: 0 });
    parts.push({ parameters: channels * convDim[i] * convKernel[i] + (convBias ? convDim[i] : 0), flops });
  }
  return parts.filter(({ parameters, flops }) => parameters + flops > 0);
}

/** Numbers that are trained. @param {Config} config */
export function parametersOf(config) {
  return gradients(config, 16_000).reduce((sum, { parameters }) => sum + parameters, 0);
}

/**
 * Tensors that are trained: biases and norms count for themselves.
 * @param {Config} config
 */
export function tensorsOf({ numHiddenLayers, convDim, featExtractNorm, convBias }) {
  const convolutions =
    convDim.length * (1 + Number(convBias)) + 2 * (featExtractNorm === "layer" ? convDim.length : 1);
  return 16 * numHiddenLayers + convolutions + 17;
}

/** Of a clip, with LayerDrop's share left out: `stepFlops` counts so too. @param {Config} config */
export function forwardFlops(config, samples) {
  const frames = framesOf(config, samples);
  return contextFlops(config, frames) + headFlops(config, "pretrain", frames) + encoderFlops(config, samples);
}
