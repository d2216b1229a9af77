import {
  conv1d,
  type Device,
  full,
  grad,
  libtorchInfo,
  linear,
  noGrad,
  scope,
  setThreads,
  synchronize,
  type Tensor,
} from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { computeIn } from "./compute-in.js";
import type { Precision } from "./precision-names.js";

/** What the speed depends on of a network. */
export type NetworkWidth = Pick<Wav2Vec2Config, "hiddenSize" | "intermediateSize" | "convDim">;

/** Whether gradients are computed too. */
export type Use = "training" | "inference";

/** 1.3 s of audio. */
const FEWEST_FRAMES = 64;
/** 82 s: about a batch. */
const MOST_FRAMES = 4096;
/** Of a pass, so that it is told from the clock's and the system's noise, and casts of weights weigh no more than in a batch. */
const ENOUGH_MS = 20;
/** Of the passes that are compared. */
const BUDGET_MS = 250;
const FEWEST_TURNS = 3;
const MOST_TURNS = 5;

/** Of a first look, which is over at once also where a format is fifty times slower. */
const MOST_AT_FIRST: NetworkWidth = { hiddenSize: 256, intermediateSize: 256, convDim: [128] };
/** Slower than so in the first look, a format is not looked at further. */
export const HOPELESS = 0.25;

/** {@link speedOf} bfloat16. */
export function bfloat16Speed(network: NetworkWidth, device: Device, use: Use): number {
  return speedOf("bfloat16", network, device, use);
}

/**
 * How many times as fast as in float32 a network's feed-forward block and a convolution of its feature encoder are in
 * another number format, as `autocast` computes them: the shortest of a few passes each, in turns. On a CPU it is one thread's
 * processor time, which is about the same beside other programs. Draws no random numbers. Takes well under a second.
 */
export function speedOf(format: Precision, network: NetworkWidth, device: Device, use: Use): number {
  const { hiddenSize, intermediateSize, convDim } = MOST_AT_FIRST;
  const narrow = {
    hiddenSize: Math.min(network.hiddenSize, hiddenSize),
    intermediateSize: Math.min(network.intermediateSize, intermediateSize),
    convDim: [Math.min(network.convDim.at(-1)!, convDim[0]!)],
  };
  return inOneThread(device, () => {
    const atFirst = compare(format, narrow, device, use, { leastMs: 0 });
    return atFirst < HOPELESS ? atFirst : compare(format, network, device, use, { leastMs: ENOUGH_MS });
  });
}

/** On a CPU, where threads that other programs hold up would be waited for. */
function inOneThread<T>(device: Device, body: () => T): T {
  if (device !== "cpu") return body();
  const { threads } = libtorchInfo();
  setThreads(1);
  try {
    return body();
  } finally {
    setThreads(threads);
  }
}

/** The process's time on processors, or of a GPU the time that passes. */
function milliseconds(device: Device): number {
  if (device !== "cpu") return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** @param leastMs of a pass: more frames are taken until it takes as long */
function compare(
  format: Precision,
  network: NetworkWidth,
  device: Device,
  use: Use,
  { leastMs }: { leastMs: number },
): number {
  return scope(() => {
    const parameters = makeParameters(network, device);
    const duration = (frames: number, precision: Precision) => {
      const began = milliseconds(device);
      scope(() => computeIn(precision, device, () => pass(parameters, frames, device, use)));
      synchronize(device);
      return milliseconds(device) - began;
    };
    let frames = FEWEST_FRAMES;
    duration(frames, "float32"); // memory is taken and kernels are chosen
    while (frames < MOST_FRAMES && duration(frames, "float32") < leastMs) frames *= 2;
    duration(frames, format);
    const began = milliseconds(device);
    let [float32, other] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      if (turn >= FEWEST_TURNS && milliseconds(device) - began > BUDGET_MS) break;
      float32 = Math.min(float32, duration(frames, "float32"));
      other = Math.min(other, duration(frames, format));
    }
    return float32 / other;
  });
}

interface Parameters {
  /** [intermediate, hidden] */
  up: Tensor;
  /** [hidden, intermediate] */
  down: Tensor;
  /** [channels, channels, 3] */
  kernel: Tensor;
}

function makeParameters({ hiddenSize, intermediateSize, convDim }: NetworkWidth, device: Device): Parameters {
  const channels = convDim.at(-1)!;
  return {
    up: full([intermediateSize, hiddenSize], 0.01, { device }),
    down: full([hiddenSize, intermediateSize], 0.01, { device }),
    kernel: full([channels, channels, 3], 0.01, { device }),
  };
}

/** Of as many frames out of a convolution and through a feed-forward block, and backward where it is of training. */
function pass({ up, down, kernel }: Parameters, frames: number, device: Device, use: Use): void {
  const input = {
    states: full([1, frames, up.shape[1]!], 0.01, { device }),
    features: full([1, kernel.shape[1]!, 2 * frames + 1], 0.01, { device }),
  };
  const forward = () => [
    linear(linear(input.states, up).gelu(), down), // [1, frames, hidden]
    conv1d(input.features, kernel, undefined, 2), // [1, channels, frames]
  ];
  if (use === "inference") {
    noGrad(forward);
    return;
  }
  const leaves = [up, down, kernel, input.states, input.features];
  for (const leaf of leaves) leaf.requiresGrad = true;
  const outputs = forward();
  grad(outputs, leaves, { gradOutputs: outputs.map((output) => output.detach()) });
}
