// What every question to a package index needs: this machine's kind, the indexes to ask, a client that they trust.
import { existsSync } from "node:fs";
import { release } from "node:os";
import { systemGlibc } from "../glibc.mjs";
import { SetupError } from "../report.mjs";
import { HttpClient } from "./http.mjs";
import { folderIndex, indexesToAsk, pipSettings } from "./package-index.mjs";
import { describePlatform } from "./versions.mjs";
import { WheelUnavailable } from "./wheel-unavailable.mjs";

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {"cpu" | "cuda"} build
 * @param {{ platform?: import("./versions.mjs").Platform | undefined, folder?: string | undefined }} [options] folder: with
 *   wheels, which is then the only place to look at
 * @returns {{ client: HttpClient, indexes: import("./package-index.mjs").Index[],
 *   platform: import("./versions.mjs").Platform }}
 * @throws {WheelUnavailable} where no wheel can run
 */
export function connect(env, build, { platform = thisPlatform(), folder } = {}) {
  if (platform === undefined) {
    throw new WheelUnavailable(`There is no torch wheel for ${process.platform} on ${process.arch}.`);
  }
  const settings = pipSettings(env);
  if (settings.certificateFile !== undefined && !existsSync(settings.certificateFile)) {
    throw new SetupError(
      `pip's certificate bundle must be a file, but ${settings.certificateFile} does not exist. Correct PIP_CERT or pip.conf.`,
    );
  }
  const client = new HttpClient({ certificateFile: settings.certificateFile, env, proxy: settings.proxy });
  const indexes = folder === undefined ? indexesToAsk(settings, build) : [folderIndex(folder, "--libtorch")];
  return { client, indexes, platform };
}

/** @returns {import("./versions.mjs").Platform | undefined} */
export function thisPlatform() {
  return describePlatform({ osRelease: release(), glibc: systemGlibc() });
}
