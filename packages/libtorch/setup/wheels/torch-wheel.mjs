// libtorch out of PyPI's `torch` wheel, without Python: which wheel, where it goes, and what happens when it does
// not arrive. What is taken of it differs between the builds: cpu-libraries.mjs, cuda-libraries.mjs.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { otherCacheCommands, setupCommand } from "../places.mjs";
import { SetupError } from "../report.mjs";
import { connect } from "./connect.mjs";
import { addCpuLibraries } from "./cpu-libraries.mjs";
import { addCudaLibraries } from "./cuda-libraries.mjs";
import { downloads, fillFolder } from "./fill-folder.mjs";
import { HttpError, printable } from "./http.mjs";
import { chooseWheel, describeIndex, listFiles } from "./package-index.mjs";
import { WheelUnavailable } from "./wheel-unavailable.mjs";
import { DamagedArchive } from "./zip.mjs";

/**
 * @typedef {object} Context
 * @property {string} home the project's .libtorch folder
 * @property {import("../report.mjs").Report} report
 * @property {import("./http.mjs").HttpClient} client
 * @property {import("./package-index.mjs").Index[]} indexes
 * @property {import("./versions.mjs").Platform} platform
 * @property {import("./fill-folder.mjs").Open} open
 * @property {import("../nvidia-driver.mjs").Driver | undefined} driver
 * @property {boolean} byHand whether a person asked for this build
 */

/**
 * @typedef {object} Request
 * @property {string} home the project's .libtorch folder
 * @property {import("../report.mjs").Report} report
 * @property {"cpu" | "cuda"} [build]
 * @property {string} [specifier] of torch's version, such as "==2.6.0"
 * @property {import("../nvidia-driver.mjs").Driver | undefined} [driver]
 * @property {boolean} [byHand]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {import("./versions.mjs").Platform | undefined} [platform]
 * @property {string | undefined} [folder] with wheels, the only place to look at
 */

/**
 * Installs the newest torch wheel's C++ libraries into `home/<version>` (for CUDA `home/<version>-cuda/torch`, with
 * NVIDIA's beside it), which is there completely or not at all.
 * @param {Request} request
 * @returns {Promise<string>} the folder
 * @throws {WheelUnavailable}
 * @throws {SetupError} where the download breaks off or is damaged
 */
export async function installTorchWheel({
  home,
  report,
  build = "cpu",
  specifier = "",
  driver,
  byHand = false,
  env = process.env,
  platform,
  folder,
}) {
  const connection = connect(env, build, { platform, folder });
  const { wheel, index } = await findTorch(connection, specifier, report);
  const target = join(home, build === "cuda" ? `${wheel.versionText}-cuda` : wheel.versionText);
  if (existsSync(target)) return target;
  // What it requires comes from the same place, or from those that would have been asked next.
  const indexes = connection.indexes.slice(connection.indexes.indexOf(index));
  const context = { ...connection, indexes, home, report, driver, byHand };
  for (let attempt = 1; ; attempt++) {
    try {
      await install(context, wheel, build === "cuda" ? addCudaLibraries : addCpuLibraries, target);
      return target;
    } catch (error) {
      if (!(error instanceof DamagedArchive)) throw explain(error, wheel, home);
      if (attempt === 2) {
        throw new SetupError(
          `${wheel.filename} from ${wheel.url.host} was damaged in two downloads: ${error.message} Nothing was installed.`,
          { commands: [setupCommand(), setupCommand("system")] },
        );
      }
      report.note(`The download was damaged (${error.message}); fetching it again.`);
    }
  }
}

/**
 * @param {ReturnType<typeof connect>} connection
 * @param {string} specifier
 * @param {import("../report.mjs").Report} report
 */
async function findTorch({ client, indexes, platform }, specifier, report) {
  const reasons = [];
  for (const index of indexes) {
    const place = describeIndex(index);
    try {
      const wheel = chooseWheel(await listFiles(client, index, "torch"), platform, specifier);
      if (wheel !== undefined) {
        report.note(
          `The newest torch for this machine${specifier && ` of version ${specifier.replace(/^==/, "")}`} is ${wheel.versionText} (${place}).`,
        );
        return { wheel, index };
      }
      reasons.push(
        `${place}: no wheel${specifier && ` of version ${specifier}`} for ${platform.system} ${platform.machine}`,
      );
    } catch (error) {
      const message = describe(error);
      report.note(`Cannot ask ${place}: ${message}`);
      reasons.push(`${place}: ${message.replace(/\.$/, "")}`);
    }
  }
  if (indexes.length === 0) reasons.push("pip's no-index is set, and no find-links");
  throw new WheelUnavailable(`No torch wheel can be had: ${reasons.join("; ")}.`);
}

/**
 * @param {Omit<Context, "open">} request
 * @param {import("./package-index.mjs").Wheel} wheel
 * @param {(context: Context, torch: import("./remote-wheel.mjs").RemoteWheel, staging: string) => Promise<void>} addLibraries
 * @param {string} target
 */
async function install(request, wheel, addLibraries, target) {
  await fillFolder(request, target, async ({ staging, open, opened }) => {
    const torch = await open(wheel).catch((error) => {
      // Nothing has come yet, so this is no better than an index out of reach.
      throw error instanceof HttpError ? new WheelUnavailable(describe(error)) : error;
    });
    await addLibraries({ ...request, open }, torch, staging);
    const [origin, ...others] = opened.map(({ wheel: { versionText, url, sha256 } }) => ({
      version: versionText,
      url: printable(url),
      sha256,
    }));
    writeFileSync(join(staging, "origin.json"), `${JSON.stringify({ ...origin, others }, null, 2)}\n`);
  });
  // What an earlier run has left of other versions is not wanted any more.
  rmSync(downloads(request.home), { recursive: true, force: true });
}

/**
 * @param {unknown} error
 * @param {import("./package-index.mjs").Wheel} wheel
 * @param {string} home
 */
function explain(error, wheel, home) {
  if (error instanceof SetupError || error instanceof WheelUnavailable) return error;
  if (error instanceof Error && "code" in error && error.code === "ENOSPC") {
    return new SetupError(
      `The disk of ${home} is full. Make room and run set-up again; what has arrived in download/ there is kept.`,
      { commands: otherCacheCommands(), cause: error },
    );
  }
  return new SetupError(
    `Fetching ${wheel.filename} failed: ${describe(error)} What has arrived is kept; the next run goes on from there.`,
    { commands: [setupCommand(), setupCommand("system")], cause: error },
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
