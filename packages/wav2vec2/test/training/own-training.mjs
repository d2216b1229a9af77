// A training of one's own, which own-training.test.ts starts in one process and in several:
//   node own-training.mjs DATA OUTPUT [--resume]
import { crossEntropyLoss, nn, tensor } from "@wav2vec2/libtorch";
import {
  CtcTokenizer,
  createConfig,
  ctcPreparation,
  defineTask,
  resolveRecipe,
  trackRun,
  trainTask,
  Vocabulary,
  Wav2Vec2Model,
} from "wav2vec2";

const [data, output, again] = process.argv.slice(2);
const resume = again === "--resume";

class Counter extends nn.Module {
  wav2vec2 = new Wav2Vec2Model(
    createConfig({
      ...{ convDim: [16, 24], convKernel: [20, 16], convStride: [10, 32], layerdrop: 0, maskTimeProb: 0 },
      ...{ hiddenSize: 24, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 48 },
      ...{ numConvPosEmbeddings: 4, numConvPosEmbeddingGroups: 4, hiddenDropout: 0, attentionDropout: 0 },
      ...{ featProjDropout: 0, activationDropout: 0 },
    }),
  );
  head = new nn.Linear(24, 16);
}

const recipe = resolveRecipe({
  ...{
    output,
    data: { root: data, batch_size: 2 },
    max_steps: 4,
    gradient_accumulation: Number(process.env.ACCUMULATE),
  },
  ...{ logging_steps: 1, eval_steps: 2, save_steps: 2, schedule: { warmup_steps: 0 }, threads: 1 },
});
const tracker = trackRun(output, { resume, verbosity: "quiet" });
const { best } = await trainTask(recipe, { tracker, resume, system: false }, async (run) => {
  const { train, held } = await run.readSplits("required");
  const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(train.map(({ text }) => text)));
  const module = new Counter().to({ device: run.device });
  return defineTask({
    module,
    batches: await run.batchesOf(ctcPreparation(module.wav2vec2.config), { train, held, tokenizer }),
    loss(batch) {
      const input = tensor(batch.input.slice(), [batch.ids.length, batch.paddedLength]);
      const { lastHiddenState } = module.wav2vec2.forward({ input, lengths: batch.lengths });
      const scores = module.head.forward(lastHiddenState.mean([1]));
      const letters = tensor(batch.labelLengths).to({ dtype: "int64" });
      return { loss: crossEntropyLoss(scores, letters).mul(batch.ids.length), count: batch.ids.length };
    },
  });
});
if (process.env.RANK === undefined || process.env.RANK === "0") console.log(JSON.stringify(best));
