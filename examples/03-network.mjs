// wav2vec 2.0 from the waveform to character scores, stage by stage, with random weights.
import { noGrad, randn } from "@wav2vec2/libtorch";
import { createConfig, featureFrames, Wav2Vec2ForCTC } from "wav2vec2";

const config = createConfig({ numHiddenLayers: 2 }); // BASE with two of its twelve layers
const model = new Wav2Vec2ForCTC(config).eval();
const input = randn([2, 16000]); // two clips of a second
noGrad(() => {
  const { wav2vec2 } = model;
  const features = wav2vec2.featureExtractor.forward(input, [16000, 16000]);
  const { hidden } = wav2vec2.featureProjection.forward(features);
  const context = wav2vec2.encoder.forward(hidden, [49, 49]);
  console.log(`frames of a second   ${featureFrames(config, 16000)}`);
  console.log(`feature encoder      [${features.shape}]`);
  console.log(`feature projection   [${hidden.shape}]`);
  console.log(`transformer          [${context.shape}]`);
  console.log(`character scores     [${model.forward({ input }).logits.shape}]`);
});
console.log(`parameters           ${(model.parameterCount() / 1e6).toFixed(1)} M`);
