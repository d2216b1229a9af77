// Makes a checkout ready to run: npm's packages, libtorch, the native bridge, compiled TypeScript. Node's own
// modules only, since it runs before anything is installed.
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Bridge } from "./setup/bridge.mjs";
import { withCudaHeaders } from "./setup/fetch-cuda-headers.mjs";
import { cudaChoice, findLibtorch } from "./setup/find-libtorch.mjs";
import { compileTypeScript, installNpmPackages, packagesAreInstalled } from "./setup/javascript.mjs";
import { withLock } from "./setup/lock.mjs";
import { nvidiaDriver } from "./setup/nvidia-driver.mjs";
import { lastLines, runInView } from "./setup/processes.mjs";
import { Report, SetupError } from "./setup/report.mjs";
import {
  installPackages,
  missingBlas,
  missingBuildTools,
  missingOptionalPackages,
  SYSTEM_LIBTORCH,
} from "./setup/system-packages.mjs";
import { installTorchWheel } from "./setup/wheels/torch-wheel.mjs";
import { WheelUnavailable } from "./setup/wheels/wheel-unavailable.mjs";

/** @typedef {import("./setup/find-libtorch.mjs").Libtorch} Libtorch */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_NODE = 20;
const STEPS = 7;
/** File in .libtorch/ with the last --libtorch. */
const CHOICE = "choice";
const USAGE = `usage: node scripts/setup.mjs [--libtorch auto|wheel|cuda|system|PATH]

Installs npm's packages, finds or installs libtorch, builds the bridge to it and compiles the TypeScript.
  --libtorch wheel    the C++ libraries of PyPI's torch wheel for the CPU, into .libtorch/ (0.6 GB)
  --libtorch cuda     the same with CUDA and NVIDIA's libraries, into .libtorch/ (5 GB); cuda==2.10.0 for that version
  --libtorch system   the distribution's package (libtorch-dev)
  --libtorch PATH     a folder with include/ and lib/
  --libtorch auto     search again: LIBTORCH, the active Python environment, .libtorch/, the system; else install,
                      with CUDA where an NVIDIA card and its driver are there
The choice holds for later runs.
`;

/**
 * Does whatever is still to be done, in under a second where that is nothing.
 * @param {{ libtorch?: string | undefined }} [options] libtorch: as on the command line
 * @returns {Promise<Libtorch>} the libtorch that the bridge stands on
 * @throws {SetupError} after nothing half-done was left behind; `runSetup` prints it
 */
export async function setup({ libtorch: requested } = {}, report = new Report(STEPS)) {
  const home = join(ROOT, ".libtorch");
  report.step("Node.js");
  const major = Number(process.versions.node.split(".")[0]);
  if (major < OLDEST_NODE) {
    throw new SetupError(
      `Node.js must be version ${OLDEST_NODE} or newer, but is ${process.versions.node}. Install a newer one from https://nodejs.org/en/download.`,
    );
  }
  report.done(`version ${process.versions.node}`);
  const waiting = (/** @type {string} */ text) => report.progress(text);
  return withLock(join(home, "set-up.lock"), waiting, () => setUpLocked(home, requested, report));
}

/**
 * @param {string} home
 * @param {string | undefined} requested
 * @param {Report} report
 */
async function setUpLocked(home, requested, report) {
  const log = join(home, "apt.log");

  report.step("npm's packages");
  if (packagesAreInstalled(ROOT)) {
    report.done("up to date");
  } else {
    await installNpmPackages(ROOT, report);
    report.done("installed");
  }

  report.step("libtorch");
  const choice = chosenByHand(home, requested);
  const bridge = new Bridge(ROOT);
  let libtorch = await findOrInstall(choice, { home, report, log, bridge });
  // Asked once for each libtorch: a machine without network is not kept waiting by every run.
  if (libtorch.cuda !== undefined && !bridge.isCurrent(libtorch)) {
    libtorch = await withCudaHeaders(libtorch, { home, report });
  }
  if (requested !== undefined) rememberChoice(home, choice);
  report.done(`${libtorch.version} in ${libtorch.lib}: ${libtorch.why}`);

  const current = bridge.isCurrent(libtorch);
  report.step("Build tools");
  if (current) {
    report.done("not needed, the bridge is built");
  } else {
    const tools = missingBuildTools();
    const useful = [...missingOptionalPackages(), ...(libtorch.source === "system" ? missingBlas() : [])];
    if (tools.length + useful.length > 0) await installPackages(tools, useful, { report, log });
    report.done("a C++ compiler and cmake are there");
  }

  report.step("The bridge to libtorch");
  if (current) {
    bridge.describe(libtorch);
    report.done("up to date");
  } else {
    report.note(`Compiling packages/libtorch/native against libtorch ${libtorch.version}.`);
    await bridge.make(libtorch, report);
    report.done("built");
  }

  report.step("TypeScript");
  report.done((await compileTypeScript(ROOT)) ? "compiled" : "up to date");

  report.step("Numerics of this libtorch");
  if (bridge.isChecked) {
    report.done("checked before");
  } else {
    await checkNumerics(report);
    bridge.markChecked();
    report.done("right");
  }
  return libtorch;
}

/**
 * @param {string | undefined} choice
 * @param {{ home: string, report: Report, log: string, bridge: Bridge }} options
 * @returns {Promise<Libtorch>}
 */
async function findOrInstall(choice, { home, report, log, bridge }) {
  const cuda = cudaChoice(choice);
  // The driver takes a second or two to answer, so it is asked once, and only where the answer counts.
  /** @type {ReturnType<typeof nvidiaDriver> | undefined} */
  let answer;
  const askDriver = () => {
    answer ??= nvidiaDriver();
    return answer;
  };
  const hasGpu = async () => (await askDriver()) !== undefined;
  const note = (/** @type {string} */ text) => report.note(text);
  const places = { env: process.env, home, hasGpu, note };
  const found = await findLibtorch(choice, places);
  if (found?.cuda !== undefined) return found;
  const driver = choice === undefined || cuda !== undefined ? await askDriver() : undefined;
  const wantsCuda = cuda !== undefined || driver !== undefined;
  // One for the CPU that is found beside a card gives way, unless it was named, or a bridge to it is in use already.
  const replaceable = found?.source === "set-up" || found?.source === "system";
  if (found !== undefined && (!wantsCuda || !replaceable || bridge.isCurrent(found))) {
    if (driver !== undefined) {
      note(
        `${cardsOf(driver)} is here, but this libtorch is for the CPU. For CUDA's: npm run setup -- --libtorch cuda`,
      );
    }
    return found;
  }
  if (wantsCuda) {
    if (driver !== undefined) note(`${cardsOf(driver)} is here, with driver ${driver.version}.`);
    try {
      const specifier = cuda?.specifier ?? "";
      await installTorchWheel({ home, report, build: "cuda", specifier, driver, byHand: cuda !== undefined });
      const why = "none was there, so set-up installed the torch wheel's with CUDA";
      return await foundAfterInstalling(choice ?? "cuda", why, places);
    } catch (error) {
      if (!(error instanceof WheelUnavailable)) throw error;
      if (cuda !== undefined) throw new SetupError(error.message, { commands: cudaCommands() });
      note(`${error.message}\nSecond choice: a libtorch for the CPU.`);
      if (found !== undefined) return found;
    }
  }
  if (choice !== "system") {
    note("None is installed. First choice: the C++ libraries of the newest torch wheel.");
    try {
      await installTorchWheel({ home, report });
      return await foundAfterInstalling(
        "wheel",
        "none was there, so set-up installed the torch wheel's",
        places,
      );
    } catch (error) {
      if (!(error instanceof WheelUnavailable)) throw error;
      if (choice === "wheel") throw new SetupError(error.message, { commands: manualCommands() });
      note(`${error.message}\nSecond choice: the system's package.`);
    }
  }
  try {
    await installPackages([SYSTEM_LIBTORCH], [], { report, log });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SetupError(message, { commands: manualCommands() });
  }
  const why = "none was there, so set-up installed the system's package";
  return foundAfterInstalling("system", why, places);
}

/** @param {import("./setup/nvidia-driver.mjs").Driver} driver */
function cardsOf({ cards }) {
  return cards.length === 1 ? `An ${cards[0]}` : `${cards.length} cards (${[...new Set(cards)].join(", ")})`;
}

/**
 * @param {string} choice "wheel", "system" or one with CUDA
 * @param {string} why
 * @param {import("./setup/find-libtorch.mjs").Places} places
 */
async function foundAfterInstalling(choice, why, places) {
  const found = await findLibtorch(choice, places);
  if (found !== undefined) return { ...found, why };
  throw new SetupError("libtorch was installed, but is not where it belongs.", {
    commands: manualCommands(),
  });
}

function cudaCommands() {
  return [
    "another index:   PIP_INDEX_URL=URL node scripts/setup.mjs --libtorch cuda",
    "pip:             python3 -m venv .venv && .venv/bin/pip install torch",
    "then:            VIRTUAL_ENV=$PWD/.venv node scripts/setup.mjs --libtorch auto",
    "the CPU's:       node scripts/setup.mjs --libtorch wheel",
  ];
}

function manualCommands() {
  return [
    "Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y --no-install-recommends libtorch-dev libopenblas0-openmp libgloo-dev cmake g++ make",
    "macOS:           xcode-select --install && brew install cmake && python3 -m venv .venv && .venv/bin/pip install torch",
    "pip:             python3 -m venv .venv && .venv/bin/pip install torch",
    "then:            node scripts/setup.mjs --libtorch system",
    '  or:            node scripts/setup.mjs --libtorch "$(echo .venv/lib/python3*/site-packages/torch)"',
  ];
}

/**
 * @param {string} home
 * @param {string | undefined} requested
 * @returns {string | undefined} "wheel", "cuda", "system" or a folder, chosen now or on an earlier run
 */
function chosenByHand(home, requested) {
  if (requested === "auto") return undefined;
  if (requested === "wheel" || requested === "system" || cudaChoice(requested) !== undefined)
    return requested;
  if (requested !== undefined) return resolve(requested);
  if (process.env.LIBTORCH || process.env.LIBTORCH_USE_PYTORCH === "1") return undefined;
  const file = join(home, CHOICE);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/**
 * @param {string} home
 * @param {string | undefined} choice
 */
function rememberChoice(home, choice) {
  if (choice === undefined) rmSync(join(home, CHOICE), { force: true });
  else writeFileSync(join(home, CHOICE), `${choice}\n`);
}

/** @param {Report} report */
async function checkNumerics(report) {
  const program = join(ROOT, "packages/libtorch/dist/numerics-check-main.js");
  report.note("Comparing operators and their gradients with float64.");
  const { code, output } = await runInView(report, "checking", process.execPath, [program], { cwd: ROOT });
  if (code === 0) return;
  throw new SetupError(`this libtorch computes wrong results:\n${lastLines(output, 30)}`, {
    commands: [
      "node packages/libtorch/dist/numerics-check-main.js",
      "node scripts/setup.mjs --libtorch wheel",
      "node scripts/setup.mjs --libtorch system",
    ],
  });
}

/**
 * Runs `setup` for a program that cannot go on without it: a failure is printed and ends the process.
 * @param {{ libtorch?: string | undefined }} [options]
 * @returns {Promise<Libtorch>}
 */
export async function runSetup(options = {}) {
  const report = new Report(STEPS);
  try {
    return await setup(options, report);
  } catch (error) {
    report.failure(error);
    process.exit(1);
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  let values;
  try {
    ({ values } = parseArgs({ options: { libtorch: { type: "string" }, help: { type: "boolean" } } }));
  } catch (error) {
    process.stderr.write(`${/** @type {Error} */ (error).message}\n${USAGE}`);
    process.exit(2);
  }
  if (values.help) process.stdout.write(USAGE);
  else await runSetup({ libtorch: values.libtorch });
}
