// The plan of batches as training makes it, shared by many processes.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { lengthBucketedBatches } from "../../packages/wav2vec2/dist/data/batches/batches.js";
import { Random } from "../../packages/wav2vec2/dist/data/random.js";

/** Clips of LibriSpeech's three training splits. */
const CLIPS = 281_241;
const RATE = 16_000;

/** Lengths like LibriSpeech's: most clips have 12 to 16 s, the others are spread over 1.4 to 16.4 s. */
export function clips(count = CLIPS, seed = 1) {
  const random = new Random(seed, "corpus");
  return Array.from({ length: count }, () => {
    const common = random.uniform() < 0.65;
    const seconds = common ? 12 + 4 * Math.sqrt(random.uniform()) : 1.4 + 15 * random.uniform() ** 0.8;
    return { samples: Math.round(RATE * seconds) };
  });
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

function heldBytes() {
  collect();
  return process.memoryUsage().heapUsed;
}

const planned = new Map();

/**
 * Padded seconds of an epoch's batches, in their order; what a batch takes to compute goes by it.
 * @param {{ samples: number }[]} utterances
 * @param {number} batchSeconds
 */
function epoch(utterances, batchSeconds) {
  const known = planned.get(batchSeconds);
  if (known) return known;
  const before = heldBytes();
  const began = performance.now();
  const batches = lengthBucketedBatches(utterances, { batchSeconds, seed: 1, epoch: 0 });
  const seconds = (performance.now() - began) / 1000;
  const bytes = heldBytes() - before;
  const padded = Float64Array.from(
    batches,
    (batch) =>
      (batch.reduce((most, index) => Math.max(most, utterances[index].samples), 0) * batch.length) / RATE,
  );
  const plan = { padded, seconds, bytes };
  planned.set(batchSeconds, plan);
  return plan;
}

/**
 * @param {{ samples: number }[]} utterances
 * @param {{ processes: number, accumulation: number, batchSeconds: number }} sharing
 * @returns mean: padded seconds of a batch; waiting: the share of time that processes stand still at the end of an update
 *   because another one had more to compute; updates: whole ones in an epoch
 */
export function share(utterances, { processes, accumulation, batchSeconds }) {
  const { padded, seconds, bytes } = epoch(utterances, batchSeconds);
  const size = processes * accumulation;
  let [slowest, all] = [0, 0];
  const updates = Math.floor(padded.length / size);
  for (let update = 0; update < updates; update++) {
    const own = new Float64Array(processes);
    for (let place = 0; place < size; place++) own[place % processes] += padded[update * size + place];
    all += own.reduce((sum, value) => sum + value, 0);
    slowest += processes * own.reduce((most, value) => Math.max(most, value), 0);
  }
  const mean = padded.reduce((sum, value) => sum + value, 0) / padded.length;
  return {
    mean,
    waiting: 1 - all / slowest,
    updates: padded.length / size,
    planning: seconds,
    planBytes: bytes,
  };
}
