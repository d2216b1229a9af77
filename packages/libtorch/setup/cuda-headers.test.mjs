import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { describeCuda } from "./cuda-headers.mjs";
import { withCudaHeaders } from "./fetch-cuda-headers.mjs";
import { keptReport, makeZip, startPackageIndex, temporaryFolder } from "./fixtures.mjs";

/** @param {string} path */
function write(path, content = "") {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** A Python's site-packages with PyTorch and NVIDIA's packages, but without those that only compilers need. */
function pythonInstallation() {
  const site = temporaryFolder();
  const headers = ["cuda_runtime.h", "nv/target", "cublas_v2.h", "cusparse.h", "cusolverDn.h"];
  for (const header of headers) write(join(site, "nvidia/cu13/include", header));
  write(join(site, "nvidia/nccl/include/nccl.h"));
  mkdirSync(join(site, "nvidia_cuda_runtime-13.2.86.dist-info"));
  const root = join(site, "torch");
  write(join(root, "version.py"), "__version__ = '2.15.0+cu132'\ncuda: Optional[str] = '13.2'\n");
  const libtorch = {
    ...{ root, include: join(root, "include"), lib: join(root, "lib"), version: "2.15.0+cu132", why: "test" },
    source: /** @type {const} */ ("python"),
    cuda: describeCuda(root, "2.15.0+cu132"),
  };
  return { site, libtorch };
}

const WHEEL = "nvidia_cuda_crt-13.2.86-py3-none-manylinux_2_17_x86_64.manylinux_2_17_aarch64.whl";
const OTHER = "nvidia_cuda_crt-13.5.37-py3-none-manylinux_2_17_x86_64.manylinux_2_17_aarch64.whl";
const WHEELS = {
  [WHEEL]: makeZip({ "nvidia/cu13/include/crt/host_config.h": "", "nvidia/cu13/lib/other": "" }),
  [OTHER]: makeZip({ "nvidia/cu13/include/crt/host_config.h": "of another version" }),
};

test.runIf(process.platform === "linux")(
  "headers that a Python installation lacks are fetched in its CUDA's version",
  async () => {
    const { libtorch } = pythonInstallation();
    expect(libtorch.cuda.missing).toEqual(["crt/host_config.h"]);
    const home = temporaryFolder();
    const { env, asked } = await startPackageIndex({ wheels: WHEELS });
    const { cuda } = await withCudaHeaders(libtorch, { home, report: keptReport().report, env });
    expect(cuda?.missing).toEqual([]);
    expect(cuda?.include.at(-1)).toBe(join(home, "cuda-headers-13.2.86/nvidia-cuda-crt/nvidia/cu13/include"));
    expect(asked).not.toContain(`files/${OTHER}`);
    expect(readdirSync(join(home, "cuda-headers-13.2.86/nvidia-cuda-crt/nvidia/cu13"))).toEqual(["include"]);
    expect(readdirSync(home)).toEqual(["cuda-headers-13.2.86"]);
    asked.length = 0;
    await withCudaHeaders(libtorch, { home, report: keptReport().report, env });
    expect(asked).toEqual([]);
  },
);

test.runIf(process.platform === "linux")("a header that would leave the folder is refused", async () => {
  const { libtorch } = pythonInstallation();
  const wheels = { [WHEEL]: makeZip({ "nvidia/cu13/include/../../../../outside.h": "" }) };
  const home = temporaryFolder();
  const { env } = await startPackageIndex({ wheels });
  const { report, lines } = keptReport();
  const { cuda } = await withCudaHeaders(libtorch, { home, report, env });
  expect(lines.join("")).toMatch(/outside\.h leaves its folder/);
  expect(cuda?.missing).toEqual(["crt/host_config.h"]);
  expect(readdirSync(home)).toEqual(["download"]);
});

test("without an index the bridge does without NCCL, and set-up says so", async () => {
  const { libtorch } = pythonInstallation();
  const { report, lines } = keptReport();
  const env = { HOME: "/nonexistent", PIP_INDEX_URL: "http://127.0.0.1:9/simple" };
  const { cuda } = await withCudaHeaders(libtorch, { home: temporaryFolder(), report, env });
  expect(cuda?.missing).toEqual(["crt/host_config.h"]);
  expect(lines.join("")).toMatch(/built without NCCL.*crt\/host_config\.h missing/);
});

test("a libtorch without NVIDIA's packages beside it takes the system's toolkit", () => {
  const root = join(temporaryFolder(), "libtorch");
  const toolkit = temporaryFolder();
  for (const header of ["cuda_runtime.h", "crt/host_config.h"]) write(join(toolkit, "include", header));
  write(join(toolkit, "include/cccl/nv/target"));
  const cuda = describeCuda(root, "2.11.0+cu130", { env: {}, toolkits: [toolkit] });
  expect(cuda).toMatchObject({ version: "13.0", oldestDriver: 580 });
  expect(cuda.include).toEqual([join(toolkit, "include"), join(toolkit, "include/cccl")]);
  expect(cuda.missing).toContain("cublas_v2.h");
  expect(describeCuda(root, "2.5.0", { env: { CUDA_HOME: toolkit }, toolkits: [] })).toMatchObject({
    version: "unknown",
    include: [join(toolkit, "include"), join(toolkit, "include/cccl")],
  });
});
