// Every number that the prediction rests on. `--set NAME=VALUE` puts another in its place.
// "measured": on this project, on CPUs; "counted": in its code; "data sheet" and "published": by others; "assumed": by nobody here.

/** @typedef {Record<keyof typeof NUMBERS, number>} Numbers */

/** By name: value, unit, where it is from, what it is. */
export const NUMBERS = {
  share: [
    0.16,
    "",
    "published",
    "share of the card's bfloat16 peak in forward and backward (NVIDIA's trainer on BASE, A100)",
  ],
  a100Peak: [312e12, "FLOP/s", "data sheet", "A100, bfloat16, dense"],
  h100Peak: [989e12, "FLOP/s", "data sheet", "H100 SXM, bfloat16, dense"],
  a100Memory: [2.0e12, "B/s", "data sheet", "A100 80 GB, memory"],
  h100Memory: [3.35e12, "B/s", "data sheet", "H100 SXM, memory"],
  memoryShare: [0.7, "", "assumed", "of the memory's bandwidth that the optimiser's step reaches"],
  hostGpus: [8, "", "assumed", "GPUs a host, one process each"],
  a100Host: [230e9, "B/s", "assumed", "all-reduce within a host by NVLink, A100 (the link: 300e9 each way)"],
  h100Host: [360e9, "B/s", "assumed", "all-reduce within a host by NVLink, H100 (the link: 450e9 each way)"],
  a100Between: [
    160e9,
    "B/s",
    "assumed",
    "all-reduce between hosts, eight cards of 200 Gb/s a host (the wires: 200e9)",
  ],
  h100Between: [
    320e9,
    "B/s",
    "assumed",
    "all-reduce between hosts, eight cards of 400 Gb/s a host (the wires: 400e9)",
  ],
  ethernet: [
    9e9,
    "B/s",
    "assumed",
    "all-reduce between hosts, one card of 100 Gb/s a host (the wire: 12.5e9)",
  ],
  hostLatency: [20e-6, "s", "assumed", "a bucket's all-reduce within a host, beside its bytes"],
  hopLatency: [10e-6, "s", "assumed", "beside that for each doubling of hosts, there and back"],
  launch: [6e-6, "s", "assumed", "of host time for an operation on the GPU"],
  layerLaunches: [150, "", "assumed", "operations of a transformer layer, forward and backward"],
  otherLaunches: [400, "", "assumed", "operations of all else in a batch"],
  updateLaunches: [400, "", "assumed", "operations of the optimiser's step"],
  controlHop: [
    80e-6,
    "s",
    "measured",
    "processor time of a process for each of 2 (N - 1) hops of Gloo's small all-reduce (32, 64 ranks: 76 to 91 us)",
  ],
  controlNumbers: [3, "", "counted", "numbers in the control vector beside one for each parameter"],
  planning: [
    0.35,
    "s",
    "measured",
    "planning an epoch of 281,241 clips (benchmarks/batches.mjs: 0.28 to 0.66 s)",
  ],
  decode: [
    1600,
    "s/s",
    "measured",
    "speech that a worker decodes and normalises in a second (docs/audio-measured.md)",
  ],
  masks: [
    13000,
    "s/s",
    "measured",
    "speech that a worker masks and draws distractors for (docs/batches.md: 7.3 ms for 96 s)",
  ],
  flac: [18230, "B/s", "measured", "of FLAC for a second of speech (71.2 MB for 3,907 s)"],
  snapshot: [3e9, "B/s", "assumed", "copy of weights and moments from the GPU into ordinary memory"],
  disk: [0.5e9, "B/s", "assumed", "writing a checkpoint, hashed, to the run's file system"],
  pairMeeting: [
    130e-6,
    "s",
    "measured",
    "of the meeting for each of N (N - 1) addresses asked for (64 ranks: 0.5 s)",
  ],
  interval: [
    50000,
    "h",
    "published",
    "GPU hours between two failures (Llama 3: 419 in 54 days of 16,384 GPUs)",
  ],
};

/**
 * @param {string[]} changes such as `share=0.3`
 * @returns {Numbers}
 */
export function numbersWith(changes) {
  const values = Object.fromEntries(Object.entries(NUMBERS).map(([name, [value]]) => [name, value]));
  for (const change of changes) {
    const [name, text] = change.split("=");
    const value = Number(text);
    if (!(name in values) || !(value > 0))
      throw new Error(
        `--set must be NAME=VALUE with a positive value, but is ${change}. NAME is one of: ${Object.keys(values).join(", ")}.`,
      );
    values[name] = value;
  }
  return /** @type {Numbers} */ (values);
}
