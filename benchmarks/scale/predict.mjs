// What an update takes on N GPUs, from the pieces.
import { PRESETS } from "wav2vec2";
import { buckets, exchange } from "./exchange.mjs";
import { forwardFlops, gradients, parametersOf, tensorsOf } from "./parts.mjs";
import { share } from "./plan.mjs";

const RATE = 16_000;
/** LibriSpeech's mean clip, in seconds; longer ones cost more in attention. */
const CLIP = 12.3;

/** The published recipes: parts of an update that compute at the same time in the paper, one a GPU. */
export const NETWORKS = {
  BASE: { preset: "base", batchSeconds: 87.5, parts: 64, updates: 400_000, hours: 1.6 },
  LARGE: { preset: "large-lv60", batchSeconds: 75, parts: 128, updates: 250_000, hours: 2.7 },
};

/**
 * @typedef {object} Case
 * @property {keyof typeof NETWORKS} network
 * @property {"a100" | "h100"} card
 * @property {number} gpus
 * @property {number} batchSeconds a process's part
 * @property {number} accumulation
 * @property {"cards" | "ethernet"} [between] what connects hosts. Default: a card a GPU
 * @property {"none" | "bfloat16"} [compression]
 */

/**
 * @param {Case} one
 * @param {import("./numbers.mjs").Numbers} numbers
 * @param {{ samples: number }[]} utterances
 */
export function predict(one, numbers, utterances) {
  const { gpus, accumulation, batchSeconds } = one;
  const config = PRESETS[NETWORKS[one.network].preset];
  const sharing = { processes: gpus, accumulation, batchSeconds };
  const { mean, waiting, updates: updatesAnEpoch } = share(utterances, sharing);
  const parameters = parametersOf(config);
  const hosts = Math.ceil(gpus / numbers.hostGpus);

  const clip = Math.round(CLIP * RATE);
  const flops = (3 * forwardFlops(config, clip) * mean) / CLIP;
  const batch = flops / (numbers.share * numbers[`${one.card}Peak`]);
  // AdamW reads weight, gradient and both moments, and writes all but the gradient.
  const optimizer = (7 * 4 * parameters) / (numbers.memoryShare * numbers[`${one.card}Memory`]);

  const between = one.between === "ethernet" ? numbers.ethernet : numbers[`${one.card}Between`];
  const sent = exchange(buckets(gradients(config, clip)), {
    backward: (2 / 3) * batch,
    processes: gpus,
    bandwidth: hosts === 1 ? numbers[`${one.card}Host`] : Math.min(between, numbers[`${one.card}Host`]),
    latency: numbers.hostLatency + 2 * numbers.hopLatency * Math.log2(hosts),
    bytesShare: one.compression === "bfloat16" ? 0.5 : 1,
  });

  const compute = accumulation * batch;
  const waits = (compute * waiting) / (1 - waiting);
  const gpu = compute + waits + sent.exposed + optimizer;
  // The host launches all operations, then asks all others in the control vector, and goes on with the next update.
  const layers = config.numHiddenLayers * (1 - config.layerdrop);
  const launches =
    numbers.launch *
    (accumulation * (layers * numbers.layerLaunches + numbers.otherLaunches) + numbers.updateLaunches);
  const control = 2 * (gpus - 1) * numbers.controlHop;
  const planning = numbers.planning / updatesAnEpoch;
  const host = launches + control + planning;
  const seconds = Math.max(gpu, host);
  const audio = gpus * accumulation * mean;

  const losses = { waiting: waits, gradients: sent.exposed, optimiser: optimizer };
  const hostParts = { launching: launches, "control vector": control, planning };
  const largest = (parts) => Object.entries(parts).reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  return {
    parameters,
    mean,
    waiting,
    audio,
    compute,
    sent,
    optimizer,
    gpu,
    launches,
    control,
    planning,
    host,
    seconds,
    efficiency: compute / seconds,
    limit: host > gpu ? largest(hostParts) : largest(losses),
    speechASecond: (accumulation * mean) / seconds,
    controlBytes: 8 * (numbers.controlNumbers + tensorsOf(config)),
    updatesAnEpoch,
    hosts,
  };
}

/** What goes with it: disk, network file system, store, failures. @param {ReturnType<typeof predict>} found */
export function supplies(found, { gpus }, numbers) {
  const { speechASecond, hosts, parameters, seconds } = found;
  const checkpoint = 12 * parameters;
  const write = checkpoint / numbers.disk;
  const every = 1000 * seconds;
  return {
    workers: speechASecond * (1 / numbers.decode + 1 / numbers.masks),
    hostBytes: (speechASecond * numbers.flac * gpus) / hosts,
    allBytes: speechASecond * numbers.flac * gpus,
    epoch: found.updatesAnEpoch * seconds,
    checkpoint,
    snapshotShare: checkpoint / numbers.snapshot / every,
    write,
    every,
    meeting: gpus * (gpus - 1) * numbers.pairMeeting,
    failureHours: numbers.interval / gpus,
  };
}
