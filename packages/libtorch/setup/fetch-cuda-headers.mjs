// A Python installation of PyTorch has CUDA's headers but for those that only compilers need. NVIDIA publishes them
// in small packages of the same version as its run-time library.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeCuda } from "./cuda-headers.mjs";
import { connect } from "./wheels/connect.mjs";
import { fillFolder } from "./wheels/fill-folder.mjs";
import { chooseWheel, listFiles } from "./wheels/package-index.mjs";

/** @typedef {import("./find-libtorch.mjs").Libtorch} Libtorch */

const PACKAGES = new Map([
  ["crt/host_config.h", "nvidia-cuda-crt"],
  ["nv/target", "nvidia-cuda-cccl"],
]);

/**
 * @param {Libtorch} libtorch one with CUDA
 * @param {{ home: string, report: import("./report.mjs").Report, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<Libtorch>} the same with the headers that were missing, as far as they can be had: without
 *   them the bridge is built without NCCL
 */
export async function withCudaHeaders(libtorch, { home, report, env = process.env }) {
  const runtime = runtimeVersion(dirname(libtorch.root));
  const wanted = libtorch.cuda?.missing.flatMap((header) => PACKAGES.get(header) ?? []) ?? [];
  if (runtime === undefined || wanted.length === 0) return explained(libtorch, report);
  const folder = join(home, `cuda-headers-${runtime}`);
  try {
    for (const name of wanted) {
      if (!existsSync(join(folder, name))) await fetchHeaders(name, runtime, { folder, home, report, env });
    }
  } catch (error) {
    report.note(`CUDA's headers cannot be completed: ${error instanceof Error ? error.message : error}`);
  }
  const more = wanted.map((name) => join(folder, name)).filter((site) => existsSync(site));
  return explained({ ...libtorch, cuda: describeCuda(libtorch.root, libtorch.version, { more }) }, report);
}

/**
 * @param {Libtorch} libtorch
 * @param {import("./report.mjs").Report} report
 */
function explained(libtorch, report) {
  const missing = libtorch.cuda?.missing ?? [];
  if (missing.length > 0) {
    report.note(`The bridge is built without NCCL, one GPU a process group: ${missing.join(", ")} missing.`);
  }
  return libtorch;
}

/**
 * @param {string} site
 * @returns {string | undefined} the version of CUDA's run-time library there, such as "13.2.86"
 */
function runtimeVersion(site) {
  const names = existsSync(site) ? readdirSync(site) : [];
  return names
    .map((name) => /^nvidia_cuda_runtime-([\d.]+)\.dist-info$/.exec(name)?.[1])
    .find((version) => version);
}

/**
 * @param {string} name of a package
 * @param {string} version
 * @param {{ folder: string, home: string, report: import("./report.mjs").Report, env: NodeJS.ProcessEnv }} options
 */
async function fetchHeaders(name, version, { folder, home, report, env }) {
  const { client, indexes, platform } = connect(env, "cuda");
  for (const index of indexes) {
    const wheel = chooseWheel(await listFiles(client, index, name), platform, `==${version}.*`);
    if (wheel === undefined) continue;
    report.note(`Fetching ${wheel.filename} for headers that NCCL is compiled with.`);
    await fillFolder({ home, report, client }, join(folder, name), async ({ open, staging }) => {
      const remote = await open(wheel);
      await remote.fetchWhole();
      for (const entry of remote.entries.values()) {
        if (/^nvidia\/.*\/include\//.test(entry.name)) await remote.extract(entry, join(staging, entry.name));
      }
    });
    return;
  }
}
