// Batches of a split from audio files through worker threads, without a network: speed, padding and memory over epochs.
//   node benchmarks/load-batches.mjs DATA SPLIT [EPOCHS] [WORKERS] [BATCH_SECONDS]
// For example, memory over 20 epochs:
//   node --expose-gc benchmarks/load-batches.mjs ../shared/data/LibriSpeech-mini train-clean-100 20

import { batchOrder, paddingShare } from "../packages/wav2vec2/dist/data/batches/batches.js";
import { batchWorkers, loadBatches } from "../packages/wav2vec2/dist/data/batches/load-batches.js";
import { readCorpus } from "../packages/wav2vec2/dist/data/corpus/corpus.js";

const [data, split, epochs = 20, threads = 1, batchSeconds = 100] = process.argv
  .slice(2)
  .map((value, i) => (i < 2 ? value : Number(value)));
const { utterances } = await readCorpus(data, split, { transcripts: "none" });
const hours = utterances.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
console.log(
  `${utterances.length} utterances, ${hours.toFixed(2)} h, ${threads} threads, batches of ${batchSeconds} s`,
);

const preparation = { seed: 1, normalize: true, collation: { task: "ctc", minimumSamples: 400 } };
const planned = [];
function* jobs() {
  for (const { epoch, indices } of batchOrder(
    utterances,
    { batchSeconds, seed: 1 },
    { epoch: 0, batch: 0 },
  )) {
    if (epoch === epochs) return;
    if (epoch === 0) planned.push(indices);
    yield { preparation, epoch, clips: indices.map((index) => utterances[index]) };
  }
}

const workers = threads > 0 ? batchWorkers(threads) : undefined;
let [epoch, seconds, sum, began] = [0, 0, 0, performance.now()];
const resident = [];
const report = () => {
  const elapsed = (performance.now() - began) / 1000;
  globalThis.gc?.();
  resident.push(process.memoryUsage.rss() / 2 ** 20);
  console.log(
    `epoch ${epoch}  ${(seconds / elapsed).toFixed(0)} s of audio a second  resident ${resident.at(-1).toFixed(0)} MB`,
  );
  [seconds, began] = [0, performance.now()];
};
for await (const { batch, job } of loadBatches(jobs(), { workers })) {
  if (job.epoch !== epoch) {
    report();
    epoch = job.epoch;
  }
  sum += batch.input[0];
  seconds += batch.lengths.reduce((total, length) => total + length, 0) / 16000;
}
report();
await workers?.close();
console.log(
  `padding of the first epoch ${(100 * paddingShare(utterances, planned)).toFixed(2)} %, first samples add up to ${sum.toFixed(6)}`,
);
const half = resident.slice(1, Math.ceil(resident.length / 2));
const rest = resident.slice(Math.ceil(resident.length / 2));
const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;
if (rest.length > 0 && half.length > 0)
  console.log(
    `mean resident memory ${mean(half).toFixed(0)} MB in the first half, ${mean(rest).toFixed(0)} MB in the second`,
  );
