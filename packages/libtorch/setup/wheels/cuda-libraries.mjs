// A torch wheel with its CUDA libraries and NVIDIA's, in the folders in which Python's installer would lay them:
// torch/lib and nvidia/*/lib find each other by paths relative to themselves (DT_RPATH).
import { basename, join } from "node:path";
import { cudaOfVersionFile } from "../cuda-headers.mjs";
import { driverProblem } from "../nvidia-driver.mjs";
import { setupCommand } from "../places.mjs";
import { megabytes } from "../report.mjs";
import { missingLibrary } from "./cpu-libraries.mjs";
import { memberCalled, neededBeyondSystem, systemHas } from "./needed-libraries.mjs";
import { RequiredWheels } from "./required-wheels.mjs";
import { checkSpace, sum } from "./space.mjs";
import { WheelUnavailable } from "./wheel-unavailable.mjs";

/** @typedef {import("./torch-wheel.mjs").Context} Context */
/** @typedef {import("./remote-wheel.mjs").RemoteWheel} RemoteWheel */
/** @typedef {import("./zip.mjs").ZipEntry} ZipEntry */
/** @typedef {{ name: string, remote: RemoteWheel, requires: string[], libraries: ZipEntry[], headers: ZipEntry[] }} Part
 *   one of NVIDIA's packages */

/**
 * Where loading begins: what these need, directly or not, is taken, and of torch/lib nothing else. So Python's
 * own libraries stay away, and libtorch_cuda_linalg, which libtorch opens when a matrix is decomposed: no operator
 * of the bridge does that, and its cuSOLVER has a quarter of a gigabyte. libcaffe2_nvrtc is opened by name too,
 * but by kernels that are compiled at run time.
 */
const ROOTS = ["libtorch_cuda.so", "libcaffe2_nvrtc.so"];

/** Extras of cuda-toolkit with the headers that CUDA's own headers include, for compiling against NCCL. */
const HEADER_EXTRAS = ["crt", "cccl"];

/** A wheel of which more than this is wanted is fetched as a whole, so that its SHA-256 can be compared. */
const WHOLE = 0.8;

/**
 * @param {Context} context
 * @param {RemoteWheel} torch
 * @param {string} staging folder that gets torch/ and nvidia/
 */
export async function addCudaLibraries(context, torch, staging) {
  const { report } = context;
  if (ROOTS.some((library) => memberCalled(torch, library) === undefined)) {
    throw new WheelUnavailable(
      `${torch.wheel.filename} is a build without CUDA; torch's wheels with CUDA are for Linux.`,
    );
  }
  const cuda = cudaOfVersionFile(await torch.member("torch/version.py")) ?? "";
  const problem = driverProblem(cuda, context.driver);
  if (problem !== undefined) {
    if (!context.byHand) throw new WheelUnavailable(problem);
    report.note(`${problem} Going on, as --libtorch cuda asks for it.`);
  }
  const parts = await nvidiaParts(context, torch);
  const fromTorch = [...torch.entries.values()].filter(({ name }) => isTorchFile(name));
  announce(context, cuda, torch, fromTorch, parts);

  const headers = fromTorch.filter(({ name }) => !isLibrary(name));
  await fetchChecked(torch, fromTorch);
  await extractAll(torch, headers, staging);
  const needed = await extractLoaded(context, torch, parts, staging);
  for (const part of parts) {
    const wanted = [...part.headers, ...(needed.has(part.name) ? part.libraries : [])];
    if (!needed.has(part.name) && part.libraries.length > 0) {
      const left = sum(part.libraries.map(({ size }) => size));
      report.note(
        `Leaving out ${part.name}'s libraries (${megabytes(left)}): nothing that is loaded needs them.`,
      );
    }
    await fetchChecked(part.remote, wanted);
    await extractAll(part.remote, wanted, staging);
  }
}

/**
 * @param {Context} context
 * @param {RemoteWheel} torch
 * @returns {Promise<Part[]>}
 */
async function nvidiaParts(context, torch) {
  context.report.note("Asking for the packages that its metadata names.");
  const required = await new RequiredWheels(context, await torch.metadata()).all(HEADER_EXTRAS);
  return [...required].map(([name, { remote, requires }]) => {
    const members = [...remote.entries.values()];
    return {
      name,
      remote,
      requires,
      // The packages also hold archives for linking (.a) and code for a GPU's compiler (.bc).
      libraries: members.filter((entry) => isLibrary(entry.name)),
      headers: members.filter(({ name: path }) => path.split("/").includes("include")),
    };
  });
}

/** @param {string} name of a member of the torch wheel */
function isTorchFile(name) {
  if (name === "torch/version.py" || name.startsWith("torch/include/")) return true;
  return (
    isLibrary(name) &&
    /^torch(\.libs)?\//.test(name) &&
    !/\/(libtorch_python|libshm|libtorch_cuda_linalg)\b/.test(name)
  );
}

/** @param {string} name */
function isLibrary(name) {
  return /\.so(\.\d+)*$/.test(name);
}

/**
 * Says every size before the first large download, and whether there is room.
 * @param {Context} context
 * @param {string} cuda
 * @param {RemoteWheel} torch
 * @param {ZipEntry[]} fromTorch
 * @param {Part[]} parts
 */
function announce(context, cuda, torch, fromTorch, parts) {
  const wanted = [
    { name: "torch", remote: torch, entries: fromTorch },
    ...parts.map(({ name, remote, libraries, headers }) => ({
      name,
      remote,
      entries: [...libraries, ...headers],
    })),
  ].map(({ name, remote, entries }) => ({
    name,
    remote,
    packed: downloadSize(remote, entries),
    unpacked: sum(entries.map(({ size }) => size)),
  }));
  const packed = sum(wanted.map((one) => one.packed));
  const unpacked = sum(wanted.map((one) => one.unpacked));
  const missing = sum(wanted.map((one) => Math.max(0, one.packed - one.remote.file.presentBytes)));
  const { report } = context;
  report.note(`CUDA ${cuda}: at most ${megabytes(packed)} to download, ${megabytes(unpacked)} unpacked:`);
  for (const { name, remote, ...size } of wanted.toSorted((a, b) => b.packed - a.packed)) {
    const version = remote.wheel.versionText;
    report.note(
      `  ${`${name} ${version}`.padEnd(36)}${megabytes(size.packed).padStart(8)}${megabytes(size.unpacked).padStart(10)}`,
    );
  }
  // A block or two of each wheel have just come: those with its directory and its metadata.
  if (missing < 0.95 * packed)
    report.note(`${megabytes(packed - missing)} of it are there from an earlier run.`);
  try {
    const smaller = `${setupCommand("wheel")}   (the CPU libraries alone)`;
    checkSpace(context.home, missing + unpacked, [smaller]);
  } catch (error) {
    throw context.byHand ? error : new WheelUnavailable(/** @type {Error} */ (error).message);
  }
}

/**
 * @param {RemoteWheel} remote
 * @param {ZipEntry[]} entries
 */
function downloadSize(remote, entries) {
  const wanted = sum(entries.map(({ compressedSize }) => compressedSize));
  return wanted > WHOLE * remote.file.size ? remote.file.size : wanted;
}

/**
 * @param {RemoteWheel} remote
 * @param {ZipEntry[]} entries each has a CRC-32 of its own, which extracting compares
 */
async function fetchChecked(remote, entries) {
  if (downloadSize(remote, entries) === remote.file.size) await remote.fetchWhole();
  else await remote.fetch(entries);
}

/**
 * @param {RemoteWheel} remote
 * @param {ZipEntry[]} entries
 * @param {string} staging
 */
async function extractAll(remote, entries, staging) {
  for (const entry of entries) await remote.extract(entry, join(staging, entry.name));
}

/**
 * Unpacks the torch wheel's own libraries that are loaded, and finds the packages that hold the others.
 * @param {Context} context
 * @param {RemoteWheel} torch
 * @param {Part[]} parts
 * @param {string} staging
 * @returns {Promise<Set<string>>} the packages that are needed at run time: those with a library that is needed,
 *   and what these require by their metadata, since NVIDIA's libraries open each other by name as well (cuSPARSE
 *   opens nvJitLink) and so a package with one needed library is taken with all of its libraries
 */
async function extractLoaded(context, torch, parts, staging) {
  /** @type {Set<string>} */
  const needed = new Set();
  const queue = [...ROOTS];
  const seen = new Set(queue);
  for (let library = queue.shift(); library !== undefined; library = queue.shift()) {
    const entry = /** @type {ZipEntry} */ (memberCalled(torch, library));
    await extractAll(torch, [entry], staging);
    for (const name of neededBeyondSystem(join(staging, entry.name))) {
      if (seen.has(name)) continue;
      seen.add(name);
      if (memberCalled(torch, name) !== undefined) {
        queue.push(name);
        continue;
      }
      const part = parts.find(({ libraries }) => libraries.some((member) => basename(member.name) === name));
      if (part !== undefined) needed.add(part.name);
      // The driver brings this one, and a machine without a driver does not need it.
      else if (name !== "libcuda.so.1" && !systemHas(name, context.platform)) {
        throw missingLibrary(library, torch, name);
      }
    }
  }
  for (const name of needed) {
    for (const required of parts.find((part) => part.name === name)?.requires ?? []) needed.add(required);
  }
  return needed;
}
