import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeCuda } from "../cuda-headers.mjs";
import { keptReport, makeElf, makeZip, startPackageIndex, temporaryFolder } from "../fixtures.mjs";
import { installTorchWheel } from "./torch-wheel.mjs";
import { WheelUnavailable } from "./wheel-unavailable.mjs";

const PLATFORM = { system: "linux", machine: "x86_64", release: [2, 36] };
const TORCH = "torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl";
const CUDNN = "nvidia_cudnn_cu13-9.26.0-py3-none-manylinux_2_27_x86_64.whl";
const CRT = "nvidia_cuda_crt-13.2.86-py3-none-manylinux_2_17_x86_64.whl";
const BIG = Buffer.alloc(3 << 20, "kernels ");

/** @param {string} name @param {string[]} requires */
const metadata = (name, requires) => ({
  [`${name}.dist-info/METADATA`]: requires.map((line) => `Requires-Dist: ${line}\n`).join(""),
});

/** @type {Record<string, Buffer>} */
const WHEELS = {
  [TORCH]: makeZip(
    {
      "torch/version.py": "__version__ = '2.15.0+cu132'\ncuda: Optional[str] = '13.2'\n",
      "torch/include/ATen/ATen.h": "// ATen\n",
      "torch/lib/libc10.so": makeElf(["libc.so.6"]),
      "torch/lib/libc10_cuda.so": makeElf(["libc10.so", "libcudart.so.13"]),
      "torch/lib/libcaffe2_nvrtc.so": makeElf(["libnvrtc.so.13", "libcuda.so.1"]),
      "torch/lib/libtorch_cpu.so": makeElf(["libc10.so", "libgomp.so.1"]),
      "torch/lib/libgomp.so.1": makeElf(["libc.so.6"]),
      "torch/lib/libtorch_cuda.so": Buffer.concat([
        makeElf([
          "libtorch_cpu.so",
          "libc10_cuda.so",
          "libcudnn.so.9",
          "libcusparse.so.12",
          "libcudart.so.13",
        ]),
        BIG,
      ]),
      "torch/lib/libtorch_cuda_linalg.so": makeElf(["libtorch_cuda.so", "libcusolver.so.12"]),
      "torch/lib/libtorch_python.so": makeElf(["libtorch_cuda.so"]),
      "torch/nn/functional.py": "pass\n",
      ...metadata("torch-2.15.0", [
        "sympy>=1.13.3",
        "triton~=3.9.0; platform_system == 'Linux'",
        "cuda-bindings<14,>=13.0.3",
        "cuda-toolkit[cudart,cusolver,cusparse,nvrtc]==13.2.2; platform_system == 'Linux'",
        "nvidia-cudnn-cu13==9.26.0; platform_system == 'Linux'",
        "nvidia-cudla==1.0; platform_machine == 'aarch64'",
      ]),
    },
    { stored: true },
  ),
  "cuda_toolkit-13.2.2-py2.py3-none-any.whl": makeZip(
    metadata("cuda_toolkit-13.2.2", [
      "nvidia-cuda-cccl==13.2.27.*; extra == 'cccl'",
      "nvidia-cuda-crt==13.2.86.*; extra == 'crt'",
      "nvidia-cuda-nvcc==13.2.86.*; extra == 'nvcc'",
      "nvidia-cuda-nvrtc==13.2.86.*; extra == 'nvrtc'",
      "nvidia-cuda-runtime==13.2.86.*; extra == 'cudart'",
      "nvidia-cusolver==12.2.0.*; extra == 'cusolver'",
      "nvidia-cusparse==12.7.10.*; extra == 'cusparse'",
      "nvidia-nvjitlink<14,>=13.2.86; extra == 'cusparse'",
    ]),
  ),
  [CUDNN]: makeZip(
    {
      "nvidia/cudnn/lib/libcudnn.so.9": makeElf([]),
      "nvidia/cudnn/lib/libcudnn_ops.so.9": Buffer.concat([makeElf([]), BIG]),
      "nvidia/cudnn/include/cudnn.h": "",
      ...metadata("nvidia_cudnn_cu13-9.26.0", []),
    },
    { stored: true },
  ),
  [CRT]: makeZip({
    "nvidia/cu13/include/crt/host_config.h": "",
  }),
  "nvidia_cuda_nvrtc-13.2.86-py3-none-manylinux_2_17_x86_64.whl": makeZip({
    "nvidia/cu13/lib/libnvrtc.so.13": makeElf([]),
    "nvidia/cu13/lib/libnvrtc-builtins.so.13.2": makeElf([]),
    "nvidia/cu13/lib/libnvrtc_static.a": "for linking",
  }),
  "nvidia_cuda_runtime-13.2.86-py3-none-manylinux_2_17_x86_64.whl": makeZip({
    "nvidia/cu13/lib/libcudart.so.13": makeElf([]),
    "nvidia/cu13/include/cuda_runtime.h": "",
  }),
  "nvidia_cuda_cccl-13.2.27-py3-none-manylinux_2_17_x86_64.whl": makeZip({
    "nvidia/cu13/include/cccl/nv/target": "",
  }),
  "nvidia_cusolver-12.2.0.11-py3-none-manylinux_2_27_x86_64.whl": makeZip({
    "nvidia/cu13/lib/libcusolver.so.12": makeElf([]),
    "nvidia/cu13/include/cusolverDn.h": "",
    ...metadata("nvidia_cusolver-12.2.0.11", ["nvidia-cusparse", "nvidia-nvjitlink"]),
  }),
  "nvidia_cusparse-12.7.10.12-py3-none-manylinux_2_17_x86_64.whl": makeZip({
    "nvidia/cu13/lib/libcusparse.so.12": makeElf([]),
    "nvidia/cu13/include/cusparse.h": "",
    ...metadata("nvidia_cusparse-12.7.10.12", ["nvidia-nvjitlink"]),
  }),
  "nvidia_nvjitlink-13.2.86-py3-none-manylinux_2_17_x86_64.whl": makeZip({ "nvidia/cu13/lib/old": "" }),
  "nvidia_nvjitlink-13.5.37-py3-none-manylinux_2_17_x86_64.whl": makeZip({
    "nvidia/cu13/lib/libnvJitLink.so.13": makeElf([]),
  }),
  "nvidia_nvjitlink-14.0.1-py3-none-manylinux_2_17_x86_64.whl": makeZip({ "nvidia/cu14/lib/new": "" }),
  "nvidia_cudla-1.0-py3-none-manylinux_2_17_aarch64.whl": makeZip({ "nvidia/cu13/lib/libcudla.so.1": "" }),
};

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {Partial<import("./torch-wheel.mjs").Request>} [changes]
 */
async function install(env, changes = {}) {
  const { report, lines } = keptReport();
  const home = changes.home ?? temporaryFolder();
  const folder = await installTorchWheel({
    report,
    env,
    platform: PLATFORM,
    build: "cuda",
    home,
    ...changes,
  });
  return { folder, home, text: lines.join("") };
}

/** @param {string} folder */
const libraries = (folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(so|a)\b/.test(name))
    .sort();

for (const ranges of [true, false]) {
  test(`what libtorch_cuda loads is installed in the wheels' folders, ${ranges ? "by" : "without"} byte ranges`, async () => {
    const { env, asked } = await startPackageIndex({ wheels: WHEELS, ranges });
    const { folder, home, text } = await install(env);
    expect(folder).toBe(join(home, "2.15.0-cuda"));
    expect(readdirSync(home)).toEqual(["2.15.0-cuda"]);
    // Neither Python's library nor what decompositions alone need; nvJitLink is opened by cuSPARSE at run time.
    expect(libraries(folder)).toEqual([
      "nvidia/cu13/lib/libcudart.so.13",
      "nvidia/cu13/lib/libcusparse.so.12",
      "nvidia/cu13/lib/libnvJitLink.so.13",
      "nvidia/cu13/lib/libnvrtc-builtins.so.13.2",
      "nvidia/cu13/lib/libnvrtc.so.13",
      "nvidia/cudnn/lib/libcudnn.so.9",
      "nvidia/cudnn/lib/libcudnn_ops.so.9",
      "torch/lib/libc10.so",
      "torch/lib/libc10_cuda.so",
      "torch/lib/libcaffe2_nvrtc.so",
      "torch/lib/libgomp.so.1",
      "torch/lib/libtorch_cpu.so",
      "torch/lib/libtorch_cuda.so",
    ]);
    expect(existsSync(join(folder, "nvidia/cu13/include/cusolverDn.h"))).toBe(true);
    expect(existsSync(join(folder, "nvidia/cu13/include/crt/host_config.h"))).toBe(true);
    expect(existsSync(join(folder, "torch/nn"))).toBe(false);
    for (const python of ["sympy", "triton", "cuda-bindings", "nvidia-cuda-nvcc"]) {
      expect(asked).not.toContain(`simple/${python}`);
    }
    const origin = JSON.parse(readFileSync(join(folder, "origin.json"), "utf8"));
    expect(origin.others.map((/** @type {{ version: string }} */ { version }) => version)).toContain(
      "13.5.37",
    );
    // Every size is said before the first library comes.
    expect(text).toMatch(/CUDA 13\.2: at most [\d.]+ MB to download, [\d.]+ MB unpacked:/);
    expect(text).toMatch(/nvidia-cudnn-cu13 9\.26\.0 +3\.1 MB +3\.1 MB/);
    expect(text).toContain("Leaving out nvidia-cusolver's libraries");
  });
}

test("headers that NCCL is compiled with are found in the wheels' folders, and missing ones named", async () => {
  const { env } = await startPackageIndex({ wheels: WHEELS });
  const { folder } = await install(env);
  const cuda = describeCuda(join(folder, "torch"), "2.15.0+cu132");
  expect(cuda).toMatchObject({ version: "13.2", oldestDriver: 580 });
  expect(cuda.missing).toEqual(["cublas_v2.h", "nccl.h"]);
  expect(cuda.include).toEqual([
    join(folder, "nvidia/cu13/include"),
    join(folder, "nvidia/cu13/include/cccl"),
  ]);
});

test("a whole wheel with another SHA-256 than the index's is fetched again, and only that one", async () => {
  let requests = 0;
  /** @type {string[]} */
  const served = [];
  const { env } = await startPackageIndex({
    wheels: WHEELS,
    change: (name, bytes) => {
      served.push(name);
      if (name !== CUDNN) return bytes;
      requests += 1;
      if (requests > 6) return bytes;
      // A byte of padding that no checksum of the archive's own covers: a local header's time.
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(10) ^ 1, 10);
      return copy;
    },
  });
  const { text } = await install(env);
  expect(text).toMatch(/The download was damaged .*SHA-256/);
  const again = served.slice(served.lastIndexOf(CUDNN));
  expect(again.filter((name) => name === TORCH)).toEqual([]);
});

test("what has arrived before a download breaks is kept, and the next run goes on from there", async () => {
  let broken = true;
  /** @type {string[]} */
  const served = [];
  const { env } = await startPackageIndex({
    wheels: WHEELS,
    change: (name, bytes) => {
      served.push(name);
      // Its directory comes, and then its second block or third no more.
      const refused = broken && name === CUDNN && served.filter((other) => other === CUDNN).length > 4;
      return refused ? undefined : bytes;
    },
  });
  const home = temporaryFolder();
  await expect(install(env, { home })).rejects.toThrow(/Fetching .* failed: .*kept; the next run/);
  expect(readdirSync(home)).toEqual(["download"]);
  broken = false;
  served.length = 0;
  await install(env, { home });
  expect(readdirSync(home)).toEqual(["2.15.0-cuda"]);
  // The file's size is asked for again, and nothing else of what had come.
  expect(served.filter((name) => name === TORCH)).toHaveLength(1);
  expect(served.filter((name) => name === CUDNN).length).toBeGreaterThan(1);
});

test("a driver that is too old leaves it to the CPU's, unless a person asked for CUDA", async () => {
  const { env } = await startPackageIndex({ wheels: WHEELS });
  const driver = { version: "550.90.07", cards: ["NVIDIA A100-SXM4-80GB"] };
  await expect(install(env, { driver })).rejects.toThrow(WheelUnavailable);
  await expect(install(env, { driver })).rejects.toThrow(
    "CUDA 13.2 needs NVIDIA's driver 580 or newer, but 550.90.07 is installed.",
  );
  const { text } = await install(env, { driver, byHand: true });
  expect(text).toContain("Going on, as --libtorch cuda asks for it.");
  await install(env, { driver: { ...driver, version: "580.65.06" } });
});

test("a member that would leave the folder is refused", async () => {
  const wheels = { ...WHEELS, [CRT]: makeZip({ "nvidia/cu13/include/../../../../outside.h": "" }) };
  const { env } = await startPackageIndex({ wheels });
  await expect(install(env)).rejects.toThrow(/outside\.h leaves its folder/);
});

test("a torch without CUDA, and a version that the index lacks, are said", async () => {
  const wheels = { [TORCH]: makeZip({ "torch/lib/libtorch_cpu.so": makeElf([]) }) };
  const { env } = await startPackageIndex({ wheels });
  await expect(install(env)).rejects.toThrow(/is a build without CUDA/);
  await expect(install(env, { specifier: "==2.6.0" })).rejects.toThrow(
    /no wheel of version ==2\.6\.0 for linux/,
  );
});

test("packages that ask for versions which exclude each other are named", async () => {
  const wheels = {
    ...WHEELS,
    "nvidia_cusparse-12.7.10.12-py3-none-manylinux_2_17_x86_64.whl": makeZip({
      "nvidia/cu13/lib/libcusparse.so.12": makeElf([]),
      ...metadata("nvidia_cusparse-12.7.10.12", ["nvidia-nvjitlink>=15"]),
    }),
  };
  const { env } = await startPackageIndex({ wheels });
  await expect(install(env)).rejects.toThrow(/ask for nvidia-nvjitlink <14,>=13\.2\.86,>=15, but the index/);
});
