// Which libraries a wheel's libraries load that have to come with it.
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { neededLibraries } from "./elf.mjs";

/** Libraries that every Linux of glibc has, by the manylinux policies. */
const SYSTEM_LIBRARY =
  /^(ld-linux[\w-]*|lib(c|m|dl|rt|pthread|util|resolv|nsl|anl|stdc\+\+|gcc_s))\.so(\.\d+)*$/;

/**
 * @param {string} path a library
 * @returns {string[]} the names of the libraries that it needs and that not every Linux has
 */
export function neededBeyondSystem(path) {
  return neededLibraries(path).filter((name) => !SYSTEM_LIBRARY.test(name));
}

/**
 * @param {string} library
 * @param {import("./versions.mjs").Platform} platform
 * @returns {boolean} whether this system happens to have it
 */
export function systemHas(library, platform) {
  const triplet = `${platform.machine}-linux-gnu`;
  return [
    `/usr/lib/${triplet}`,
    `/lib/${triplet}`,
    "/usr/lib64",
    "/lib64",
    "/usr/lib",
    "/usr/local/lib",
  ].some((folder) => existsSync(join(folder, library)));
}

/**
 * @param {import("./remote-wheel.mjs").RemoteWheel} remote
 * @param {string} library
 * @returns {import("./zip.mjs").ZipEntry | undefined}
 */
export function memberCalled(remote, library) {
  return [...remote.entries.values()].find(({ name }) => basename(name) === library);
}
