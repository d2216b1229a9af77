// Builds the native bridge against a libtorch, and records which one, for the program's own `doctor`.
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { dirname, join, relative } from "node:path";
import { lastLines, runInView } from "./processes.mjs";
import { SetupError } from "./report.mjs";
import { hasGloo } from "./system-packages.mjs";

/** @typedef {import("./find-libtorch.mjs").Libtorch} Libtorch */

/** The compiler's memory for one file of libtorch's headers. */
const BYTES_PER_COMPILER = 2e9;

export class Bridge {
  /** @param {Pick<import("./places.mjs").Places, "base" | "native" | "build" | "headers">} places */
  constructor({ base, native, build, headers }) {
    this.base = base;
    this.native = native;
    this.build = build;
    this.addon = join(build, "libtorch_bridge.node");
    this.description = join(build, "libtorch.json");
    this.headers = headers;
    this.log = join(build, "build.log");
  }

  /**
   * @param {Libtorch} libtorch
   * @returns {boolean} whether the bridge on disk was made from these sources and this libtorch
   */
  isCurrent(libtorch) {
    if (!existsSync(this.addon) || !existsSync(this.description)) return false;
    return this.#stamp("sources") === this.#digest(libtorch);
  }

  /**
   * @param {Libtorch} libtorch
   * @param {import("./report.mjs").Report} report
   * @throws {SetupError} with the compiler's last lines
   */
  async make(libtorch, report) {
    this.#begin(libtorch);
    const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / BYTES_PER_COMPILER)));
    // A clean build spends most of its time reading libtorch's headers: one unit for each job reads them least.
    const sources = readdirSync(join(this.native, "src"), { recursive: true, encoding: "utf8" }).filter(
      (name) => name.endsWith(".cpp"),
    ).length;
    const configure = [
      "-S",
      this.native,
      "-B",
      this.build,
      "-DCMAKE_BUILD_TYPE=Release",
      "-DCMAKE_UNITY_BUILD=ON",
      `-DCMAKE_UNITY_BUILD_BATCH_SIZE=${Math.ceil(sources / jobs)}`,
      "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON",
      `-DBRIDGE_RPATH=${this.#runPath(libtorch)}`,
      ...cmakeOptions(libtorch, this.headers),
    ];
    const compile = ["--build", this.build, "--parallel", String(jobs)];
    for (const args of [configure, compile]) {
      const options = { cwd: this.base, log: this.log };
      const { code, output } = await runInView(report, "cmake", "cmake", args, options);
      if (code === 0) continue;
      throw new SetupError(
        `the bridge does not build (the whole output is in ${relative(this.base, this.log)}):\n${errorLines(output)}`,
        { commands: [configure, compile].map((words) => ["cmake", ...words].map(quoted).join(" ")) },
      );
    }
    if (!existsSync(this.addon))
      throw new SetupError(`the build made no ${relative(this.base, this.addon)}.`);
    this.#end(libtorch);
  }

  /**
   * Takes a bridge that was built elsewhere, from these sources for this version of libtorch.
   * @param {string} addon
   * @param {Libtorch} libtorch
   */
  take(addon, libtorch) {
    this.#begin(libtorch);
    this.#runPath(libtorch);
    // A set-up that is killed must not leave half of it where programs look for it.
    const partial = `${this.addon}.part`;
    try {
      copyFileSync(addon, partial);
      renameSync(partial, this.addon);
    } finally {
      rmSync(partial, { force: true });
    }
    this.#end(libtorch);
  }

  /**
   * The stamp goes first and comes back last: an interrupted build is seen as unfinished.
   * @param {Libtorch} libtorch
   */
  #begin(libtorch) {
    rmSync(this.#stampFile("sources"), { force: true });
    if (this.#stamp("libtorch") !== this.#identity(libtorch)) {
      rmSync(this.build, { recursive: true, force: true });
    }
    mkdirSync(this.build, { recursive: true });
    rmSync(this.log, { force: true });
    writeFileSync(this.#stampFile("libtorch"), this.#identity(libtorch));
  }

  /** @param {Libtorch} libtorch */
  #end(libtorch) {
    this.describe(libtorch);
    writeFileSync(this.#stampFile("sources"), this.#digest(libtorch));
  }

  /**
   * Where the bridge looks for libtorch: in the link `lib` beside it, which is relative where both lie in one folder, so that
   * the folder can be copied and moved. NVIDIA's libraries find each other from the place that libtorch really has.
   * @param {Libtorch} libtorch
   */
  #runPath({ lib, cuda }) {
    if (cuda !== undefined) return lib;
    const link = join(this.build, "lib");
    rmSync(link, { force: true });
    const isNear = [this.base, dirname(this.build)].some(
      (folder) => contains(folder, lib) && contains(folder, link),
    );
    symlinkSync(isNear ? relative(this.build, lib) : lib, link);
    return process.platform === "darwin" ? "@loader_path/lib" : "$ORIGIN/lib";
  }

  /**
   * Writes which libtorch the bridge stands on and why.
   * @param {Libtorch} libtorch
   */
  describe(libtorch) {
    const text = `${JSON.stringify(libtorch, null, 2)}\n`;
    if (existsSync(this.description) && readFileSync(this.description, "utf8") === text) return;
    writeFileSync(this.description, text);
  }

  /** @returns {boolean} whether the numerics of this very bridge were checked and found right */
  get isChecked() {
    return this.#stamp("numerics") === this.#stamp("sources");
  }

  markChecked() {
    writeFileSync(this.#stampFile("numerics"), this.#stamp("sources") ?? "");
  }

  /**
   * @param {Libtorch} libtorch
   * @returns {string} what makes one libtorch another, also when it was exchanged in the same place
   */
  #identity({ include, lib, version, cuda }) {
    const library = readdirSync(lib).find((name) => /^libtorch_cpu\.(so|dylib)$/.test(name)) ?? "";
    const { size, mtimeMs } = statSync(join(lib, library));
    return JSON.stringify([this.build, include, lib, version, size, mtimeMs, hasGloo(), cuda]);
  }

  /** @param {Libtorch} libtorch */
  #digest(libtorch) {
    const hash = createHash("sha256").update(this.#identity(libtorch)).update(digestOfSources(this.native));
    const headers = join(this.headers, "../package.json");
    if (existsSync(headers)) hash.update(readFileSync(headers));
    return hash.digest("hex");
  }

  /** @param {string} name */
  #stampFile(name) {
    return join(this.build, `.set-up-${name}`);
  }

  /** @param {string} name */
  #stamp(name) {
    const file = this.#stampFile(name);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }
}

/**
 * @param {string} native
 * @returns {string} of the names and contents of the bridge's sources
 */
export function digestOfSources(native) {
  const hash = createHash("sha256");
  for (const name of readdirSync(native, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(native, name);
    if (statSync(path).isFile()) hash.update(`\0${name}\0`).update(readFileSync(path));
  }
  return hash.digest("hex");
}

/** @param {string} folder @param {string} path */
function contains(folder, path) {
  return !/^\.\.|^\//.test(relative(folder, path));
}

/**
 * @param {Pick<Libtorch, "include" | "lib" | "cuda">} libtorch
 * @param {string} headers folder with Node-API's
 * @returns {string[]} what CMake is told of both; with NCCL where its headers are all there
 */
export function cmakeOptions({ include, lib, cuda }, headers) {
  const options = [`-DLIBTORCH_INCLUDE=${include}`, `-DLIBTORCH_LIB=${lib}`, `-DNODE_API_INCLUDE=${headers}`];
  if (cuda?.ncclInclude === undefined || cuda.missing.length > 0) return options;
  return [...options, `-DCUDA_INCLUDE=${cuda.include.join(";")}`, `-DNCCL_INCLUDE=${cuda.ncclInclude}`];
}

/** @param {string} word of a command for the shell */
function quoted(word) {
  return /[;$]/.test(word) ? `'${word}'` : word;
}

/** @param {string} output */
function errorLines(output) {
  const lines = output.split("\n");
  // The first error counts; what follows are its consequences.
  const first = lines.findIndex((line) => /\berror\b/i.test(line));
  return first === -1 ? lastLines(output, 12) : lines.slice(first, first + 12).join("\n");
}
