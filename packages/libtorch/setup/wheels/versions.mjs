// Versions and wheel names of Python packages, as far as picking a wheel needs them.
// Versions: https://packaging.python.org/en/latest/specifications/version-specifiers/
// Wheel names and platform tags: https://packaging.python.org/en/latest/specifications/binary-distribution-format/

/**
 * @typedef {object} Version
 * @property {number[]} release
 * @property {boolean} stable neither a pre-release nor a development build
 * @property {number} post number of the post-release, -1 for none
 * @property {string} local the part after "+", such as "cpu"
 */

/** @typedef {{ system: string, machine: string, release: number[] }} Platform release: glibc's, or macOS's version */

/**
 * @param {string} text
 * @returns {Version | undefined}
 */
export function parseVersion(text) {
  const match =
    /^v?(\d+(?:\.\d+)*)([-_.]?(?:a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?(?:(?:[-_.]?(?:post|rev|r)[-_.]?|-)(\d+))?([-_.]?dev[-_.]?\d*)?(?:\+([a-z0-9.]+))?$/i.exec(
      text.trim(),
    );
  if (match === null) return undefined;
  const [, release = "", pre, post, dev, local = ""] = match;
  return {
    release: release.split(".").map(Number),
    stable: pre === undefined && dev === undefined,
    post: post === undefined ? -1 : Number(post),
    local,
  };
}

/**
 * @param {number[]} a
 * @param {number[]} b
 * @returns {number} negative, zero or positive; missing parts count as zero
 */
export function compareReleases(a, b) {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * @param {Version} a
 * @param {Version} b
 */
export function compareVersions(a, b) {
  return compareReleases(a.release, b.release) || a.post - b.post || a.local.localeCompare(b.local);
}

/**
 * @param {string} specifier such as "==13.2.86.*" or ">=13.0.3,<14"; empty allows everything
 * @param {Version} version
 */
export function satisfies(specifier, version) {
  return specifier.split(",").every((clause) => {
    const match = /^\s*(===|==|!=|<=|>=|~=|<|>)\s*([^\s*]+?)(\.\*)?\s*$/.exec(clause);
    if (match === null) return clause.trim() === "";
    const [, operator, text = "", wildcard] = match;
    const bound = parseVersion(text);
    if (bound === undefined) return false;
    const order = compareReleases(version.release, bound.release) || Math.sign(version.post - bound.post);
    const equal =
      wildcard === undefined ? order === 0 : hasPrefix(version.release, bound.release, bound.release.length);
    switch (operator) {
      case "!=":
        return !equal;
      case "<=":
        return order <= 0;
      case ">=":
        return order >= 0;
      case "<":
        return order < 0;
      case ">":
        return order > 0;
      case "~=":
        return order >= 0 && hasPrefix(version.release, bound.release, bound.release.length - 1);
      default:
        return equal;
    }
  });
}

/**
 * @param {number[]} release
 * @param {number[]} prefix
 * @param {number} length how many parts of the prefix count
 */
function hasPrefix(release, prefix, length) {
  return prefix.slice(0, length).every((part, index) => (release[index] ?? 0) === part);
}

/**
 * @param {string} filename
 * @returns {{ name: string, version: Version, versionText: string, platforms: string[] } | undefined}
 */
export function parseWheelName(filename) {
  if (!filename.endsWith(".whl")) return undefined;
  const parts = filename.slice(0, -4).split("-");
  const [name, versionText] = parts;
  const version = parseVersion(versionText ?? "");
  if (name === undefined || versionText === undefined || version === undefined || parts.length < 5) {
    return undefined;
  }
  return { name: normalizeName(name), version, versionText, platforms: (parts.at(-1) ?? "").split(".") };
}

/** @param {string} name */
export function normalizeName(name) {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** manylinux's first names, each for a version of glibc. */
const OLD_MANYLINUX = new Map([
  ["manylinux1", [2, 5]],
  ["manylinux2010", [2, 12]],
  ["manylinux2014", [2, 17]],
]);

/**
 * @param {string} tag platform tag of a wheel, such as "manylinux_2_28_x86_64"
 * @param {Platform} platform
 */
export function runsOn(tag, platform) {
  if (tag === "any") return true;
  if (!tag.endsWith(`_${platform.machine}`)) return false;
  const base = tag.slice(0, -platform.machine.length - 1);
  const needed =
    OLD_MANYLINUX.get(base) ?? /^(?:manylinux|macosx)_(\d+)_(\d+)$/.exec(base)?.slice(1).map(Number);
  const system = base.startsWith("manylinux") ? "linux" : "darwin";
  return needed !== undefined && system === platform.system && compareReleases(needed, platform.release) <= 0;
}

/**
 * @param {{ platform?: string, arch?: string, osRelease: string, glibc: string | undefined }} host
 * @returns {Platform | undefined} undefined where no wheel can run, as on musl
 */
export function describePlatform({ platform = process.platform, arch = process.arch, osRelease, glibc }) {
  if (platform === "linux") {
    const machine = { x64: "x86_64", arm64: "aarch64" }[arch];
    if (machine === undefined || glibc === undefined) return undefined;
    return { system: platform, machine, release: glibc.split(".").map(Number) };
  }
  if (platform === "darwin") {
    // Darwin 24 is macOS 15; with Darwin 25 Apple skipped to macOS 26.
    const darwin = Number(osRelease.split(".")[0]);
    const machine = arch === "x64" ? "x86_64" : arch;
    return { system: platform, machine, release: [darwin < 25 ? darwin - 9 : darwin + 1, 99] };
  }
  return undefined;
}
