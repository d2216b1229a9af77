// Utterances of a corpus, and batches of them made by a worker thread, with the labels of what is said:
//   node examples/08-batches.mjs DATA SPLIT
import {
  batchWorkers,
  CtcTokenizer,
  createConfig,
  ctcPreparation,
  epochOfBatches,
  LibriSpeechDataset,
  loadBatches,
  Vocabulary,
} from "wav2vec2";

const [data = "data", split = "train-clean-100"] = process.argv.slice(2);
const dataset = await LibriSpeechDataset.open(data, { splits: [split], minSeconds: 0.1, maxSeconds: 20 });
console.log(
  `${dataset.length} utterances of ${dataset.speakers.size} speakers, ${dataset.hours.toFixed(2)} h`,
);

const { id, text, audio } = await dataset.read(0);
console.log(`${id}: ${audio.length} samples, "${text}"`);

const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(dataset.utterances.map((clip) => clip.text)));
const preparation = ctcPreparation(createConfig(), { seed: 1 });
// One epoch of batches of at most 30 s, longest clip x clips.
const plan = epochOfBatches(dataset.utterances, { batchSeconds: 30, seed: 1, epoch: 0 });
const jobs = plan.map(({ epoch, indices }) => ({
  preparation,
  epoch,
  clips: indices.map((index) => dataset.get(index)),
}));
const workers = batchWorkers(1);
for await (const { batch } of loadBatches(jobs, { workers, tokenizer })) {
  const { ids, paddedLength, labels } = batch; // valid until the next
  console.log(`${ids.length} clips, [${ids.length}, ${paddedLength}] samples, ${labels.length} labels`);
}
await workers.close();
