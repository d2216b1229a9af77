// Utterances of a corpus, and batches of them made by a worker thread:
//   node examples/08-batches.mjs DATA SPLIT
import { batchOrder, batchWorkers, LibriSpeechDataset, loadBatches } from "wav2vec2";

const [data = "data", split = "train-clean-100"] = process.argv.slice(2);
const dataset = await LibriSpeechDataset.open(data, { splits: [split], minSeconds: 0.1, maxSeconds: 20 });
console.log(
  `${dataset.length} utterances of ${dataset.speakers.size} speakers, ${dataset.hours.toFixed(2)} h`,
);

const { id, text, audio } = await dataset.read(0);
console.log(`${id}: ${audio.length} samples, "${text}"`);

/** One epoch of batches of at most 30 s, longest clip x clips. */
function* jobs() {
  const preparation = { seed: 1, normalize: true, collation: { task: "ctc", minimumSamples: 400 } };
  for (const { epoch, indices } of batchOrder(dataset.utterances, { batchSeconds: 30, seed: 1 })) {
    if (epoch > 0) return;
    yield { preparation, epoch, clips: indices.map((index) => dataset.get(index)) };
  }
}

const workers = batchWorkers(1);
for await (const { batch } of loadBatches(jobs(), { workers })) {
  console.log(`${batch.ids.length} clips, [${batch.ids.length}, ${batch.paddedLength}] samples`); // valid until the next
}
await workers.close();
