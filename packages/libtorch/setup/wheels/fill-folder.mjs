// A folder of .libtorch/ that is filled from wheels: beside its place first, so that it is there completely or not at all.
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { RemoteWheel } from "./remote-wheel.mjs";

/** @typedef {(wheel: import("./package-index.mjs").Wheel) => Promise<RemoteWheel>} Open */

/** @param {string} home the project's .libtorch folder */
export const downloads = (home) => join(home, "download");

/**
 * @param {{ home: string, report: import("../report.mjs").Report, client: import("./http.mjs").HttpClient }} context
 *   home: the project's .libtorch folder
 * @param {string} target the folder, inside `home`
 * @param {(filling: { staging: string, open: Open, opened: readonly RemoteWheel[] }) => Promise<void>} fill writes into
 *   `staging`. What the wheels that it opens have sent is kept for another run where it fails, and forgotten otherwise.
 */
export async function fillFolder({ home, report, client }, target, fill) {
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(home)) {
    if (name.startsWith("installing-")) rmSync(join(home, name), { recursive: true, force: true });
  }
  const staging = join(home, `installing-${process.pid}`);
  /** @type {RemoteWheel[]} */
  const opened = [];
  /** @type {Open} */
  const open = async (wheel) => {
    const remote = await RemoteWheel.open(client, wheel, downloads(home), report);
    opened.push(remote);
    return remote;
  };
  try {
    await fill({ staging, open, opened });
    mkdirSync(dirname(target), { recursive: true });
    renameSync(staging, target);
    for (const remote of opened) remote.file.discard();
  } catch (error) {
    for (const remote of opened) remote.giveUp();
    rmSync(staging, { recursive: true, force: true });
    throw error;
  } finally {
    removeIfEmpty(downloads(home));
  }
}

/** @param {string} folder */
function removeIfEmpty(folder) {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}
