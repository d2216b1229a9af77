// Makes a checkout ready to run: npm's packages, libtorch, the native bridge, compiled TypeScript. Node's own
// modules only, since it runs before anything is installed.
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { withLock } from "../packages/libtorch/setup/lock.mjs";
import { Report, SetupError } from "../packages/libtorch/setup/report.mjs";
import { CHOICES, OLDEST_NODE, setUpLibtorch } from "../packages/libtorch/setup/set-up.mjs";
import { compileTypeScript, installNpmPackages, packagesAreInstalled } from "./setup/javascript.mjs";

/** @typedef {import("../packages/libtorch/setup/find-libtorch.mjs").Libtorch} Libtorch */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const STEPS = 7;
const USAGE = `usage: node scripts/setup.mjs [--libtorch auto|wheel|cuda|system|PATH]

Installs npm's packages, finds libtorch or installs it into .libtorch/, builds the bridge to it and compiles the TypeScript.
${CHOICES}`;

/**
 * Does whatever is still to be done, in under a second where that is nothing.
 * @param {{ libtorch?: string | undefined }} [options] libtorch: as on the command line
 * @returns {Promise<Libtorch>} the libtorch that the bridge stands on
 * @throws {SetupError} after nothing half-done was left behind; `runSetup` prints it
 */
export async function setup({ libtorch } = {}, report = new Report(STEPS)) {
  report.step("Node.js");
  const major = Number(process.versions.node.split(".")[0]);
  if (major < OLDEST_NODE) {
    throw new SetupError(
      `Node.js must be version ${OLDEST_NODE} or newer, but is ${process.versions.node}. Install a newer one from https://nodejs.org/en/download.`,
    );
  }
  report.done(`version ${process.versions.node}`);
  const waiting = (/** @type {string} */ text) => report.progress(text);
  return withLock(join(ROOT, ".libtorch/checkout.lock"), waiting, async () => {
    report.step("npm's packages");
    if (packagesAreInstalled(ROOT)) {
      report.done("up to date");
    } else {
      await installNpmPackages(ROOT, report);
      report.done("installed");
    }
    const between = async () => {
      report.step("TypeScript");
      report.done((await compileTypeScript(ROOT)) ? "compiled" : "up to date");
    };
    return setUpLibtorch({ libtorch, report, between });
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
