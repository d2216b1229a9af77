// Of a torch wheel of half a gigabyte only the CPU libraries, what these load, and the headers.
import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setupCommand } from "../places.mjs";
import { megabytes, SetupError } from "../report.mjs";
import { memberCalled, neededBeyondSystem, systemHas } from "./needed-libraries.mjs";
import { RequiredWheels } from "./required-wheels.mjs";
import { checkSpace, sum } from "./space.mjs";

/** @typedef {import("./torch-wheel.mjs").Context} Context */
/** @typedef {import("./remote-wheel.mjs").RemoteWheel} RemoteWheel */

/**
 * @param {Context} context
 * @param {RemoteWheel} torch
 * @param {string} staging folder that gets include/ and lib/
 */
export async function addCpuLibraries(context, torch, staging) {
  const { report } = context;
  const members = [...torch.entries.values()].filter(({ name }) => isWanted(name));
  const packed = sum(members.map(({ compressedSize }) => compressedSize));
  const unpacked = sum(members.map(({ size }) => size));
  checkSpace(context.home, packed + unpacked);
  report.note(
    `Fetching ${megabytes(packed)} of the wheel's ${megabytes(torch.file.size)}: the CPU libraries and the headers.`,
  );
  await torch.fetch(members);
  report.note(`Unpacking ${members.length} files, ${megabytes(unpacked)}.`);
  for (const entry of members) await torch.extract(entry, join(staging, installedPath(entry.name)));
  if (context.platform.system === "linux") await addNeededLibraries(context, torch, staging);
}

/**
 * @param {string} name of a member of the wheel
 * @returns {boolean} whether it is taken before anyone knows what it loads
 */
export function isWanted(name) {
  if (name === "torch/version.py" || name.startsWith("torch/include/")) return true;
  // On macOS the CPU library loads its neighbours by names that only the linker's own format tells.
  return /^torch\/lib\/lib(c10|torch_cpu)\.so$|^torch\/lib\/(?!libtorch_python|libshm)[^/]+\.dylib$/.test(
    name,
  );
}

/**
 * @param {string} name of a member of the wheel
 * @returns {string} where it goes: include/… with its folders, libraries flat in lib/, so that each finds the
 *   others beside itself ($ORIGIN)
 */
function installedPath(name) {
  if (name.startsWith("torch/include/")) return name.slice("torch/".length);
  return name === "torch/version.py" ? "version.py" : join("lib", basename(name));
}

/**
 * Adds the libraries that libtorch_cpu needs and the system does not have: from the same wheel, else from the
 * wheels it requires. PyPI's x86_64 wheel is a CUDA build, whose CPU library loads two small CUDA libraries.
 * @param {Context} context
 * @param {RemoteWheel} torch
 * @param {string} staging
 */
async function addNeededLibraries(context, torch, staging) {
  const lib = join(staging, "lib");
  /** @type {RequiredWheels | undefined} */
  let required;
  const queue = readdirSync(lib);
  const present = new Set(queue);
  for (let library = queue.shift(); library !== undefined; library = queue.shift()) {
    for (const needed of neededBeyondSystem(join(lib, library))) {
      if (present.has(needed)) continue;
      let source = torch;
      let entry = memberCalled(torch, needed);
      if (entry === undefined) {
        required ??= new RequiredWheels(context, await torch.metadata());
        const found = await required.find(needed);
        if (found === undefined) {
          if (systemHas(needed, context.platform)) continue;
          throw missingLibrary(library, torch, needed, required.likely(needed));
        }
        [source, entry] = found;
        context.report.note(`${library} needs ${needed}; taking it from ${source.wheel.filename}.`);
      }
      await source.fetch([entry]);
      await source.extract(entry, join(lib, needed));
      present.add(needed);
      queue.push(needed);
    }
  }
}

/**
 * @param {string} library
 * @param {RemoteWheel} torch
 * @param {string} needed
 * @param {string} [likely] packages whose wheels could have it
 */
export function missingLibrary(library, torch, needed, likely = "") {
  const { url, filename } = torch.wheel;
  const folder = url.protocol === "file:" ? dirname(fileURLToPath(url)) : undefined;
  const advice = folder === undefined || likely === "" ? "" : ` Add a wheel of ${likely} to ${folder}.`;
  return new SetupError(
    `${library} of ${filename} needs ${needed}, which neither the wheel, nor a package that it requires, nor the system has.${advice}`,
    { commands: [setupCommand("system")] },
  );
}
