import { setupCommand } from "../../setup/places.mjs";
import { gpus } from "../device.js";
import { builtFor } from "./built-for.js";
import { type CudaBuild, cudaBuild, runsOnCapability } from "./cuda-build.js";
import { type NvidiaCard, type NvidiaDriver, nvidiaDriver } from "./nvidia-driver.js";

/** Whether a GPU can be used, and otherwise what is missing. The CPU works in every case. */
export interface GpuReport {
  readonly usable: boolean;
  /** What there is, or why it cannot be used. */
  readonly found: string;
  /** What to do about it; undefined where nothing is missing. */
  readonly remedy?: string;
}

/** @internal What a report rests on. */
export interface GpuFacts {
  readonly build: CudaBuild | undefined;
  readonly driver: NvidiaDriver;
  /** Whether libtorch itself sees a card, or Apple's GPU. */
  readonly cuda: boolean;
  readonly mps: boolean;
  /** The major number of the oldest driver that runs this build's CUDA, where set-up knows it. */
  readonly oldestDriver: number | undefined;
  /** What NCCL lacks to be compiled against. */
  readonly ncclMissing: readonly string[];
  readonly visibleDevices: string | undefined;
}

/** PyPI's last torch whose CUDA runs with drivers from 525 on, and its last with kernels for cards as old as 5.0. */
const OLDER = { driver: "2.10.0", card: "2.7.1" };

/** Looks at libtorch, the driver and the cards. */
export function gpuReport(): GpuReport {
  const { cudaDevices, mps } = gpus();
  const described = builtFor()?.cuda;
  return describeGpu({
    build: cudaBuild(),
    driver: nvidiaDriver(),
    cuda: cudaDevices > 0,
    mps,
    oldestDriver: described?.oldestDriver,
    ncclMissing: described?.missing ?? [],
    visibleDevices: process.env.CUDA_VISIBLE_DEVICES,
  });
}

/** @internal */
export function describeGpu(facts: GpuFacts): GpuReport {
  const { build, driver, mps } = facts;
  if (mps) return { usable: true, found: "Apple's, by Metal" };
  if (build === undefined) {
    if (driver.state !== "working")
      return { usable: false, found: "none that this libtorch can use; runs on the CPU" };
    return {
      usable: false,
      found: `${list(driver.cards)}, but this libtorch is built for the CPU`,
      remedy: `${setupCommand("cuda")} takes one with CUDA.`,
    };
  }
  return driver.state === "working"
    ? withDriver(facts, build, driver)
    : { usable: false, ...withoutDriver(facts, build) };
}

function withoutDriver({ driver, oldestDriver }: GpuFacts, build: CudaBuild): Omit<GpuReport, "usable"> {
  const here = `libtorch has CUDA ${build.version}`;
  switch (driver.state) {
    case "out of reach":
      return {
        found: `${here} and the system NVIDIA's driver ${driver.version}, but no card can be reached from here`,
        remedy:
          "Start the container with its cards (docker run --gpus all; in Kubernetes the limit nvidia.com/gpu).",
      };
    case "failing":
      return {
        found: `${here}, but NVIDIA's driver fails: "${"message" in driver ? driver.message : ""}"`,
        remedy: "Load its kernel module (sudo modprobe nvidia), or restart the machine after an update.",
      };
    default:
      return {
        found: `${here}, but there is no NVIDIA driver; runs on the CPU`,
        remedy: `Install NVIDIA's driver${oldestDriver === undefined ? "" : `, ${oldestDriver} or newer`}; in a container, on its host.`,
      };
  }
}

function withDriver(
  { cuda, oldestDriver, ncclMissing, visibleDevices }: GpuFacts,
  build: CudaBuild,
  driver: NvidiaDriver & { state: "working" },
): GpuReport {
  const has = `CUDA ${build.version}, driver ${driver.version}, ${list(driver.cards)}`;
  if (oldestDriver !== undefined && Number.parseInt(driver.version, 10) < oldestDriver) {
    return {
      usable: cuda,
      found: `${has}: this CUDA needs a driver of ${oldestDriver} or newer`,
      remedy: `Update NVIDIA's driver, or take an older CUDA: ${setupCommand("cuda")}==${OLDER.driver}`,
    };
  }
  const lacking = driver.cards.filter(
    ({ capability }) => capability !== undefined && !runsOnCapability(build, capability),
  );
  if (lacking.length > 0) {
    const newest = build.capabilities.at(-1) ?? "0";
    const tooNew = lacking.every(({ capability }) => Number(capability) > Number(newest));
    return {
      usable: cuda && lacking.length < driver.cards.length,
      found: `${has}: this libtorch has no kernels for ${list(lacking)}, but for compute capability ${build.capabilities.join(", ")}`,
      remedy: tooNew
        ? `Take a newer torch: ${setupCommand("cuda")} after removing .libtorch/*-cuda.`
        : `Take an older torch, which has kernels from 5.0 on: ${setupCommand("cuda")}==${OLDER.card}`,
    };
  }
  if (!cuda) {
    const hidden = visibleDevices === undefined ? "" : ` (CUDA_VISIBLE_DEVICES is "${visibleDevices}")`;
    return {
      usable: false,
      found: `${has}, but libtorch sees no card${hidden}`,
      remedy: hidden
        ? "Unset CUDA_VISIBLE_DEVICES, or name a card in it."
        : "Look whether libcuda.so.1 is found (ldconfig -p | grep libcuda), and restart after updating the driver.",
    };
  }
  const nccl = ncclMissing.length === 0 ? "" : `; without NCCL (missing: ${ncclMissing.join(", ")})`;
  return { usable: true, found: `${has}${nccl}` };
}

/** "2 cards NVIDIA A100 (8.0, 80 GB)" */
function list(cards: readonly NvidiaCard[]): string {
  const counts = new Map<string, number>();
  for (const { name, capability, memoryMb } of cards) {
    const facts = [capability, memoryMb > 0 && `${Math.round(memoryMb / 1024)} GB`]
      .filter(Boolean)
      .join(", ");
    const text = facts ? `${name} (${facts})` : name;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => (count === 1 ? text : `${count} x ${text}`)).join(", ");
}
