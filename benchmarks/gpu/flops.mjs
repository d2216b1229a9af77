// Floating-point operations that a training step needs, from the network's shape alone. A product of matrices [m, k]
// and [k, n] counts 2 m k n (a multiplication and an addition each); what is done element by element is left out, as
// it is less than a hundredth. The backward pass of a product is two products of the same size, one for each of its
// inputs. Work that is done twice to save memory (gradient checkpoints) is not counted twice, so a share of the peak is
// what PaLM's authors call model FLOPs utilisation (https://arxiv.org/abs/2204.02311, appendix B).

/** @typedef {import("wav2vec2").Wav2Vec2Config} Config */
/** @typedef {{ task: "pretrain" | "finetune", samples: number[], frozenEncoder?: boolean }} Step
 *  samples: of each clip that the step hears; frozenEncoder: convolutions without gradients */

/** Of every three passes through a product: forward, gradient of the weights, gradient of the input. */
const FORWARD_AND_BACKWARD = 3;

/**
 * @param {Config} config
 * @param {Step} step
 * @returns {number} operations of forward and backward pass over all clips
 */
export function stepFlops(config, { task, samples, frozenEncoder = false }) {
  let total = 0;
  for (const length of samples) {
    const frames = framesOf(config, length);
    const trained = contextFlops(config, frames) + headFlops(config, task, frames);
    const convolutions = encoderFlops(config, length);
    total += FORWARD_AND_BACKWARD * trained + (frozenEncoder ? 1 : FORWARD_AND_BACKWARD) * convolutions;
  }
  return total;
}

/**
 * The feature encoder: layer i makes each of its frames from kernel x channels numbers. 400 ms into BASE's seven layers,
 * the second takes half of all, as its frames are ten times as many as the last one's.
 * @param {Config} config
 * @param {number} samples
 */
export function encoderFlops(config, samples) {
  let [channels, time, total] = [1, samples, 0];
  for (const [i, width] of config.convDim.entries()) {
    time = Math.floor((time - config.convKernel[i]) / config.convStride[i]) + 1;
    total += 2 * time * width * channels * config.convKernel[i];
    channels = width;
  }
  return total;
}

/**
 * Everything between the features and the head, for one clip of `frames` frames.
 *   projection        C H           C channels of the features, H the hidden size
 *   position          H H/G K       a convolution of kernel K in G groups
 *   layer             4 H H         queries, keys, values and the output's projection
 *                     2 H I         into the feed-forward's inner size I and back
 *                     2 T H         each query with T keys, and their T values
 * each times 2 T. LayerDrop leaves out its share of the layers.
 * @param {Config} config
 * @param {number} frames
 */
export function contextFlops(config, frames) {
  const {
    hiddenSize: H,
    intermediateSize: I,
    numConvPosEmbeddings: K,
    numConvPosEmbeddingGroups: G,
  } = config;
  const projection = config.convDim.at(-1) * H;
  const position = (H / G) * H * K;
  const layer = 4 * H * H + 2 * H * I + 2 * frames * H;
  const layers = config.numHiddenLayers * (1 - config.layerdrop);
  return 2 * frames * (projection + position + layers * layer);
}

/**
 * For CTC a score of every character. For pre-training the quantizer (scores of G V entries and the projection of the
 * chosen ones), the projections of both sides of the comparison, and the similarities, which are computed as one
 * product of all pairs of a clip's masked frames.
 * @param {Config} config
 * @param {"pretrain" | "finetune"} task
 * @param {number} frames
 */
export function headFlops(config, task, frames) {
  const { hiddenSize: H, convDim, codevectorDim: D, projCodevectorDim: P } = config;
  if (task === "finetune") return 2 * frames * H * config.vocabSize;
  // About this share, as spans of the mask overlap (paper, section 4.2: 49 % at p = 0.65 / 10 and spans of 10).
  const masked = frames * (1 - (1 - config.maskTimeProb / config.maskTimeLength) ** config.maskTimeLength);
  const entries = config.numCodevectorGroups * config.numCodevectorsPerGroup;
  return 2 * masked * (convDim.at(-1) * entries + D * P + H * P + masked * P);
}

/**
 * @param {Config} config
 * @param {number} samples
 */
export function framesOf(config, samples) {
  return config.convDim.reduce(
    (time, _, i) => Math.floor((time - config.convKernel[i]) / config.convStride[i]) + 1,
    samples,
  );
}
