// libtorch out of the `torch` wheel, without Python: of its half gigabyte only the CPU libraries, what these
// load, and the headers.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { basename, join } from "node:path";
import { neededLibraries } from "./elf.mjs";
import { HttpClient, HttpError, printable } from "./http.mjs";
import { chooseWheel, indexesToAsk, listFiles, pipSettings } from "./package-index.mjs";
import { RemoteWheel } from "./remote-wheel.mjs";
import { megabytes, SetupError } from "./report.mjs";
import { parseRequirements } from "./requirements.mjs";
import { describePlatform } from "./versions.mjs";
import { DamagedArchive } from "./zip.mjs";

/** No wheel can be had here (no index in reach, or none of its wheels runs); the system's package may do. */
export class WheelUnavailable extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "WheelUnavailable";
  }
}

/** Libraries that every Linux of glibc has, by the manylinux policies. */
const SYSTEM_LIBRARY =
  /^(ld-linux[\w-]*|lib(c|m|dl|rt|pthread|util|resolv|nsl|anl|stdc\+\+|gcc_s))\.so(\.\d+)*$/;

/**
 * @typedef {object} Context
 * @property {string} home the project's .libtorch folder
 * @property {import("./report.mjs").Report} report
 * @property {HttpClient} client
 * @property {import("./package-index.mjs").Index[]} indexes
 * @property {import("./versions.mjs").Platform} platform
 */

/**
 * Installs the newest torch wheel's C++ libraries into `home/<version>`, which is there completely or not at all.
 * @param {{ home: string, report: import("./report.mjs").Report, env?: NodeJS.ProcessEnv,
 *   platform?: import("./versions.mjs").Platform | undefined }} options
 * @returns {Promise<string>} the folder, with include/ and lib/
 * @throws {WheelUnavailable}
 * @throws {SetupError} where the download breaks off or is damaged
 */
export async function installTorchWheel({ home, report, env = process.env, platform = thisPlatform() }) {
  if (platform === undefined) {
    throw new WheelUnavailable(
      `There is no torch wheel for ${process.platform} on ${process.arch} with this C library.`,
    );
  }
  const settings = pipSettings(env);
  if (settings.certificateFile !== undefined && !existsSync(settings.certificateFile)) {
    throw new SetupError(
      `pip's certificate bundle must be a file, but ${settings.certificateFile} does not exist. Correct PIP_CERT or pip.conf.`,
    );
  }
  const client = new HttpClient({ certificateFile: settings.certificateFile });
  const indexes = indexesToAsk(settings);
  const { wheel, index } = await findTorch(client, indexes, platform, report);
  const target = join(home, wheel.versionText);
  if (existsSync(target)) return target;
  /** @type {Context} */
  const context = { home, report, client, indexes: [index], platform };
  for (let attempt = 1; ; attempt++) {
    try {
      await install(context, wheel, target);
      return target;
    } catch (error) {
      if (!(error instanceof DamagedArchive)) throw explain(error, wheel);
      rmSync(downloads(home), { recursive: true, force: true });
      if (attempt === 2) {
        throw new SetupError(
          `${wheel.filename} from ${wheel.url.host} was damaged in two downloads: ${error.message} Nothing was installed.`,
          { commands: ["node scripts/setup.mjs", "node scripts/setup.mjs --libtorch system"] },
        );
      }
      report.note(`The download was damaged (${error.message}); fetching it again.`);
    }
  }
}

/** @returns {import("./versions.mjs").Platform | undefined} */
function thisPlatform() {
  /** @type {{ excludeNetwork?: boolean }} */ (process.report).excludeNetwork = true;
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return describePlatform({ osRelease: release(), glibc: header.glibcVersionRuntime });
}

/** @param {string} home */
const downloads = (home) => join(home, "download");

/**
 * @param {HttpClient} client
 * @param {import("./package-index.mjs").Index[]} indexes
 * @param {import("./versions.mjs").Platform} platform
 * @param {import("./report.mjs").Report} report
 */
async function findTorch(client, indexes, platform, report) {
  const reasons = [];
  for (const index of indexes) {
    const place = `${index.why}, ${index.url.host}`;
    try {
      const wheel = chooseWheel(await listFiles(client, index, "torch"), platform);
      if (wheel !== undefined) {
        report.note(`The newest torch there is for this machine is ${wheel.versionText} (${place}).`);
        return { wheel, index };
      }
      reasons.push(`${place}: no wheel for ${platform.system} ${platform.machine}`);
    } catch (error) {
      const message = describe(error);
      report.note(`Cannot ask ${place}: ${message}`);
      reasons.push(`${place}: ${message.replace(/\.$/, "")}`);
    }
  }
  throw new WheelUnavailable(`No torch wheel can be had: ${reasons.join("; ")}.`);
}

/**
 * @param {Context} context
 * @param {import("./package-index.mjs").Wheel} wheel
 * @param {string} target
 */
async function install(context, wheel, target) {
  const { home, report, client } = context;
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(home)) {
    if (name.startsWith("installing-")) rmSync(join(home, name), { recursive: true, force: true });
  }
  const staging = join(home, `installing-${process.pid}`);
  /** @type {RemoteWheel[]} */
  const opened = [];
  const open = async (/** @type {import("./package-index.mjs").Wheel} */ which) => {
    const remote = await RemoteWheel.open(client, which, downloads(home), report);
    opened.push(remote);
    return remote;
  };
  try {
    const remote = await open(wheel).catch((error) => {
      // Nothing has come yet, so this is no better than an index out of reach.
      throw error instanceof HttpError ? new WheelUnavailable(describe(error)) : error;
    });
    const members = [...remote.entries.values()].filter(({ name }) => isWanted(name));
    const packed = sum(members.map(({ compressedSize }) => compressedSize));
    const unpacked = sum(members.map(({ size }) => size));
    checkSpace(home, packed + unpacked);
    report.note(
      `Fetching ${megabytes(packed)} of the wheel's ${megabytes(remote.file.size)}: the CPU libraries and the headers.`,
    );
    await remote.fetch(members);
    report.note(`Unpacking ${members.length} files, ${megabytes(unpacked)}.`);
    for (const entry of members) await remote.extract(entry, join(staging, installedPath(entry.name)));
    if (context.platform.system === "linux") await addNeededLibraries(context, remote, open, staging);
    const origin = { version: wheel.versionText, url: printable(wheel.url), sha256: wheel.sha256 };
    writeFileSync(join(staging, "origin.json"), `${JSON.stringify(origin, null, 2)}\n`);
    renameSync(staging, target);
    for (const { file } of opened) file.discard();
    rmSync(downloads(home), { recursive: true, force: true });
  } catch (error) {
    for (const { file } of opened) file.close();
    rmSync(staging, { recursive: true, force: true });
    throw error;
  }
}

/** @param {string} name of a member of the wheel */
function isWanted(name) {
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
  if (name.split("/").includes("..")) throw new Error(`The wheel's member ${name} leaves its folder.`);
  if (name.startsWith("torch/include/")) return name.slice("torch/".length);
  return name === "torch/version.py" ? "version.py" : join("lib", basename(name));
}

/**
 * Adds the libraries that libtorch_cpu needs and the system does not have: from the same wheel, else from the
 * wheels it requires. PyPI's x86_64 wheel is a CUDA build, whose CPU library loads two small CUDA libraries.
 * @param {Context} context
 * @param {RemoteWheel} remote
 * @param {(wheel: import("./package-index.mjs").Wheel) => Promise<RemoteWheel>} open
 * @param {string} staging
 */
async function addNeededLibraries(context, remote, open, staging) {
  const lib = join(staging, "lib");
  /** @type {RequiredWheels | undefined} */
  let required;
  const queue = readdirSync(lib);
  const present = new Set(queue);
  for (let library = queue.shift(); library !== undefined; library = queue.shift()) {
    for (const needed of neededLibraries(join(lib, library))) {
      if (present.has(needed) || SYSTEM_LIBRARY.test(needed)) continue;
      let source = remote;
      let entry = memberCalled(remote, needed);
      if (entry === undefined) {
        required ??= new RequiredWheels(context, open, await remote.metadata());
        const found = await required.find(needed);
        if (found === undefined) {
          if (systemHas(needed, context.platform)) continue;
          throw new SetupError(
            `${library} of ${remote.wheel.filename} needs ${needed}, which neither the wheel, nor a package that it requires, nor the system has.`,
            { commands: ["node scripts/setup.mjs --libtorch system"] },
          );
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
 * @param {RemoteWheel} remote
 * @param {string} library
 */
function memberCalled(remote, library) {
  return [...remote.entries.values()].find(({ name }) => basename(name) === library);
}

/**
 * @param {string} library
 * @param {import("./versions.mjs").Platform} platform
 */
function systemHas(library, platform) {
  const triplet = `${platform.machine}-linux-gnu`;
  return [
    `/usr/lib/${triplet}`,
    `/lib/${triplet}`,
    "/usr/lib64",
    "/lib64",
    "/usr/lib",
    "/usr/local/lib",
  ].some((folder) => existsSync(join(folder, library)));
}

/** The GPU maker's packages that a torch wheel requires, opened only when a library is looked for in them. */
class RequiredWheels {
  /** @type {import("./requirements.mjs").Requirement[] | undefined} */ #requirements;
  /** @type {Map<string, RemoteWheel | undefined>} */ #opened = new Map();

  /**
   * @param {Context} context
   * @param {(wheel: import("./package-index.mjs").Wheel) => Promise<RemoteWheel>} open
   * @param {string} metadata of the torch wheel
   */
  constructor(context, open, metadata) {
    this.context = context;
    this.open = open;
    this.metadata = metadata;
  }

  /**
   * @param {string} library such as "libcupti.so.13"
   * @returns {Promise<[RemoteWheel, import("./zip.mjs").ZipEntry] | undefined>}
   */
  async find(library) {
    const stem = library
      .replace(/^lib/, "")
      .replace(/\.so.*$/, "")
      .toLowerCase();
    this.#requirements ??= await this.#collect();
    const score = (/** @type {import("./requirements.mjs").Requirement} */ { name, forExtra }) =>
      forExtra === stem ? 2 : name.includes(stem) ? 1 : 0;
    for (const requirement of this.#requirements.toSorted((a, b) => score(b) - score(a))) {
      const remote = await this.#get(requirement);
      const entry = remote && memberCalled(remote, library);
      if (entry !== undefined && remote !== undefined) return [remote, entry];
    }
    return undefined;
  }

  /** torch names NVIDIA's packages itself, or in newer versions by the extras of cuda-toolkit. */
  async #collect() {
    const direct = parseRequirements(this.metadata).filter(({ forExtra }) => forExtra === undefined);
    const collected = direct.filter(({ name }) => name.startsWith("nvidia-"));
    for (const requirement of direct.filter(({ name }) => name === "cuda-toolkit")) {
      const remote = await this.#get(requirement);
      const named = parseRequirements((await remote?.metadata()) ?? "");
      collected.push(
        ...named.filter(({ forExtra }) => forExtra !== undefined && requirement.extras.includes(forExtra)),
      );
    }
    return collected;
  }

  /** @param {import("./requirements.mjs").Requirement} requirement */
  async #get({ name, specifier }) {
    if (!this.#opened.has(name)) {
      const { client, indexes, platform } = this.context;
      let wheel;
      for (const index of indexes) {
        wheel ??= chooseWheel(await listFiles(client, index, name), platform, specifier);
      }
      this.#opened.set(name, wheel && (await this.open(wheel)));
    }
    return this.#opened.get(name);
  }
}

/**
 * @param {string} folder
 * @param {number} needed bytes
 */
function checkSpace(folder, needed) {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= needed) return;
  throw new SetupError(
    `libtorch needs ${megabytes(needed)} in ${folder}, but only ${megabytes(bavail * bsize)} are free. Make room and run set-up again.`,
  );
}

/**
 * @param {unknown} error
 * @param {import("./package-index.mjs").Wheel} wheel
 */
function explain(error, wheel) {
  if (error instanceof SetupError || error instanceof WheelUnavailable) return error;
  return new SetupError(
    `Fetching ${wheel.filename} failed: ${describe(error)} What has arrived is kept; the next run goes on from there.`,
    { commands: ["node scripts/setup.mjs", "node scripts/setup.mjs --libtorch system"], cause: error },
  );
}

/** @param {unknown} error */
function describe(error) {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\.?$/, ".");
  const untrusted = error instanceof HttpError && error.untrusted;
  return untrusted
    ? `${message} Name your network's certificate authority in NODE_EXTRA_CA_CERTS (a PEM file).`
    : message;
}

/** @param {number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
