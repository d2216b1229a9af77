// A loop of one's own, from a corpus to gradients: node examples/13-corpus-to-loss.mjs DATA SPLIT [STEPS]
import { optim, scope } from "@wav2vec2/libtorch";
import {
  batchOrder,
  batchWorkers,
  CtcTokenizer,
  createConfig,
  ctcBatches,
  forwardBatch,
  readCorpus,
  Vocabulary,
  Wav2Vec2ForCTC,
} from "wav2vec2";

const [data, split, steps = "10"] = process.argv.slice(2);
const { utterances } = await readCorpus(data, split);
const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(utterances.map(({ text }) => text)));
const { size: vocabSize, blankId: padTokenId } = tokenizer.vocabulary;
const shape = { hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 128 }; // a small one
const config = createConfig({
  ...shape,
  vocabSize,
  padTokenId,
  ctcLossReduction: "mean",
  ctcZeroInfinity: true,
});
const model = new Wav2Vec2ForCTC(config).train();
const optimizer = new optim.AdamW(model.parameters(), { learningRate: 1e-3 });

const workers = batchWorkers(1);
const plan = batchOrder(utterances, { batchSeconds: 20, seed: 1 }); // epoch after epoch
let step = 0;
for await (const batch of ctcBatches({ model, tokenizer, normalize: true }, utterances, plan, { workers })) {
  const loss = scope(() => {
    const { logits, frames } = forwardBatch(model, batch); // [batch, frames, vocabulary]
    const loss = model.loss(logits, frames, batch);
    loss.backward();
    return loss.item();
  });
  optim.clipGradNorm(optimizer.parameters, 1);
  optimizer.step();
  optimizer.zeroGrad();
  console.log(`step ${++step}  loss ${loss.toFixed(3)}  labels ${batch.labels.length}`);
  if (step === Number(steps)) break;
}
await workers.close();
