import { featureFrames, type Wav2Vec2Config } from "./configuration.js";

/** Each clip's own frames behind the first `layers` convolutions (all of them when left out). */
export function validFrames(
  config: Pick<Wav2Vec2Config, "convKernel" | "convStride">,
  lengths: readonly number[],
  layers = config.convKernel.length,
): number[] {
  const { convKernel, convStride } = config;
  const first = { convKernel: convKernel.slice(0, layers), convStride: convStride.slice(0, layers) };
  return lengths.map((samples) => featureFrames(first, samples));
}

/** The fewest samples that make a frame behind the convolutions and the adapter's; 400 for the published models. */
export function minimumSamples(config: Wav2Vec2Config): number {
  let samples = 1;
  for (let layer = 0; config.addAdapter && layer < config.numAdapterLayers; layer++) {
    samples = Math.max(1, (samples - 1) * config.adapterStride + config.adapterKernelSize - 2);
  }
  for (let layer = config.convKernel.length - 1; layer >= 0; layer--) {
    samples = (samples - 1) * config.convStride[layer]! + config.convKernel[layer]!;
  }
  return samples;
}
