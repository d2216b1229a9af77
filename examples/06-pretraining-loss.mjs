// Self-supervised learning, one step: mask spans, find each masked frame's quantized features among distractors.
import { manualSeed, optim, randn, scope } from "@wav2vec2/libtorch";
import { createConfig, featureFrames, samplePreTrainingTargets, Wav2Vec2ForPreTraining } from "wav2vec2";

manualSeed(0);
const config = createConfig({ numHiddenLayers: 2, maskTimeProb: 0.65 }); // BASE with two layers, the paper's masks
const model = new Wav2Vec2ForPreTraining(config).train();
const optimizer = new optim.AdamW(model.parameters(), { learningRate: 1e-4 });
const input = randn([2, 32000]); // two clips of two seconds and of one and a half
const lengths = [32000, 24000];
const frames = lengths.map((samples) => featureFrames(config, samples));
const targets = samplePreTrainingTargets(config, frames, frames[0]); // masks and distractors
const shown = scope(() => {
  const output = model.forward({ input, lengths, ...targets });
  const { loss, contrastiveLoss, diversityLoss, maskedFrames, codevectorPerplexity, codes } = output;
  loss.div(maskedFrames).backward(); // the parts are sums over masked frames
  return {
    "masked frames": maskedFrames,
    "contrastive loss": (contrastiveLoss.item() / maskedFrames).toFixed(3), // nats; chance is ln 101 = 4.615
    "diversity loss": (diversityLoss.item() / maskedFrames).toFixed(3),
    perplexity: `${codevectorPerplexity.item().toFixed(1)} of 640`,
    "codes of frame 0": codes.select(0, 0).select(0, 0).toArray().join(" "),
  };
});
optimizer.step();
for (const [name, value] of Object.entries(shown)) console.log(`${name.padEnd(17)} ${value}`);
