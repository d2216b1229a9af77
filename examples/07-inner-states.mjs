// What a checkpoint computes inside: node examples/07-inner-states.mjs MODEL FILE [TARGET]
// MODEL is a directory in Hugging Face's layout or a Hub id; TARGET gets the network without its head.
import { noGrad, tensor } from "@wav2vec2/libtorch";
import {
  loadModel,
  normalize,
  readAudio,
  readNormalize,
  resolveModel,
  saveModel,
  Wav2Vec2Model,
} from "wav2vec2";

const [name, file, target] = process.argv.slice(2);
const directory = await resolveModel(name);
const model = (await loadModel(Wav2Vec2Model, directory)).eval();
const normalizes = await readNormalize(directory);
const samples = normalizes ? normalize(await readAudio(file)) : await readAudio(file);
const input = tensor(samples, [1, samples.length]);
const output = noGrad(() => model.forward({ input, outputHiddenStates: true, outputAttentions: true }));
for (const [layer, state] of output.hiddenStates.entries()) {
  const rms = state.square().mean().sqrt().item();
  console.log(
    `${layer === 0 ? "input" : `layer ${layer}`}  [${state.shape}]  root mean square ${rms.toFixed(3)}`,
  );
}
for (const [layer, weights] of output.attentions.entries()) {
  const entropy = weights.mul(weights.clamp(1e-9).log()).sum([-1]).neg().mean().item();
  console.log(
    `layer ${layer + 1}  attends to about ${Math.exp(entropy).toFixed(1)} of ${weights.shape[3]} frames`,
  );
}
if (target) await saveModel(target, model, { normalize: normalizes });
