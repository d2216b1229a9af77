// A second head that tells speakers apart, trained with the first one: own module, own loss, own metric. The run has all
// that finetune has: report, checkpoints, resume, processes. node examples/14-own-loss-and-head.mjs DATA OUTPUT [STEPS]
import { crossEntropyLoss, nn, tensor } from "@wav2vec2/libtorch";
import { finetune, frameMask, loadRecipe, trackRun, Wav2Vec2ForCTC } from "wav2vec2";

class CtcAndSpeaker extends Wav2Vec2ForCTC {
  speakerHead = new nn.Linear(this.config.hiddenSize, 64); // room for 64 speakers
}

/** Adds the loss of the second head; the best model is that of the fewest wrong characters. */
const withSpeakers = (base) => {
  const speakers = [...new Set(base.utterances.map(({ speaker }) => speaker))];
  const numbers = new Map(base.utterances.map(({ id, speaker }) => [id, speakers.indexOf(speaker)]));
  const loss = (batch) => {
    const { logits, frames, lastHiddenState: hidden } = base.forward(batch); // [batch, frames, width]
    const own = frameMask(frames, hidden.shape[1], hidden.device).unsqueeze(2); // a clip's own frames
    const scores = base.ctc.model.speakerHead.forward(
      hidden
        .mul(own)
        .sum([1])
        .div(own.sum([1])),
    );
    const targets = tensor(Int32Array.from(batch.ids, (id) => numbers.get(id))).to({ dtype: "int64" });
    const speaker = crossEntropyLoss(scores, targets);
    return { loss: base.ctc.model.loss(logits, frames, batch).add(speaker), count: 1, sums: { speaker } };
  };
  return { ...base, loss, criterion: "cer" };
};

const [root, output, steps = "3200"] = process.argv.slice(2);
const file = new URL("../configs/finetune-digits.yaml", import.meta.url);
const recipe = loadRecipe(file, { data: { root }, output, max_steps: Number(steps) });
const tracker = trackRun(output);
const { metrics } = await finetune(recipe, { tracker, model: CtcAndSpeaker, task: withSpeakers });
await tracker.close();
console.log(`speaker and characters: CER ${(metrics.cer * 100).toFixed(1)} %`);
