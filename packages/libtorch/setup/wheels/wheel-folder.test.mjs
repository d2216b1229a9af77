import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keptReport, makeElf, makeZip, startPackageIndex, temporaryFolder } from "../fixtures.mjs";
import { installTorchWheel } from "./torch-wheel.mjs";
import { wheelFolder } from "./wheel-folder.mjs";
import { WheelUnavailable } from "./wheel-unavailable.mjs";

const PLATFORM = { system: "linux", machine: "x86_64", release: [2, 36] };
const torch = (/** @type {string[]} */ needed) =>
  makeZip({
    "torch/version.py": "__version__ = '2.15.0'\n",
    "torch/include/ATen/ATen.h": "// ATen\n",
    "torch/lib/libc10.so": makeElf(["libc.so.6"]),
    "torch/lib/libtorch_cpu.so": makeElf(["libc10.so", ...needed]),
    "torch-2.15.0.dist-info/METADATA": "Requires-Dist: nvidia-cuda-runtime==13.*\n",
  });
const TORCH = "torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl";
const RUNTIME = "nvidia_cuda_runtime-13.2.86-py3-none-manylinux_2_17_x86_64.whl";
const RUNTIME_WHEEL = makeZip({ "nvidia/cu13/lib/libcudart.so.13": makeElf([]) });

/** @param {Record<string, Buffer>} wheels */
function folderOf(wheels) {
  const folder = temporaryFolder();
  for (const [name, bytes] of Object.entries(wheels)) writeFileSync(join(folder, name), bytes);
  return folder;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [folder]
 */
async function install(env, folder) {
  const home = temporaryFolder();
  const options = { home, report: keptReport().report, platform: PLATFORM, env, folder };
  const root = await installTorchWheel(options);
  expect(readdirSync(home)).toEqual(["2.15.0"]);
  return readdirSync(join(root, "lib")).sort();
}

const OFFLINE = { HOME: "/nonexistent", PIP_INDEX_URL: "http://127.0.0.1:9/simple" };
const LIBRARIES = ["libc10.so", "libcudart.so.13", "libtorch_cpu.so"];

test("a folder of wheels is all that is asked, and stays as it is", async () => {
  const folder = folderOf({ [TORCH]: torch(["libcudart.so.13"]), [RUNTIME]: RUNTIME_WHEEL });
  expect(await install(OFFLINE, folder)).toEqual(LIBRARIES);
  expect(readdirSync(folder).sort()).toEqual([RUNTIME, TORCH]);
});

test("a library whose wheel is not in the folder is named, with the packages that could have it", async () => {
  const folder = folderOf({ [TORCH]: torch(["libcudart.so.13"]) });
  await expect(install(OFFLINE, folder)).rejects.toThrow(
    /libtorch_cpu\.so of torch-2\.15\.0.* needs libcudart\.so\.13, .* Add a wheel of nvidia-cuda-runtime ==13\.\* to .*set-up-/,
  );
});

test("pip's find-links serve too; what they lack comes from the index, unless no-index forbids it", async () => {
  const folder = folderOf({ [TORCH]: torch(["libcudart.so.13"]) });
  const { env, asked } = await startPackageIndex({ wheels: { [RUNTIME]: RUNTIME_WHEEL } });
  expect(await install({ ...env, PIP_FIND_LINKS: folder })).toEqual(LIBRARIES);
  expect(asked).not.toContain("simple/torch");
  const empty = temporaryFolder();
  await expect(install({ ...env, PIP_FIND_LINKS: empty, PIP_NO_INDEX: "true" })).rejects.toThrow(
    `No torch wheel can be had: pip's find-links, ${empty}: no wheel for linux x86_64.`,
  );
  await expect(install({ ...env, PIP_NO_INDEX: "true" })).rejects.toThrow(WheelUnavailable);
});

test("a folder is one of wheels where one of torch is in it", () => {
  expect(wheelFolder(folderOf({ [TORCH]: Buffer.alloc(0) }))).toMatch(/set-up-/);
  expect(
    wheelFolder(folderOf({ "torch_geometric-2.6.0-py3-none-any.whl": Buffer.alloc(0) })),
  ).toBeUndefined();
  for (const choice of [undefined, "wheel", "/nowhere", join(folderOf({ [TORCH]: Buffer.alloc(0) }), TORCH)])
    expect(wheelFolder(choice)).toBeUndefined();
});
