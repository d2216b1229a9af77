import { checkCount } from "./arguments.js";
import { gpus } from "./device.js";
import { native } from "./native.js";
import { handleOf, wrap } from "./tensors/handles.js";
import type { Device, Tensor } from "./tensors/tensor.js";

export interface LibtorchInfo {
  readonly version: string;
  /** The kernels libtorch chose for this processor, for example "AVX2". */
  readonly cpuCapability: string;
  readonly threads: number;
  readonly cuda: boolean;
  readonly mps: boolean;
  /** libtorch's own account of its thread pools. */
  readonly parallel: string;
}

export function libtorchInfo(): LibtorchInfo {
  const { cudaConfiguration: _, ...information } = native.information();
  const { cudaDevices, mps } = gpus();
  return { ...information, cuda: cudaDevices > 0, mps };
}

/** What this bridge computes differently because the loaded libtorch would compute it wrongly. */
export function workarounds(): readonly string[] {
  return native.workarounds();
}

/** The threads of one operator. @throws TorchError outside 1 to 1024. */
export function setThreads(threads: number): void {
  native.setThreads(threads);
}

/** Denormal numbers become zero; slow ones appear in well-trained models. @returns whether the CPU can. */
export function setFlushDenormal(enabled: boolean): boolean {
  return native.setFlushDenormal(enabled);
}

/** Seeds the random numbers of all devices. */
export function manualSeed(seed: number): void {
  native.seed(seed);
}

/** Uniform numbers from [0, 1) as `rand` draws them on the CPU: on the host, without a tensor to read them from. */
export function uniform(count: number): Float32Array {
  checkCount("uniform", "count", count);
  const drawn = new Float32Array(count);
  native.uniform(drawn);
  return drawn;
}

/** The state of a device's random numbers, as uint8; `setRandomState` continues from it. */
export function randomState(device: Device = "cpu"): Tensor {
  return wrap(native.randomState(device));
}

export function setRandomState(state: Tensor, device: Device = "cpu"): void {
  native.setRandomState(device, handleOf(state, "setRandomState", "state"));
}

/** Tensors that JavaScript holds now, and bytes of large CPU blocks in use, at most so far, and kept for reuse. */
export function memoryStatistics(): {
  liveTensors: number;
  liveBytes: number;
  peakBytes: number;
  cachedBytes: number;
} {
  return native.memory();
}

/** Returns kept blocks to the system. */
export function releaseMemory(): void {
  native.releaseMemory();
}

/** What crossed between the host's memory and tensors, in this process. */
export interface BridgeCounters {
  /** Reads of values on the host: `item`, `toArray`, `equal`, moves to the CPU. Each waits for the device. */
  readonly reads: number;
  /** Arrays of the host that became tensors, and tensors moved from the CPU to another device. */
  readonly copies: number;
  readonly copiedBytes: number;
}

/** Counts since `resetBridgeCounters`, for tests that a loop waits for its device only where it must. */
export function bridgeCounters(): BridgeCounters {
  return native.transferCounts();
}

export function resetBridgeCounters(): void {
  native.resetTransferCounts();
}
