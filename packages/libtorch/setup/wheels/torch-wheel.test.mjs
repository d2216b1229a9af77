import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keptReport, makeElf, makeZip, serve, startPackageIndex, temporaryFolder } from "../fixtures.mjs";
import { installTorchWheel } from "./torch-wheel.mjs";
import { WheelUnavailable } from "./wheel-unavailable.mjs";

const PLATFORM = { system: "linux", machine: "x86_64", release: [2, 36] };
const TORCH = "torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl";
const LARGE = Buffer.alloc(5 << 20, "code ");

const WHEELS = {
  [TORCH]: makeZip({
    "torch/": "",
    "torch/version.py": "__version__ = '2.15.0+cu132'\n",
    "torch/include/ATen/ATen.h": "// ATen\n",
    "torch/lib/libc10.so": makeElf(["libc.so.6", "libstdc++.so.6"]),
    "torch/lib/libtorch_cpu.so": Buffer.concat([
      makeElf([
        "libc10.so",
        "libgomp-1a2b.so.1",
        "libcupti.so.13",
        "libcudart.so.13",
        "ld-linux-x86-64.so.2",
      ]),
      LARGE,
    ]),
    "torch/lib/libtorch_cuda.so": makeElf(["libcublas.so.13"]),
    "torch.libs/libgomp-1a2b.so.1": makeElf(["libdl.so.2"]),
    "torch-2.15.0.dist-info/METADATA": [
      "Requires-Dist: sympy>=1.13.3",
      'Requires-Dist: cuda-toolkit[cublas,cudart,cupti]==13.2.2; platform_system == "Linux"',
      "",
    ].join("\n"),
  }),
  "cuda_toolkit-13.2.2-py2.py3-none-any.whl": makeZip({
    "cuda_toolkit-13.2.2.dist-info/METADATA": [
      "Requires-Dist: nvidia-cublas==13.3.*; extra == 'cublas'",
      "Requires-Dist: nvidia-cuda-cupti==13.2.86.*; extra == 'all'",
      "Requires-Dist: nvidia-cuda-cupti==13.2.86.*; sys_platform == 'linux' and extra == 'cupti'",
      "Requires-Dist: nvidia-cuda-runtime==13.2.86.*; sys_platform == 'linux' and extra == 'cudart'",
      "",
    ].join("\n"),
  }),
  "cuda_toolkit-13.5.0-py2.py3-none-any.whl": makeZip({ "cuda_toolkit-13.5.0.dist-info/METADATA": "" }),
  "nvidia_cuda_cupti-13.2.86-py3-none-manylinux_2_25_x86_64.whl": makeZip({
    "nvidia/cu13/lib/libcupti.so.13": makeElf(["libutil.so.1"]),
    "nvidia/cu13/lib/libnvperf_host.so": "not needed",
  }),
  "nvidia_cuda_runtime-13.2.86-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl": makeZip({
    "nvidia/cu13/lib/libcudart.so.13": makeElf(["libc.so.6"]),
  }),
};

/** @param {Omit<import("../fixtures.mjs").IndexOptions, "wheels"> & { wheels?: Record<string, Buffer> }} [options] */
const startIndex = (options = {}) => startPackageIndex({ wheels: WHEELS, ...options });

/** @param {NodeJS.ProcessEnv} env */
async function install(env, home = temporaryFolder()) {
  const { report, lines } = keptReport();
  const folder = await installTorchWheel({ home, report, env, platform: PLATFORM });
  return { folder, home, lines };
}

for (const ranges of [true, false]) {
  test(`headers, CPU libraries and what these need are installed, ${ranges ? "by" : "without"} byte ranges`, async () => {
    const { env, asked } = await startIndex({ ranges });
    const { folder, home } = await install(env);
    expect(folder).toBe(join(home, "2.15.0"));
    expect(readdirSync(home)).toEqual(["2.15.0"]);
    expect(readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()).toEqual([
      "include",
      "include/ATen",
      "include/ATen/ATen.h",
      "lib",
      "lib/libc10.so",
      "lib/libcudart.so.13",
      "lib/libcupti.so.13",
      "lib/libgomp-1a2b.so.1",
      "lib/libtorch_cpu.so",
      "origin.json",
      "version.py",
    ]);
    expect(readFileSync(join(folder, "lib/libtorch_cpu.so")).subarray(-LARGE.length).equals(LARGE)).toBe(
      true,
    );
    expect(asked).not.toContain("simple/nvidia-cublas");
    expect(asked).not.toContain("files/cuda_toolkit-13.5.0-py2.py3-none-any.whl");
  });
}

test("bytes that stay wrong are an error that names them, and nothing is left", async () => {
  // The last byte of the large library's packed data, of which the archive's own checksum knows.
  const change = (/** @type {string} */ name, /** @type {Buffer} */ bytes) => {
    if (name !== TORCH) return bytes;
    const copy = Buffer.from(bytes);
    const at = copy.indexOf("torch/lib/libtorch_cuda.so") - 40;
    copy.writeUInt8(copy.readUInt8(at) ^ 0xff, at);
    return copy;
  };
  const { env } = await startIndex({ change });
  const home = temporaryFolder();
  await expect(install(env, home)).rejects.toThrow(
    /was damaged in two downloads: torch\/lib\/libtorch_cpu\.so .*Nothing was installed\./,
  );
  expect(readdirSync(home)).toEqual([]);

  const whole = await startIndex({ change, ranges: false });
  await expect(install(whole.env, home)).rejects.toThrow(/must have the SHA-256/);
  expect(readdirSync(home)).toEqual([]);

  const unhashed = await startIndex({ change, ranges: false, hashes: false });
  await expect(install(unhashed.env, home)).rejects.toThrow(/libtorch_cpu\.so/);
  expect(readdirSync(home)).toEqual([]);
});

test("bytes that were wrong once are fetched again", async () => {
  let requests = 0;
  const change = (/** @type {string} */ name, /** @type {Buffer} */ bytes) => {
    if (name !== TORCH) return bytes;
    requests += 1;
    return requests > 2 ? bytes : Buffer.alloc(bytes.length);
  };
  const { env } = await startIndex({ change });
  const { folder, lines } = await install(env);
  expect(existsSync(join(folder, "lib/libcupti.so.13"))).toBe(true);
  expect(lines.join("")).toContain("The download was damaged");
});

test("an index out of reach, and one without a wheel for this machine, leave it to the second choice", async () => {
  await expect(install({ HOME: "/nonexistent", PIP_INDEX_URL: "http://127.0.0.1:9/simple" })).rejects.toThrow(
    WheelUnavailable,
  );
  const { env } = await startIndex({ wheels: { "torch-2.15.0-cp311-cp311-win_amd64.whl": Buffer.alloc(0) } });
  await expect(install(env)).rejects.toThrow(/no wheel for linux x86_64/);
});

test("a file server out of reach leaves it to the second choice too", async () => {
  const { env } = await startIndex();
  const listing = await serve((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<a href="http://127.0.0.1:9/${TORCH}">x</a>`);
  });
  await expect(install({ ...env, PIP_INDEX_URL: listing.href })).rejects.toThrow(WheelUnavailable);
});

test("a needed library that nobody has is named", async () => {
  const wheels = {
    [TORCH]: makeZip({
      "torch/include/ATen/ATen.h": "",
      "torch/lib/libc10.so": makeElf([]),
      "torch/lib/libtorch_cpu.so": makeElf(["libunheard-of.so.3"]),
    }),
  };
  const { env } = await startIndex({ wheels });
  const home = temporaryFolder();
  await expect(install(env, home)).rejects.toThrow(/libtorch_cpu\.so of .* needs libunheard-of\.so\.3/);
  expect(existsSync(join(home, "2.15.0"))).toBe(false);
});

test("a member that would leave the folder is refused", async () => {
  const wheels = {
    [TORCH]: makeZip({ "torch/include/../../../outside.h": "", "torch/lib/libc10.so": makeElf([]) }),
  };
  const { env } = await startIndex({ wheels });
  await expect(install(env)).rejects.toThrow(/leaves its folder/);
});
