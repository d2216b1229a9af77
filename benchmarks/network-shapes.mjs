/** Shapes of networks: pretrain-tiny.yaml's and BASE. */
export const SHAPES = {
  tiny: {
    convDim: [64, 128, 160],
    convKernel: [40, 8, 4],
    convStride: [20, 4, 4],
    featExtractNorm: "layer",
    convBias: true,
    doStableLayerNorm: true,
    hiddenSize: 160,
    numHiddenLayers: 3,
    numAttentionHeads: 4,
    intermediateSize: 640,
    numConvPosEmbeddings: 16,
    numConvPosEmbeddingGroups: 8,
  },
  base: {},
};
