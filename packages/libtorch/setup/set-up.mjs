// libtorch and the bridge to it, ready to be loaded: found or fetched, taken compiled or built, checked.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Bridge } from "./bridge.mjs";
import { chosenByHand, rememberChoice } from "./choice.mjs";
import { withCudaHeaders } from "./fetch-cuda-headers.mjs";
import { findOrInstall } from "./find-or-install.mjs";
import { withLock } from "./lock.mjs";
import { otherCacheCommands, places as placesOf, setupCommand } from "./places.mjs";
import { findPrebuilt, prebuiltProblem } from "./prebuilt.mjs";
import { lastLines, runInView } from "./processes.mjs";
import { Report, SetupError } from "./report.mjs";
import { checkSystem } from "./supported.mjs";
import {
  installPackages,
  missingBlas,
  missingBuildTools,
  missingOptionalPackages,
} from "./system-packages.mjs";
import { wheelFolder } from "./wheels/wheel-folder.mjs";

/** @typedef {import("./find-libtorch.mjs").Libtorch} Libtorch */
/** @typedef {import("./places.mjs").Places} Places */

export { Report, SetupError };

export const OLDEST_NODE = 20;
const NUMERICS = fileURLToPath(new URL("../dist/operators/numerics-check-main.js", import.meta.url));

/** For the usage of what calls it. */
export const CHOICES = `  --libtorch wheel    the C++ libraries of PyPI's torch wheel for the CPU (0.6 GB)
  --libtorch cuda     the same with CUDA and NVIDIA's libraries (5 GB); cuda==2.10.0 for that version
  --libtorch system   the distribution's package (libtorch-dev)
  --libtorch PATH     a folder with include/ and lib/, or one with torch's wheel and those that it requires
  --libtorch auto     search again: LIBTORCH, the active Python environment, what set-up installed, the system; else
                      install, with CUDA where an NVIDIA card and its driver are there
The choice holds for later runs.
`;

/**
 * Does whatever is still to be done, in under a second where that is nothing.
 * @param {{ libtorch?: string | undefined, report?: Report, places?: Places, between?: () => Promise<void> }} [options]
 *   libtorch: as on the command line; between: what a checkout does when the bridge is there and before it is checked
 * @returns {Promise<Libtorch>} the libtorch that the bridge stands on
 * @throws {SetupError} after nothing half-done was left behind
 */
export async function setUpLibtorch({ libtorch, report = new Report(4), places = placesOf(), between } = {}) {
  const waiting = (/** @type {string} */ text) => report.progress(text);
  const file = join(places.home, "set-up.lock");
  report.step("libtorch");
  checkSystem(isNamed(chosenByHand(places.home, libtorch)));
  try {
    return await withLock(file, waiting, () => setUpLocked(libtorch, places, report, between));
  } catch (error) {
    throw ofFiles(error, places.home);
  }
}

/** @param {string | undefined} choice */
function isNamed(choice) {
  const ownNames = ["wheel", "cuda"];
  return choice === undefined
    ? Boolean(process.env.LIBTORCH)
    : !ownNames.some((name) => choice.startsWith(name));
}

/**
 * @param {unknown} error
 * @param {string} home
 * @returns {unknown} a `SetupError` where the disk or its permissions are to blame
 */
function ofFiles(error, home) {
  const { code = "", path } = /** @type {NodeJS.ErrnoException} */ (error);
  if (error instanceof SetupError || !(error instanceof Error)) return error;
  const commands = otherCacheCommands();
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new SetupError(`The disk of ${home} is full. Make room and run set-up again.`, {
      commands,
      cause: error,
    });
  }
  if (!["EACCES", "EPERM", "EROFS"].includes(code) || path === undefined) return error;
  return new SetupError(
    `${home} must be a folder that this user may write, but ${path} is not writable (${code}).`,
    {
      commands,
      cause: error,
    },
  );
}

/**
 * @param {string | undefined} requested
 * @param {Places} places
 * @param {Report} report
 * @param {(() => Promise<void>) | undefined} between
 */
async function setUpLocked(requested, places, report, between) {
  const { home } = places;
  const log = join(home, "apt.log");
  const bridge = new Bridge(places);
  // A checkout builds its own, of sources that may change.
  const prebuilt = places.isCheckout ? { reason: "a checkout builds its own" } : findPrebuilt(places);

  const wanted = chosenByHand(home, requested);
  const folder = wheelFolder(wanted);
  const choice = folder === undefined ? wanted : "wheel";
  const version = "libtorch" in prebuilt ? prebuilt.libtorch : undefined;
  let libtorch = await findOrInstall(choice, { home, report, log, bridge, version, folder });
  // Asked once for each libtorch: a machine without network is not kept waiting by every run.
  if (libtorch.cuda !== undefined && !bridge.isCurrent(libtorch)) {
    libtorch = await withCudaHeaders(libtorch, { home, report });
  }
  // A folder of wheels may be gone the next time: what came out of it is what was chosen.
  const isOther =
    folder !== undefined && version !== undefined && prebuiltProblem(prebuilt, libtorch) !== undefined;
  if (requested !== undefined) rememberChoice(home, isOther ? libtorch.root : choice);
  report.done(`${libtorch.version} in ${libtorch.lib}: ${libtorch.why}`);

  const current = bridge.isCurrent(libtorch);
  const problem = current ? undefined : prebuiltProblem(prebuilt, libtorch);
  report.step("Build tools");
  if (current) {
    report.done("not needed, the bridge is built");
  } else if (problem === undefined) {
    report.done("not needed, the bridge comes compiled");
  } else {
    if (!places.isCheckout) report.note(`No compiled bridge fits: ${problem}.`);
    const tools = missingBuildTools();
    const useful = [...missingOptionalPackages(), ...(libtorch.source === "system" ? missingBlas() : [])];
    if (tools.length + useful.length > 0) {
      await installPackages(tools, useful, { report, log }).catch((error) => {
        if (!(error instanceof SetupError) || version === undefined) throw error;
        const instead = `without compiler:  ${setupCommand("wheel")}   (libtorch ${version}, for which the bridge comes compiled)`;
        throw new SetupError(error.message, { commands: [...error.commands, instead], cause: error });
      });
    }
    report.done("a C++ compiler and cmake are there");
  }

  report.step("The bridge to libtorch");
  if (current) {
    bridge.describe(libtorch);
    report.done("up to date");
  } else if (problem === undefined && "addon" in prebuilt) {
    bridge.take(prebuilt.addon, libtorch);
    report.done(`taken from ${prebuilt.addon}`);
  } else {
    report.note(`Compiling ${places.native} against libtorch ${libtorch.version}.`);
    await bridge.make(libtorch, report);
    report.done("built");
  }

  await between?.();

  report.step("Numerics of this libtorch");
  if (bridge.isChecked) {
    report.done("checked before");
  } else {
    await checkNumerics(report, places);
    bridge.markChecked();
    report.done("right");
  }
  return libtorch;
}

/**
 * @param {Report} report
 * @param {Places} places
 */
async function checkNumerics(report, { base }) {
  report.note("Comparing operators and their gradients with float64.");
  // Operators on few numbers: threads that wait for one another take four times the processor time of all the rest.
  const env = { OMP_WAIT_POLICY: "passive", ...process.env };
  const { code, output } = await runInView(report, "checking", process.execPath, [NUMERICS], {
    cwd: base,
    env,
  });
  if (code === 0) return;
  throw new SetupError(`this libtorch computes wrong results:\n${lastLines(output, 30)}`, {
    commands: [`node ${NUMERICS}`, setupCommand("wheel"), setupCommand("system")],
  });
}
