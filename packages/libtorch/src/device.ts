import { native } from "./native.js";
import type { Device } from "./tensors/tensor.js";

/** Which devices beside the CPU this process can use. */
export interface Gpus {
  /** Whether this libtorch has CUDA, with or without a card that it finds. */
  readonly cudaBuild: boolean;
  /** NVIDIA GPUs that are seen. */
  readonly cudaDevices: number;
  /** Apple's GPU. */
  readonly mps: boolean;
}

export function gpus(): Gpus {
  const [cudaBuild, cudaDevices, mps] = native.gpus();
  return { cudaBuild, cudaDevices, mps };
}

/** Waits for all work that a device was given, as measurements need; at once on the CPU. */
export function synchronize(device: Device): void {
  native.synchronize(device);
}

/**
 * Bytes of tensors on a device now, and the most so far.
 *
 * @returns undefined where libtorch does not count them: on the CPU, Apple's GPUs, and before 2.9
 */
export function deviceMemory(device: Device): { used: number; peak: number } | undefined {
  const [used, peak] = native.deviceMemory(device) ?? [];
  return used === undefined ? undefined : { used, peak: peak! };
}
