import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import { bridgePath, setupCommand } from "../setup/places.mjs";
import { BridgeError, TorchError } from "./errors.js";
import { loadOwnLibraries } from "./gpu/own-libraries.js";

/** What the C++ bridge exports; tensors cross it as handles (numbers). See native/src/addon.cpp. */
export interface Native {
  setErrorClass(errorClass: typeof TorchError): void;
  lookup(operator: string, overload: string): number;
  operatorNames(): string[];
  schema(operator: number): string;
  call(operator: number, ...parameters: unknown[]): unknown;
  applyInPlace(operator: number, ...parameters: unknown[]): void;
  workarounds(): string[];
  free(handle: number): void;
  isLive(handle: number): boolean;
  enterScope(): void;
  leaveScope(kept: readonly number[]): void;
  persist(handle: number): boolean;
  adjustExternalMemory(bytes: number): void;
  fromBytes(data: NodeJS.TypedArray, shape: readonly number[], dtype: string): number;
  shareBytes(data: NodeJS.TypedArray, shape: readonly number[], dtype: string): number;
  toDevice(data: NodeJS.TypedArray, shape: readonly number[], dtype: string, device: string): number;
  toBytes(handle: number, into: NodeJS.TypedArray): void;
  readFiles(
    handles: readonly number[],
    files: readonly number[],
    positions: readonly number[],
  ): [index: number, error: number] | undefined;
  snapshot(
    handles: readonly number[],
    positions: readonly number[],
    memory: readonly NodeJS.TypedArray[],
  ): void;
  mapFile(path: string): ArrayBuffer | number;
  item(handle: number): number | boolean;
  shape(handle: number): number[];
  dtype(handle: number): string;
  device(handle: number): string;
  byteLength(handle: number): number;
  isContiguous(handle: number): boolean;
  requiresGrad(handle: number): boolean;
  setRequiresGrad(handle: number, required: boolean): void;
  gradient(handle: number): number | undefined;
  setGradient(handle: number, gradient: number | undefined): void;
  backward(
    handles: readonly number[],
    gradients: readonly number[],
    retainGraph: boolean,
    createGraph: boolean,
  ): void;
  gradientsOf(
    outputs: readonly number[],
    inputs: readonly number[],
    gradients: readonly number[],
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (number | undefined)[];
  setGradMode(enabled: boolean): boolean;
  registerHook(handle: number, hook: (gradient: number) => number | undefined): number;
  removeHook(handle: number, id: number): void;
  checkpoint(body: (...inputs: number[]) => number, inputs: readonly number[]): number | undefined;
  enterAutocast(device: string, dtype: string, enabled: boolean): [boolean, string];
  leaveAutocast(device: string, dtype: string, enabled: boolean): void;
  autocastDtype(device: string): string | undefined;
  information(): {
    version: string;
    cpuCapability: string;
    parallel: string;
    threads: number;
    cudaConfiguration: string;
  };
  setThreads(threads: number): void;
  setFlushDenormal(enabled: boolean): boolean;
  seed(seed: number): void;
  randomState(device: string): number;
  setRandomState(device: string, state: number): void;
  gpus(): [cudaBuild: boolean, cudaDevices: number, mps: boolean];
  synchronize(device: string): void;
  deviceMemory(device: string): [used: number, peak: number] | undefined;
  defineMetaKernels(operators: readonly string[]): void;
  uniform(into: Float32Array): void;
  transferCounts(): { reads: number; copies: number; copiedBytes: number };
  resetTransferCounts(): void;
  fastDropout(handle: number, p: number): number;
  fastGeluConvolution(
    input: number,
    weight: number,
    bias: number,
    frames: readonly number[],
    stride: number,
    dtype: string,
  ): number;
  fastLongConvolution(
    input: number,
    weight: number,
    spectra: number | undefined,
    padding: number,
    groups: number,
  ): number;
  longConvolutionSpectra(input: number, weight: number, padding: number, groups: number): number;
  fastStridedConvolution(input: number, weight: number, bias: number | undefined, stride: number): number;
  fastAttention(query: number, key: number, value: number, bias: number | undefined, p: number): number;
  memory(): { liveTensors: number; liveBytes: number; peakBytes: number; cachedBytes: number };
  releaseMemory(): void;
  startProfile(): void;
  profileModule(key: string): void;
  stopProfile(): [labels: [module: string, operator: string][], seconds: number[], changes: number[]];
  backends(): string[];
  openStore(host: string, port: number, hostsIt: boolean, timeoutMs: number): Promise<number>;
  storePort(store: number): number;
  storeSet(store: number, key: string, value: Uint8Array): Promise<void>;
  storeGet(store: number, key: string): Promise<Uint8Array>;
  storeCheck(store: number, keys: readonly string[]): Promise<boolean>;
  storeAdd(store: number, key: string, amount: number): Promise<number>;
  storeDelete(store: number, key: string): Promise<boolean>;
  closeStore(store: number): Promise<void>;
  openGroup(
    store: number,
    prefix: string,
    rank: number,
    size: number,
    backend: string,
    timeoutMs: number,
    address: string,
    networkInterface: string,
  ): Promise<number>;
  closeGroup(group: number): Promise<void>;
  allReduce(group: number, handle: number, reduction: string): Promise<void>;
  broadcastTensor(group: number, handle: number, root: number): Promise<void>;
  allGather(group: number, into: readonly number[], handle: number): Promise<void>;
  reduceScatter(group: number, into: number, handles: readonly number[]): Promise<void>;
  barrier(group: number): Promise<void>;
  openReducer(
    group: number,
    parameters: readonly number[],
    order: readonly number[],
    firstBytes: number,
    bytes: number,
    bfloat16: boolean,
    traced: boolean,
  ): number;
  closeReducer(reducer: number): void;
  reducerBegin(reducer: number, active: Uint8Array): void;
  reducerSend(reducer: number): void;
  reducerFinish(reducer: number): Promise<void>;
  reducerArrived(reducer: number, into: Uint8Array): void;
  reducerAssign(reducer: number, used: Uint8Array): void;
  reducerOrder(reducer: number, arrivals: boolean): number[];
  reducerArrange(reducer: number, order: readonly number[]): void;
  reducerTrace(reducer: number): number[];
  digestOf(handles: readonly number[]): string;
}

function load(): Native {
  const path = bridgePath();
  if (!existsSync(path)) {
    const advice = process.env.LIBTORCH_BRIDGE
      ? "Correct LIBTORCH_BRIDGE, which names it."
      : `Run '${setupCommand()}'.`;
    throw new BridgeError(`The bridge to libtorch must be built, but ${path} is missing. ${advice}`);
  }
  // OpenMP threads that wait for work spin for milliseconds, which on shared cores takes them from those that have
  // work: a step became ten times slower. Spinning for some 20 us before they sleep is fastest on idle cores too
  // (1.35 times faster than sleeping at once). libgomp reads this when it is loaded.
  if (!process.env.OMP_WAIT_POLICY) process.env.GOMP_SPINCOUNT ??= "20000";
  // oneDNN keeps compiled kernels for this many shapes; its 1,024 would grow by megabytes with every new length.
  process.env.ONEDNN_PRIMITIVE_CACHE_CAPACITY ??= "128";
  // c10d writes about connections that it tries again, with a C++ trace; what fails comes as an error.
  process.env.TORCH_CPP_LOG_LEVEL ??= "FATAL";
  loadOwnLibraries(path);
  let native: Native;
  try {
    native = createRequire(import.meta.url)(path) as Native;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BridgeError(
      `The bridge to libtorch must load, but does not: ${reason}. Run '${setupCommand()}'.`,
    );
  }
  native.setErrorClass(TorchError);
  // Some builds start with one thread whatever the machine has.
  if (isMainThread && !process.env.OMP_NUM_THREADS) native.setThreads(availableParallelism());
  return native;
}

/** The bridge, which is loaded where it is used first: who imports this package does not pay for libtorch yet. */
export let native: Native = new Proxy({} as Native, {
  get(_unloaded, name) {
    native = load();
    return native[name as keyof Native];
  },
});
