// Where set-up puts libtorch and the bridge, and how it is called there: in a checkout of the project beside the sources,
// elsewhere in a cache that all projects of a user share. Nothing is written into node_modules.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, userInfo } from "node:os";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** This package. */
const PACKAGE = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/**
 * @param {string} [folder] of this package
 * @returns {string | undefined} the checkout that it lies in, which has a set-up of its own; undefined for an installed one
 */
export function checkoutOf(folder = PACKAGE) {
  const root = resolve(folder, "../..");
  return existsSync(join(root, "scripts/setup.mjs")) ? root : undefined;
}

/**
 * @returns {string} the user's home; `/`, as containers have it, where neither `HOME` nor the system knows one: what belongs
 *   there is then not found, and may not be written
 */
export function homeDirectory() {
  try {
    return homedir() || userInfo().homedir || "/";
  } catch {
    return "/"; // a user whom the system does not list
  }
}

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string} `$WAV2VEC2_CACHE`, `$XDG_CACHE_HOME/wav2vec2` or `~/.cache/wav2vec2`
 */
export function defaultCache(env = process.env) {
  if (env.WAV2VEC2_CACHE) return resolve(env.WAV2VEC2_CACHE);
  const base = env.XDG_CACHE_HOME;
  // The specification of XDG has relative paths ignored.
  return join(base && isAbsolute(base) ? base : join(homeDirectory(), ".cache"), "wav2vec2");
}

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string} where the libtorchs of all projects are
 */
export function sharedHome(env = process.env) {
  return join(defaultCache(env), "libtorch");
}

/**
 * @typedef {object} Places
 * @property {string} base paths in messages are told from here
 * @property {string} home folder of the libtorchs that set-up installs
 * @property {string} native the bridge's sources
 * @property {string} build folder of the bridge
 * @property {string} headers Node-API's
 * @property {boolean} isCheckout
 */

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string} [folder] of this package
 * @returns {Places}
 */
export function places(env = process.env, folder = PACKAGE) {
  const checkout = checkoutOf(folder);
  const native = join(folder, "native");
  if (checkout !== undefined) {
    const headers = join(checkout, "node_modules/node-api-headers/include");
    const [home, build] = [join(checkout, ".libtorch"), join(folder, "build")];
    return { base: checkout, home, native, build, headers, isCheckout: true };
  }
  const home = sharedHome(env);
  const headers = join(
    dirname(createRequire(join(folder, "package.json")).resolve("node-api-headers")),
    "include",
  );
  return { base: process.cwd(), home, native, build: sharedBuild(home, folder), headers, isCheckout: false };
}

/**
 * @param {string} home
 * @param {string} folder of this package
 * @returns {string} versions of this package have bridges of their own
 */
function sharedBuild(home, folder) {
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(home, `bridge-${version}-${process.platform}-${process.arch}`);
}

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string} [folder] of this package
 * @returns {string} the addon; `LIBTORCH_BRIDGE` names another one
 */
export function bridgePath(env = process.env, folder = PACKAGE) {
  if (env.LIBTORCH_BRIDGE) return env.LIBTORCH_BRIDGE;
  const build = checkoutOf(folder) ? join(folder, "build") : sharedBuild(sharedHome(env), folder);
  return join(build, "libtorch_bridge.node");
}

/**
 * @param {string} [folder] of this package
 * @returns {string[]} the command of set-up with the cache in another place; none for a checkout, which has its own
 */
export function otherCacheCommands(folder = PACKAGE) {
  return checkoutOf(folder) === undefined ? [`another place:     WAV2VEC2_CACHE=DIR ${setupCommand()}`] : [];
}

/**
 * The command of set-up as it works where the user is.
 * @param {string} [libtorch] what set-up is to take, such as `cuda`
 * @param {string} [from] the user's directory
 * @param {string} [folder] of this package
 */
export function setupCommand(libtorch, from = process.cwd(), folder = PACKAGE) {
  const checkout = checkoutOf(folder);
  if (checkout === undefined)
    return `npx wav2vec2 setup${libtorch === undefined ? "" : ` --libtorch ${libtorch}`}`;
  const place = /^[\w/.@:+-]+$/.test(checkout) ? checkout : `"${checkout}"`;
  const script = `npm ${relative(checkout, from) === "" ? "" : `--prefix ${place} `}run setup`;
  return libtorch === undefined ? script : `${script} -- --libtorch ${libtorch}`;
}
