import { hostname } from "node:os";
import { setTimeout as after } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { GpuStream } from "./gpu/gpu-stream.js";
import { MachineSampler } from "./machine/machine-sampler.js";
import type { SamplerMessage, SamplerSetup } from "./messages.js";

/** A first reading this soon: what comes at the start of a run is worth to be seen. */
const FIRST_SECONDS = 1;
/** It waits for a GPU's first: nvidia-smi needs a second or two to begin. */
const GPU_SECONDS = 5;

const port = parentPort!;
const tell = (message: SamplerMessage): void => port.postMessage(message);
const { rank, seconds, machine, directory, device } = workerData as SamplerSetup;
const host = hostname();
const sampler = new MachineSampler({ machine, directory });
const gpu = new GpuStream({
  device,
  intervalMs: seconds * 1000,
  onNote: (text) => tell({ kind: "note", text }),
});

port.once("message", () => {
  // Asked to end: nothing is left behind, such as a nvidia-smi.
  gpu.close();
  process.exit();
});

await sampler.read();
await Promise.all([
  after(1000 * Math.min(seconds, FIRST_SECONDS)),
  Promise.race([gpu.heard, after(1000 * GPU_SECONDS)]),
]);
for (;;) {
  const began = performance.now();
  const values = { ...(await sampler.read()), ...gpu.read() };
  tell({ kind: "reading", reading: { time: Date.now(), rank, host, values } });
  await after(Math.max(0, 1000 * seconds - (performance.now() - began)));
}
