// The libtorch that a bridge is to stand on: one that is there, else the torch wheel's, else the system's.
import { cudaChoice, findLibtorch } from "./find-libtorch.mjs";
import { nvidiaDriver } from "./nvidia-driver.mjs";
import { setupCommand } from "./places.mjs";
import { SetupError } from "./report.mjs";
import { installPackages, SYSTEM_LIBTORCH } from "./system-packages.mjs";
import { installTorchWheel } from "./wheels/torch-wheel.mjs";
import { versionInFolder } from "./wheels/wheel-folder.mjs";
import { WheelUnavailable } from "./wheels/wheel-unavailable.mjs";

/**
 * @param {string | undefined} choice
 * @param {{ home: string, report: import("./report.mjs").Report, log: string, bridge: import("./bridge.mjs").Bridge,
 *   version?: string | undefined, folder?: string | undefined }} options version: of the libtorch for which there is a
 *   compiled bridge; folder: with wheels, where the choice is "wheel" and nothing else is to be asked
 * @returns {Promise<import("./find-libtorch.mjs").Libtorch>}
 */
export async function findOrInstall(choice, { folder, ...options }) {
  const { home, report, log, bridge } = options;
  const version = folder === undefined ? options.version : versionInFolder(folder, options.version);
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
  const places = { env: process.env, home, hasGpu, version, note };
  const found = await findLibtorch(choice, places);
  if (found?.cuda !== undefined) return found;
  const driver = choice === undefined || cuda !== undefined ? await askDriver() : undefined;
  const wantsCuda = cuda !== undefined || driver !== undefined;
  // One for the CPU that is found beside a card gives way, unless it was named, or a bridge to it is in use already.
  const replaceable = found?.source === "set-up" || found?.source === "system";
  if (found !== undefined && (!wantsCuda || !replaceable || bridge.isCurrent(found))) {
    if (driver !== undefined) {
      note(
        `${cardsOf(driver)} is here, but this libtorch is for the CPU. For CUDA's: ${setupCommand("cuda")}`,
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
    const which =
      version === undefined || version !== options.version
        ? "the newest torch wheel"
        : `torch's wheel ${version}, for which there is a compiled bridge`;
    note(`None is installed. First choice: the C++ libraries of ${which}.`);
    try {
      await installTorchWheel({
        home,
        report,
        specifier: version === undefined ? "" : `==${version}`,
        folder,
      });
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

/** @param {import("./nvidia-driver.mjs").Driver} driver */
function cardsOf({ cards }) {
  return cards.length === 1 ? `An ${cards[0]}` : `${cards.length} cards (${[...new Set(cards)].join(", ")})`;
}

/**
 * @param {string} choice "wheel", "system" or one with CUDA
 * @param {string} why
 * @param {import("./find-libtorch.mjs").Places} places
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
    `another index:   PIP_INDEX_URL=URL ${setupCommand("cuda")}`,
    "pip:             python3 -m venv .venv && .venv/bin/pip install torch",
    `then:            VIRTUAL_ENV=$PWD/.venv ${setupCommand("auto")}`,
    `the CPU's:       ${setupCommand("wheel")}`,
  ];
}

function manualCommands() {
  return [
    `no network:      ${setupCommand("DIR")}   (with libtorch's include/ and lib/, or torch's wheels)`,
    "Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y --no-install-recommends libtorch-dev libopenblas0-openmp libgloo-dev cmake g++ make",
    "macOS:           xcode-select --install && brew install cmake && python3 -m venv .venv && .venv/bin/pip install torch",
    "pip:             python3 -m venv .venv && .venv/bin/pip install torch",
    `then:            ${setupCommand("system")}`,
    `  or:            ${setupCommand('"$(echo .venv/lib/python3*/site-packages/torch)"')}`,
  ];
}
