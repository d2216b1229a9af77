// A libtorch with CUDA: which CUDA, and where the headers are that its NCCL process group is compiled with.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { oldestDriver } from "./nvidia-driver.mjs";

/**
 * @typedef {object} CudaBuild
 * @property {string} version CUDA's, such as "13.2"; "unknown" where the build does not say
 * @property {number} [oldestDriver] the major number of NVIDIA's oldest driver that runs it
 * @property {string[]} include folders with CUDA's headers
 * @property {string} [ncclInclude] folder with nccl.h
 * @property {string[]} missing headers without which NCCL cannot be compiled against
 */

/** What torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp includes in the end, a header of each package. */
const NEEDED = [
  "cuda_runtime.h",
  "crt/host_config.h",
  "nv/target",
  "cublas_v2.h",
  "cusparse.h",
  "cusolverDn.h",
];

/**
 * @param {string} root of libtorch
 * @param {string} version of libtorch
 * @param {{ env?: NodeJS.ProcessEnv, toolkits?: string[], more?: string[] }} [places] toolkits: where a system keeps
 *   CUDA; more: folders with further headers
 * @returns {CudaBuild}
 */
export function describeCuda(
  root,
  version,
  { env = process.env, toolkits = ["/usr/local/cuda"], more = [] } = {},
) {
  const cuda = cudaVersion(root, version);
  const own = headerFolders(dirname(root));
  // A wheel's own headers fit its libraries; a toolkit of the system may be of another version.
  const named = env.CUDA_HOME ? [env.CUDA_HOME] : toolkits;
  const system = own.length > 0 ? [] : [...named.map((toolkit) => join(toolkit, "include")), "/usr/include"];
  const folders = [...own, ...more.flatMap(headerFolders), ...system].flatMap((folder) => [
    folder,
    join(folder, "cccl"),
  ]);
  const holding = (/** @type {string} */ header) =>
    folders.find((folder) => existsSync(join(folder, header)));
  const ncclInclude = holding("nccl.h");
  const missing = [...NEEDED, ...(ncclInclude === undefined ? ["nccl.h"] : [])].filter(
    (header) => holding(header) === undefined,
  );
  const include = [...new Set(NEEDED.flatMap((header) => holding(header) ?? []))];
  const oldest = oldestDriver(cuda);
  return {
    version: cuda,
    ...(oldest !== undefined && { oldestDriver: oldest }),
    include,
    ...(ncclInclude !== undefined && { ncclInclude }),
    missing,
  };
}

/**
 * @param {string} site the folder that NVIDIA's packages are installed into
 * @returns {string[]} their folders with headers
 */
function headerFolders(site) {
  const nvidia = join(site, "nvidia");
  if (!existsSync(nvidia)) return [];
  return readdirSync(nvidia)
    .sort()
    .map((name) => join(nvidia, name, "include"))
    .filter((folder) => existsSync(folder));
}

/**
 * @param {string} root
 * @param {string} version such as "2.15.0+cu132"
 */
function cudaVersion(root, version) {
  const file = join(root, "version.py");
  const local = /\+cu(\d+)(\d)$/.exec(version);
  const own = existsSync(file) ? cudaOfVersionFile(readFileSync(file, "utf8")) : undefined;
  return own ?? (local && `${local[1]}.${local[2]}`) ?? "unknown";
}

/**
 * @param {string} text of torch's version.py
 * @returns {string | undefined} its CUDA, such as "13.2"
 */
export function cudaOfVersionFile(text) {
  return /^cuda\b[^=\n]*= '([\d.]+)'/m.exec(text)?.[1];
}
