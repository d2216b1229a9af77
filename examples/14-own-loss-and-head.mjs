// A second head that tells speakers apart, trained with the first one: own module, own loss, own metric. The run has all
// that finetune has: report, checkpoints, resume, processes. node examples/14-own-loss-and-head.mjs DATA OUTPUT [STEPS]
import { crossEntropyLoss, nn, tensor } from "@wav2vec2/libtorch";
import { finetune, frameMask, loadRecipe, trackRun, Wav2Vec2ForCTC } from "wav2vec2";

class CtcAndSpeaker extends Wav2Vec2ForCTC {
  speakerHead = new nn.Linear(this.config.hiddenSize, 64); // of up to 64 speakers
}

const [root, output, steps = "3200"] = process.argv.slice(2);
const file = new URL("../configs/finetune-digits.yaml", import.meta.url);
const recipe = loadRecipe(file, { data: { root }, output, max_steps: Number(steps) });
const tracker = trackRun(output);
const { metrics } = await finetune(recipe, {
  tracker,
  model: CtcAndSpeaker,
  // Adds the loss of the second head; the best model is that of the fewest wrong characters.
  task(base) {
    const { model } = base.ctc;
    const speakerOf = new Map(base.utterances.map(({ id, speaker }) => [id, speaker]));
    const speakers = [...new Set(speakerOf.values())];
    return {
      ...base,
      criterion: "cer",
      loss(batch) {
        const { logits, frames, lastHiddenState: hidden } = base.forward(batch); // [batch, frames, width]
        const own = frameMask(frames, hidden.shape[1], hidden.device).unsqueeze(2); // a clip's own frames
        const mean = hidden
          .mul(own)
          .sum([1])
          .div(own.sum([1])); // [batch, width]
        const numbers = batch.ids.map((id) => speakers.indexOf(speakerOf.get(id)));
        const targets = tensor(numbers, { dtype: "int64", device: hidden.device });
        const speaker = crossEntropyLoss(model.speakerHead.forward(mean), targets);
        return { loss: model.loss(logits, frames, batch).add(speaker), count: 1, sums: { speaker } };
      },
    };
  },
});
if (metrics) console.log(`speaker and characters: CER ${(metrics.cer * 100).toFixed(1)} %`);
