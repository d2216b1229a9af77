import { FINITE, type Kind, optional, requireArguments } from "../argument-kinds.js";
import { featureFrames, type Wav2Vec2Config } from "./configuration.js";
import { CONFIG } from "./configuration-kind.js";

const LENGTHS: Kind = {
  must: "a list of each clip's samples",
  holds: (value) => Array.isArray(value) || value instanceof Int32Array,
};

/** Each clip's own frames behind the first `layers` convolutions (all of them when left out). */
export function validFrames(
  config: Pick<Wav2Vec2Config, "convKernel" | "convStride">,
  lengths: readonly number[],
  layers?: number,
): number[] {
  requireArguments("validFrames", {
    config: [config, CONFIG],
    lengths: [lengths, LENGTHS],
    layers: [layers, optional(FINITE)],
  });
  const { convKernel, convStride } = config;
  const first = { convKernel: convKernel.slice(0, layers), convStride: convStride.slice(0, layers) };
  return lengths.map((samples) => featureFrames(first, samples));
}

/** The fewest samples that make so many frames behind the convolutions; 400 make one for the published models. */
export function receptiveField(
  config: Pick<Wav2Vec2Config, "convKernel" | "convStride">,
  frames = 1,
): number {
  requireArguments("receptiveField", { config: [config, CONFIG], frames: [frames, FINITE] });
  const { convKernel, convStride } = config;
  let samples = frames;
  for (let layer = convKernel.length - 1; layer >= 0; layer--) {
    samples = (samples - 1) * convStride[layer]! + convKernel[layer]!;
  }
  return samples;
}

/** The fewest samples that make a frame behind the convolutions and the adapter's; 400 for the published models. */
export function minimumSamples(config: Wav2Vec2Config): number {
  requireArguments("minimumSamples", { config: [config, CONFIG] });
  let frames = 1;
  for (let layer = 0; config.addAdapter && layer < config.numAdapterLayers; layer++) {
    frames = Math.max(1, (frames - 1) * config.adapterStride + config.adapterKernelSize - 2);
  }
  return receptiveField(config, frames);
}

/** Samples from one frame of the network's output to the next: 320 for the published models, 20 ms. */
export function samplesPerFrame(config: Wav2Vec2Config): number {
  requireArguments("samplesPerFrame", { config: [config, CONFIG] });
  const features = config.convStride.reduce((product, stride) => product * stride, 1);
  return config.addAdapter ? features * config.adapterStride ** config.numAdapterLayers : features;
}
