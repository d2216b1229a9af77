// What is measured: jobs that users wait for, each with the work that it needs.

import { contextFlops, encoderFlops, framesOf, headFlops, stepFlops } from "../gpu/flops.mjs";
import { NETWORKS } from "./networks.mjs";

export const RATE = 16000;

/**
 * @typedef {object} Job
 * @property {string} name of --only
 * @property {string} title
 * @property {"products" | "inference" | "finetune" | "pretrain" | "busy" | "transcribe" | "loading" | "help" | "import" | "first"} kind
 * @property {string} [network] of networks.mjs
 * @property {number} [clips] in a batch
 * @property {number} [seconds] of each clip
 * @property {boolean} [frozen] without gradients of the convolutions
 */

/** @type {readonly Job[]} */
export const JOBS = [
  { name: "products", title: "Products of square matrices", kind: "products" },
  inference("base", 1, 10),
  inference("base", 4, 10),
  inference("large", 1, 10),
  inference("large", 4, 10),
  {
    name: "finetune-frozen",
    title: "Fine-tuning step, BASE, frozen feature encoder, 4 x 10 s",
    kind: "finetune",
    network: "base",
    clips: 4,
    seconds: 10,
    frozen: true,
  },
  {
    name: "finetune-whole",
    title: "Fine-tuning step, BASE, everything trained, 4 x 10 s",
    kind: "finetune",
    network: "base",
    clips: 4,
    seconds: 10,
  },
  {
    name: "pretrain-base",
    title: "Pre-training step, BASE, 4 x 10 s",
    kind: "pretrain",
    network: "base-pretraining",
    clips: 4,
    seconds: 10,
  },
  {
    name: "pretrain-tiny",
    title: "Pre-training step, configs/pretrain-tiny.yaml's network (1.2 M parameters), 8 x 3 s",
    kind: "pretrain",
    network: "tiny-pretraining",
    clips: 8,
    seconds: 3,
  },
  {
    name: "busy",
    title: "Inference, BASE, 1 x 10 s, beside a process that keeps one core busy",
    kind: "busy",
    network: "base",
    clips: 1,
    seconds: 10,
  },
  {
    name: "transcribe",
    title: "FLAC to text from the command line, BASE, 20 clips of --data, with start-up",
    kind: "transcribe",
    network: "base",
  },
  {
    name: "loading",
    title: "Loading BASE, from imported modules until every weight was read once",
    kind: "loading",
    network: "base",
  },
  { name: "help", title: "`wav2vec2 --help`", kind: "help" },
  {
    name: "import",
    title: 'Importing: `import "wav2vec2"`, `import torch, transformers`',
    kind: "import",
  },
  {
    name: "first",
    title: "First transcript from the command line: a clip of 3 s, the tiny model",
    kind: "first",
    network: "tiny",
    clips: 1,
    seconds: 3,
  },
];

function inference(network, clips, seconds) {
  return {
    name: `inference-${network}-${clips}x${seconds}`,
    title: `Inference, ${network.toUpperCase()}, ${clips} x ${seconds} s`,
    kind: "inference",
    network,
    clips,
    seconds,
  };
}

/**
 * @param {Job} job
 * @returns {number | undefined} floating-point operations of its matrix products
 */
export function jobFlops({ kind, network, clips, seconds, frozen }) {
  if (!["inference", "busy", "finetune", "pretrain"].includes(kind)) return undefined;
  const samples = seconds * RATE;
  const { config } = NETWORKS[network];
  if (kind === "inference" || kind === "busy") {
    const frames = framesOf(config, samples);
    const parts = [
      encoderFlops(config, samples),
      contextFlops(config, frames),
      headFlops(config, "finetune", frames),
    ];
    return clips * parts.reduce((sum, part) => sum + part, 0);
  }
  return stepFlops(config, { task: kind, samples: Array(clips).fill(samples), frozenEncoder: frozen });
}
