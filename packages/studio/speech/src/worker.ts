import type { WarmRequest, WorkerRequest } from "./messages.js";
import type { Ort } from "./recognition.js";

// Recognises, off the page's own thread. The engine is fetched and compiled at once, while the rest of the worker's code comes.

const recognition = import("./recognition.js");
const engines = new Map<string, Promise<Ort>>();

addEventListener("message", ({ data }: MessageEvent<WorkerRequest>) => {
  if (data.type === "warm")
    void openEngine("wasm", data).catch(() => {}); // told where a model is to be loaded
  else void recognition.then(({ take }) => take(data, openEngine));
});

/** onnxruntime's module, whose WebAssembly is being compiled. */
function openEngine(name: "wasm" | "webgpu", { runtime, threads }: Omit<WarmRequest, "type">): Promise<Ort> {
  const opened = engines.get(name) ?? importEngine(name, runtime, threads);
  engines.set(name, opened);
  return opened;
}

async function importEngine(name: "wasm" | "webgpu", runtime: string, threads: number): Promise<Ort> {
  const ort = (await import(/* @vite-ignore */ `${runtime}ort.${name}.bundle.min.mjs`)) as Ort;
  const kind = name === "webgpu" ? ".asyncify" : "";
  ort.env.wasm.wasmPaths = { wasm: `${runtime}ort-wasm-simd-threaded${kind}.wasm` };
  ort.env.wasm.numThreads = threads;
  if (name === "wasm") startEngine(ort); // WebGPU's makes one session at a time
  return ort;
}

/** Has the engine's 14 MB fetched and compiled, which it does before it looks at what it is to run. */
function startEngine(ort: Ort): void {
  // Of the same kind as the model's session, which then waits for this start. No model is refused.
  const session = { executionProviders: ["wasm"], logSeverityLevel: 4 } as const;
  void ort.InferenceSession.create(new Uint8Array(1), session).catch(() => {});
}
