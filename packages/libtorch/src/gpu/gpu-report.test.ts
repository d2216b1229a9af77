import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gpus } from "../device.js";
import { native } from "../native.js";
import { builtFor } from "./built-for.js";
import { cudaBuild, parseCudaConfiguration, runsOnCapability } from "./cuda-build.js";
import { describeGpu, type GpuFacts, gpuReport } from "./gpu-report.js";
import { nvidiaDriver } from "./nvidia-driver.js";

/** As libtorch 2.15.0+cu132 writes it. */
const CONFIGURATION = `  - CUDA Runtime 13.2
  - NVCC architecture flags: -gencode;arch=compute_75,code=sm_75;-gencode;arch=compute_80,code=sm_80;-gencode;arch=compute_90,code=sm_90;-gencode;arch=compute_90a,code=sm_90a;-gencode;arch=compute_120,code=sm_120
  - CuDNN 92.6
`;
const BUILD = parseCudaConfiguration(CONFIGURATION)!;

describe("the account that libtorch gives of its CUDA", () => {
  it("names the version and the cards", () => {
    expect(BUILD).toEqual({
      version: "13.2",
      capabilities: ["7.5", "8.0", "9.0", "12.0"],
      intermediate: [],
    });
    expect(parseCudaConfiguration("")).toBeUndefined();
  });

  it.each([
    ["7.0", false],
    ["7.5", true],
    ["8.6", true],
    ["8.9", true],
    ["10.0", false],
    ["12.1", true],
  ])("says whether a card of %s has kernels: %s", (capability, expected) => {
    expect(runsOnCapability(BUILD, capability)).toBe(expected);
  });

  it("counts intermediate code for all later cards", () => {
    const build = parseCudaConfiguration("- CUDA Runtime 12.4\narch=compute_90,code=compute_90")!;
    expect([runsOnCapability(build, "8.9"), runsOnCapability(build, "10.0")]).toEqual([false, true]);
  });

  it("is there for a build with CUDA, without a driver as its version alone", () => {
    const { cudaConfiguration } = native.information();
    const built = builtFor()?.cuda?.version;
    expect(parseCudaConfiguration(cudaConfiguration)?.version).toBe(built);
    if (gpus().cudaDevices > 0) expect(cudaBuild()?.capabilities.length).toBeGreaterThan(0);
    expect(runsOnCapability({ version: "13.2", capabilities: [], intermediate: [] }, "7.0")).toBe(true);
  });
});

describe("nvidiaDriver, with a program in nvidia-smi's place", () => {
  let folder: string;
  const path = process.env.PATH;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nvidia-"));
    process.env.PATH = folder;
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });
  const fake = (script: string) =>
    writeFileSync(join(folder, "nvidia-smi"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const nowhere = join(tmpdir(), "nvidia-driver-that-is-not-there");

  it("reads the driver's version and every card", () => {
    fake(`[ "$1" = --query-gpu=driver_version,memory.total,name,compute_cap ] || exit 9
echo "580.65.06, 81559, NVIDIA H100 80GB HBM3, 9.0"
echo "580.65.06, 24564, NVIDIA GeForce RTX 4090, 8.9"`);
    expect(nvidiaDriver(nowhere)).toMatchObject({
      state: "working",
      version: "580.65.06",
      cards: [
        { name: "NVIDIA H100 80GB HBM3", capability: "9.0", memoryMb: 81559 },
        { name: "NVIDIA GeForce RTX 4090", capability: "8.9", memoryMb: 24564 },
      ],
    });
  });

  it("does without the capability where the driver is too old to tell it", () => {
    fake(`case "$1" in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2;; esac
echo "470.223.02, 16160, Tesla V100-SXM2-16GB"`);
    expect(nvidiaDriver(nowhere)).toMatchObject({
      version: "470.223.02",
      cards: [{ name: "Tesla V100-SXM2-16GB", capability: undefined }],
    });
  });

  it("tells no driver, one out of reach and one that fails apart", () => {
    expect(nvidiaDriver(nowhere)).toEqual({ state: "absent" });
    const module = join(folder, "version");
    writeFileSync(
      module,
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n",
    );
    expect(nvidiaDriver(module)).toEqual({ state: "out of reach", version: "580.65.06" });
    fake("echo No devices were found; exit 6");
    expect(nvidiaDriver(module)).toEqual({ state: "out of reach", version: "580.65.06" });
    fake("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18");
    expect(nvidiaDriver(module)).toEqual({
      state: "failing",
      message: "Failed to initialize NVML: Driver/library version mismatch",
    });
  });

  it("goes into a whole report", () => {
    fake('echo "580.65.06, 81559, NVIDIA H100 80GB HBM3, 9.0"');
    expect(gpuReport().found).toContain("NVIDIA H100 80GB HBM3 (9.0, 80 GB)");
  });
});

describe("describeGpu", () => {
  const card = { name: "NVIDIA A100", capability: "8.0", memoryMb: 81920 };
  const working = { state: "working", version: "580.65.06", cards: [card] } as const;
  const facts: GpuFacts = {
    build: BUILD,
    driver: working,
    cuda: true,
    mps: false,
    oldestDriver: 580,
    ncclMissing: [],
    visibleDevices: undefined,
  };

  it("names driver and cards that work", () => {
    const cards = [card, card, { ...card, name: "NVIDIA H100", capability: "9.0" }];
    expect(describeGpu({ ...facts, driver: { ...working, cards } })).toEqual({
      usable: true,
      found: "CUDA 13.2, driver 580.65.06, 2 x NVIDIA A100 (8.0, 80 GB), NVIDIA H100 (9.0, 80 GB)",
    });
    expect(describeGpu({ ...facts, ncclMissing: ["nccl.h"] }).found).toMatch(
      /without NCCL \(missing: nccl\.h\)/,
    );
  });

  it.each<[string, Partial<GpuFacts>, RegExp, RegExp]>([
    [
      "a build for the CPU beside a card",
      { build: undefined, cuda: false },
      /NVIDIA A100 .* built for the CPU/,
      /--libtorch cuda takes/,
    ],
    [
      "no driver",
      { driver: { state: "absent" }, cuda: false },
      /no NVIDIA driver; runs on the CPU/,
      /580 or newer/,
    ],
    [
      "a container without its cards",
      { driver: { state: "out of reach", version: "580.65.06" }, cuda: false },
      /no card can be reached/,
      /--gpus all/,
    ],
    [
      "a driver that fails",
      { driver: { state: "failing", message: "Driver/library version mismatch" }, cuda: false },
      /fails: "Driver\/library version mismatch"/,
      /restart/,
    ],
    [
      "a driver that is too old",
      { driver: { ...working, version: "535.183.01" }, cuda: false },
      /driver 535\.183\.01, .* needs a driver of 580 or newer/,
      /--libtorch cuda==2\.\d+\.\d/,
    ],
    [
      "a card that is too old",
      { driver: { ...working, cards: [{ ...card, name: "Tesla V100", capability: "7.0" }] } },
      /no kernels for Tesla V100 .* compute capability 7\.5, 8\.0, 9\.0, 12\.0/,
      /--libtorch cuda==2\.7\.1/,
    ],
    [
      "a card that is too new",
      { driver: { ...working, cards: [{ ...card, name: "B900", capability: "14.0" }] } },
      /no kernels for B900/,
      /newer torch/,
    ],
    ["cards that are hidden", { cuda: false, visibleDevices: "" }, /CUDA_VISIBLE_DEVICES is ""/, /Unset/],
    ["libcuda out of sight", { cuda: false }, /libtorch sees no card/, /libcuda\.so\.1/],
  ])("says of %s what is missing and what to do", (_, changes, found, remedy) => {
    const report = describeGpu({ ...facts, ...changes });
    expect(report.usable).toBe(false);
    expect(report.found).toMatch(found);
    expect(report.remedy).toMatch(remedy);
  });

  it("finds nothing wrong with a machine without cards", () => {
    const report = describeGpu({ ...facts, build: undefined, cuda: false, driver: { state: "absent" } });
    expect(report).toEqual({ usable: false, found: "none that this libtorch can use; runs on the CPU" });
  });
});
