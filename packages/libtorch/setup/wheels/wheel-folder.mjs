// A folder of wheels that a person names, such as a copy for machines without network.
import { existsSync, readdirSync, statSync } from "node:fs";
import { thisPlatform } from "./connect.mjs";
import { chooseWheel, folderIndex, listFolder } from "./package-index.mjs";
import { parseWheelName } from "./versions.mjs";

/**
 * @param {string | undefined} choice of --libtorch
 * @returns {string | undefined} it, where it is a folder with a wheel of torch
 */
export function wheelFolder(choice) {
  if (choice === undefined || !existsSync(choice) || !statSync(choice).isDirectory()) return undefined;
  return readdirSync(choice).some((name) => parseWheelName(name)?.name === "torch") ? choice : undefined;
}

/**
 * @param {string} folder
 * @param {string | undefined} preferred a version
 * @returns {string | undefined} that version where the folder has it for this machine, else the newest one that it has
 */
export function versionInFolder(folder, preferred) {
  const platform = thisPlatform();
  if (platform === undefined) return undefined;
  const files = listFolder(folderIndex(folder, "").url, "torch");
  const wheel = (preferred && chooseWheel(files, platform, `==${preferred}`)) || chooseWheel(files, platform);
  return wheel?.versionText.replace(/\+.*$/, "");
}
