// Where libtorch is: the places that are looked at, in order, and why one was taken.
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { describeCuda } from "./cuda-headers.mjs";
import { setupCommand } from "./places.mjs";
import { run, which } from "./processes.mjs";
import { SetupError } from "./report.mjs";
import { compareReleases, compareVersions, parseVersion, satisfies } from "./wheels/versions.mjs";

/**
 * @typedef {object} Libtorch
 * @property {string} root
 * @property {string} include folder that holds torch/ and ATen/
 * @property {string} lib folder that holds libtorch_cpu
 * @property {string} version
 * @property {"LIBTORCH" | "python" | "set-up" | "system"} source
 * @property {string} why
 * @property {import("./cuda-headers.mjs").CudaBuild} [cuda] what a build with CUDA has; none for other builds
 */

/** @typedef {{ env: NodeJS.ProcessEnv, home: string, system?: string, hasGpu?: () => Promise<boolean>,
 *  version?: string | undefined, note: (text: string) => void }} Places home: the folder of set-up's own; system: the system's prefix;
 *  hasGpu: asks whether an NVIDIA card and its driver are there, which takes a second or two;
 *  version: the only one of set-up's own for the CPU that will do, and of those that nobody named */

/** The oldest version that is built and tested against. */
const OLDEST = [1, 13];
const SUFFIX = process.platform === "darwin" ? "dylib" : "so";
const VERSION_HEADER = "torch/csrc/api/include/torch/version.h";

/**
 * @param {string | undefined} choice "wheel", "cuda", "cuda==VERSION", "system" or a folder: looks there only
 * @param {Places} places
 * @returns {Promise<Libtorch | undefined>} undefined where none is found, so that one has to be installed
 * @throws {SetupError} where a place that the user named holds none
 */
export async function findLibtorch(choice, places) {
  const { env, home, note, version, system = "/usr", hasGpu = async () => false } = places;
  const own = version === undefined ? "" : `==${version}`;
  const why = `--libtorch ${choice} asks for it`;
  const cuda = cudaChoice(choice);
  if (choice === "wheel" || choice === "system" || cuda !== undefined) {
    const found =
      choice === "system"
        ? await systemPackage(system)
        : installedBefore(home, cuda ? "cuda" : "cpu", cuda?.specifier ?? own);
    return found && { ...found, why };
  }
  if (choice !== undefined) {
    return named(choice, `--libtorch ${choice}`, setupCommand("auto"));
  }
  if (env.LIBTORCH) return named(env.LIBTORCH, `LIBTORCH=${env.LIBTORCH}`, "unset LIBTORCH");
  if (env.LIBTORCH_USE_PYTORCH === "1") return pythonByRequest(env);
  const python = activePython(env, note);
  if (python !== undefined && (python.cuda !== undefined || isVersion(python, version))) return python;
  const [cpu, withCuda] = [installedBefore(home, "cpu", own), installedBefore(home, "cuda")];
  if (cpu !== undefined && withCuda !== undefined) return (await hasGpu()) ? withCuda : cpu;
  if (withCuda !== undefined || cpu !== undefined) return withCuda ?? cpu;
  const package_ = await systemPackage(system);
  return package_ && isVersion(package_, version) ? package_ : undefined;
}

/**
 * @param {Libtorch} libtorch
 * @param {string | undefined} version
 */
function isVersion(libtorch, version) {
  return version === undefined || libtorch.version.replace(/\+.*$/, "") === version;
}

/**
 * @param {string | undefined} choice as on the command line
 * @returns {{ specifier: string } | undefined} which torch with CUDA it asks for; undefined where it does not
 */
export function cudaChoice(choice) {
  const match = /^cuda(==[\w.]+)?$/.exec(choice ?? "");
  return match === null ? undefined : { specifier: match[1] ?? "" };
}

/**
 * @param {string} path
 * @param {string} request how the user named it
 * @param {string} withdrawal the command that takes the request back
 * @returns {Libtorch}
 */
function named(path, request, withdrawal) {
  const root = resolve(path);
  const found = inspect(root);
  if (typeof found === "string") {
    throw new SetupError(
      `${request} must be a folder with libtorch's include/ and lib/, or with torch's wheel, but ${found}.`,
      {
        commands: [withdrawal],
      },
    );
  }
  return { ...found, source: "LIBTORCH", why: `${request} asks for it` };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Libtorch>}
 */
async function pythonByRequest(env) {
  const why = "LIBTORCH_USE_PYTORCH=1 asks for the Python package";
  const program = which("python3") ?? which("python");
  const code = "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0])";
  const { code: status, output } =
    program === undefined ? { code: 127, output: "" } : await run(program, ["-c", code], { env });
  const found = status === 0 ? inspect(output.trim()) : "no python3 can import torch";
  if (typeof found === "string") {
    throw new SetupError(`${why}, but ${found}.`, {
      commands: ["python3 -m pip install torch", "unset LIBTORCH_USE_PYTORCH"],
    });
  }
  return { ...found, source: "python", why };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {(text: string) => void} note
 * @returns {Libtorch | undefined}
 */
function activePython(env, note) {
  const name = env.VIRTUAL_ENV ? "VIRTUAL_ENV" : "CONDA_PREFIX";
  const prefix = env[name];
  if (!prefix) return undefined;
  for (const lib of ["lib", "lib64"]) {
    const pythons = existsSync(join(prefix, lib)) ? readdirSync(join(prefix, lib)) : [];
    for (const python of pythons.filter((entry) => entry.startsWith("python3"))) {
      const root = join(prefix, lib, python, "site-packages/torch");
      if (!existsSync(root)) continue;
      const found = inspect(root);
      if (typeof found !== "string") {
        return { ...found, source: "python", why: `the active Python environment (${name}) has torch` };
      }
      note(`Passing over the torch of the active Python environment: ${found}.`);
    }
  }
  return undefined;
}

/**
 * @param {string} home
 * @param {"cpu" | "cuda"} build
 * @param {string} [specifier] of the version
 * @returns {Libtorch | undefined} the newest of those that set-up installed
 */
function installedBefore(home, build, specifier = "") {
  const ending = build === "cuda" ? "-cuda" : "";
  const installed = (existsSync(home) ? readdirSync(home) : []).flatMap((name) => {
    const version = name.endsWith(ending)
      ? parseVersion(name.slice(0, name.length - ending.length))
      : undefined;
    if (version === undefined || !satisfies(specifier, version)) return [];
    const found = inspect(build === "cuda" ? join(home, name, "torch") : join(home, name));
    return typeof found === "string" ? [] : [{ version, found }];
  });
  const newest = installed.sort((a, b) => compareVersions(b.version, a.version))[0];
  const why = `set-up installed it from the torch wheel${build === "cuda" ? ", with CUDA" : ""}`;
  return newest && { ...newest.found, source: "set-up", why };
}

/**
 * @param {string} prefix
 * @returns {Promise<Libtorch | undefined>}
 */
async function systemPackage(prefix) {
  const found = inspect(prefix);
  if (typeof found === "string") return undefined;
  // Debian's 1.13.1 calls itself 1.13.0 in its headers and its library's name; the package knows better.
  const { code, output } = await run("dpkg-query", ["--status", "libtorch-dev"]);
  const version = code === 0 ? /^Version: ([\d.]+)/m.exec(output)?.[1] : undefined;
  return {
    ...found,
    version: version ?? found.version,
    source: "system",
    why: "the system's package is installed",
  };
}

/**
 * @param {string} root
 * @returns {{ root: string, include: string, lib: string, version: string,
 *   cuda?: import("./cuda-headers.mjs").CudaBuild } | string} what is there, or what keeps it from being used, to
 *   follow "but"
 */
export function inspect(root) {
  const include = join(root, "include");
  const header = join(include, VERSION_HEADER);
  if (!existsSync(header)) return `${header} does not exist`;
  // Debian keeps libraries of several architectures apart.
  const multiarch = process.arch === "arm64" ? "lib/aarch64-linux-gnu" : "lib/x86_64-linux-gnu";
  const folders = ["lib", multiarch, "lib64"].map((folder) => join(root, folder));
  const lib = folders.find((folder) => existsSync(join(folder, `libtorch_cpu.${SUFFIX}`)));
  if (lib === undefined) return `${join(root, "lib", `libtorch_cpu.${SUFFIX}`)} does not exist`;
  const version = readVersion(root, lib);
  const parsed = parseVersion(version);
  if (parsed !== undefined && compareReleases(parsed.release, OLDEST) < 0) {
    return `its version is ${version} and must be ${OLDEST.join(".")} or newer`;
  }
  if (!existsSync(join(lib, "libtorch_cuda.so"))) return { root, include, lib, version };
  return { root, include, lib, version, cuda: describeCuda(root, version) };
}

/**
 * @param {string} root
 * @param {string} lib
 */
function readVersion(root, lib) {
  const fromPython = /^__version__ = ['"]([^'"]+)['"]/m.exec(readIfThere(join(root, "version.py")))?.[1];
  if (fromPython !== undefined) return fromPython;
  const build = readIfThere(join(root, "build-version")).trim();
  if (build !== "") return build;
  // Distributions put the version into the library's name, libtorch_cpu.so.2.6.0.
  const fromName = /\.so\.([\d.]+)$/.exec(basename(realpathSync(join(lib, `libtorch_cpu.${SUFFIX}`))))?.[1];
  // Newer releases moved the header to headeronly/ and include it from the old place.
  const headers = ["torch/headeronly/version.h", VERSION_HEADER].map((header) =>
    readIfThere(join(root, "include", header)),
  );
  return fromName ?? /define TORCH_VERSION \\?\s*"([^"]+)"/.exec(headers.join(""))?.[1] ?? "unknown";
}

/** @param {string} path */
function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
