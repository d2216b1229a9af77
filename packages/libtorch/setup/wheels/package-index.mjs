// A Python package index: which one to ask, and which of its wheels to take.
// Page formats: https://packaging.python.org/en/latest/specifications/simple-repository-api/
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HttpError, printable, withRetries } from "./http.mjs";
import { compareVersions, normalizeName, parseWheelName, runsOn, satisfies } from "./versions.mjs";

/** @typedef {{ filename: string, url: URL, sha256: string | undefined, yanked: boolean }} IndexFile */
/** @typedef {{ url: URL, why: string, timeoutMs: number, links?: true }} Index links: a folder (file:) or a page that lists
 *   the files of many projects, which pip calls find-links */
/** @typedef {IndexFile & { versionText: string }} Wheel */

const PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu";
const PYPI = "https://pypi.org/simple";

/**
 * @typedef {object} PipSettings
 * @property {string | undefined} indexUrl
 * @property {string} origin where that is set
 * @property {string[]} findLinks
 * @property {boolean} noIndex
 * @property {string | undefined} proxy
 * @property {string | undefined} certificateFile
 */

/**
 * pip's settings that decide where packages come from, so that a site's own index and certificate authority
 * hold here too.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {PipSettings}
 */
export function pipSettings(env = process.env) {
  /** @type {Map<string, { value: string, origin: string }>} */
  const settings = new Map();
  for (const file of pipConfigurationFiles(env)) {
    if (!existsSync(file)) continue;
    for (const [key, value] of parsePipConfiguration(readFileSync(file, "utf8"))) {
      settings.set(key, { value, origin: file });
    }
  }
  const index = env.PIP_INDEX_URL
    ? { value: env.PIP_INDEX_URL, origin: "PIP_INDEX_URL" }
    : settings.get("index-url");
  const value = (/** @type {string} */ name) =>
    env[`PIP_${name.toUpperCase().replaceAll("-", "_")}`] || settings.get(name)?.value;
  return {
    indexUrl: index?.value,
    origin: index?.origin ?? "",
    findLinks: (value("find-links") ?? "").split(/\s+/).filter((link) => link !== ""),
    noIndex: /^(1|y|yes|t|true|on)$/i.test(value("no-index") ?? ""),
    proxy: value("proxy"),
    certificateFile: value("cert"),
  };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]} pip's configuration files; later ones win
 */
function pipConfigurationFiles(env) {
  const own = env.PIP_CONFIG_FILE;
  if (own === "/dev/null") return [];
  const home = env.HOME ?? homedir();
  const user = [
    join(home, ".pip/pip.conf"),
    join(home, "Library/Application Support/pip/pip.conf"),
    join(env.XDG_CONFIG_HOME || join(home, ".config"), "pip/pip.conf"),
  ];
  return [
    "/etc/xdg/pip/pip.conf",
    "/etc/pip.conf",
    ...(own !== undefined && existsSync(own) ? [] : user),
    ...(env.VIRTUAL_ENV ? [join(env.VIRTUAL_ENV, "pip.conf")] : []),
    ...(own !== undefined ? [own] : []),
  ];
}

/**
 * @param {string} text an INI file
 * @returns {Map<string, string>} the keys of [global] and [install], the latter winning
 */
export function parsePipConfiguration(text) {
  /** @type {Record<string, Map<string, string>>} */
  const sections = { global: new Map(), install: new Map() };
  let section = "";
  /** @type {string | undefined} */
  let key;
  for (const line of text.split(/\r?\n/)) {
    if (key !== undefined && /^\s+[^\s#;]/.test(line)) {
      sections[section]?.set(key, `${sections[section]?.get(key)} ${line.trim()}`.trim());
      continue;
    }
    const header = /^\[([^\]]+)\]/.exec(line);
    if (header !== null) [section, key] = [(header[1] ?? "").trim().toLowerCase(), undefined];
    const pair = /^([^\s#;[=:][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line);
    if (pair !== null) {
      key = (pair[1] ?? "").toLowerCase().replace(/^--/, "").replaceAll("_", "-");
      sections[section]?.set(key, pair[2] ?? "");
    }
  }
  return new Map([...(sections.global ?? []), ...(sections.install ?? [])]);
}

/**
 * @param {string} folder with wheels
 * @param {string} why
 * @returns {Index}
 */
export function folderIndex(folder, why) {
  return { url: pathToFileURL(resolve(folder)), why, timeoutMs: 0, links: true };
}

/**
 * @param {Pick<PipSettings, "indexUrl" | "origin"> & Partial<PipSettings>} settings
 * @param {"cpu" | "cuda"} [build]
 * @returns {Index[]} in the order in which they are asked
 */
export function indexesToAsk({ indexUrl, origin, findLinks = [], noIndex = false }, build = "cpu") {
  const why = "pip's find-links";
  const links = findLinks
    .map((link) =>
      /^https?:/.test(link)
        ? { ...folderIndex("/", why), url: new URL(link), timeoutMs: 15_000 }
        : folderIndex(link.startsWith("file:") ? fileURLToPath(link) : link, why),
    )
    // One that is not there is no mistake where something else can be asked: pip goes on too.
    .filter(({ url }) => noIndex || url.protocol !== "file:" || existsSync(url));
  return noIndex ? links : [...links, ...simpleIndexes({ indexUrl, origin }, build)];
}

/**
 * @param {Pick<PipSettings, "indexUrl" | "origin">} settings
 * @param {"cpu" | "cuda"} build
 * @returns {Index[]}
 */
function simpleIndexes({ indexUrl, origin }, build) {
  if (indexUrl !== undefined) {
    return [{ url: new URL(indexUrl), why: `pip's index-url (${origin})`, timeoutMs: 15_000 }];
  }
  const pypi = { url: new URL(PYPI), why: "PyPI", timeoutMs: 15_000 };
  if (build === "cuda") return [pypi];
  return [
    // Many networks let PyPI through and this one not; its wheels are smaller, but no one should wait for it.
    { url: new URL(PYTORCH_CPU_INDEX), why: "PyTorch's index of CPU builds", timeoutMs: 5_000 },
    pypi,
  ];
}

/**
 * @param {import("./http.mjs").HttpClient} client
 * @param {Index} index
 * @param {string} project
 * @returns {Promise<IndexFile[]>}
 */
export async function listFiles(client, index, project) {
  if (index.url.protocol === "file:") return listFolder(index.url, project);
  const base = new URL(index.url);
  if (!index.links) base.pathname = `${base.pathname.replace(/\/+$/, "")}/${normalizeName(project)}/`;
  const page = await withRetries(
    () =>
      client.text(base, {
        headers: { accept: "application/vnd.pypi.simple.v1+json, text/html;q=0.1" },
        timeoutMs: index.timeoutMs,
      }),
    { attempts: 2 },
  );
  const files = parseIndexPage(page.text, page.headers["content-type"] ?? "", page.url);
  return index.links ? files.filter(({ filename }) => isOf(filename, project)) : files;
}

/**
 * @param {URL} folder
 * @param {string} project
 * @returns {IndexFile[]}
 */
export function listFolder(folder, project) {
  const path = fileURLToPath(folder);
  if (!existsSync(path)) throw new Error(`${path} does not exist`);
  return readdirSync(path)
    .filter((filename) => isOf(filename, project))
    .map((filename) => ({
      filename,
      url: pathToFileURL(join(path, filename)),
      sha256: undefined,
      yanked: false,
    }));
}

/**
 * @param {string} filename
 * @param {string} project
 */
function isOf(filename, project) {
  return parseWheelName(filename)?.name === normalizeName(project);
}

/**
 * @param {Index} index
 * @returns {string} for people
 */
export function describeIndex({ url, why }) {
  return `${why}, ${url.protocol === "file:" ? fileURLToPath(url) : url.host}`;
}

/**
 * @param {string} text
 * @param {string} contentType
 * @param {URL} base the page's own address
 * @returns {IndexFile[]}
 */
export function parseIndexPage(text, contentType, base) {
  const links = /\bjson\b/.test(contentType) ? jsonLinks(text, base) : htmlLinks(text);
  return links.flatMap(({ href, sha256, yanked }) => {
    if (!URL.canParse(href, base.href)) return [];
    const url = new URL(href, base);
    if (url.host === base.host && url.username === "") {
      url.username = base.username;
      url.password = base.password;
    }
    const digest = sha256 ?? /[#&]sha256=([0-9a-f]{64})/.exec(url.hash)?.[1];
    url.hash = "";
    const filename = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
    return [{ filename, url, sha256: digest, yanked }];
  });
}

/** @typedef {{ href: string, sha256: string | undefined, yanked: boolean }} Link */

/**
 * @param {string} text
 * @param {URL} base
 * @returns {Link[]}
 */
function jsonLinks(text, base) {
  const page = JSON.parse(text);
  if (!Array.isArray(page.files)) {
    throw new HttpError(`${printable(base)} must list "files", but does not.`, 200);
  }
  return page.files.map((/** @type {Record<string, unknown>} */ file) => ({
    href: String(file.url),
    sha256: /** @type {{ sha256?: string } | undefined} */ (file.hashes)?.sha256,
    yanked: file.yanked !== undefined && file.yanked !== false,
  }));
}

/**
 * @param {string} text
 * @returns {Link[]}
 */
function htmlLinks(text) {
  return [...text.matchAll(/<a\s((?:[^>"']|"[^"]*"|'[^']*')*)>/gi)].flatMap(([, attributes = ""]) => {
    const href = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(attributes);
    if (href === null) return [];
    const yanked = /\bdata-yanked\b/i.test(attributes);
    return [{ href: unescapeHtml(href[1] ?? href[2] ?? ""), sha256: undefined, yanked }];
  });
}

/** @param {string} text */
function unescapeHtml(text) {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

/**
 * The newest stable wheel that runs here. Any Python tag will do, since only the C++ libraries are used.
 * @param {IndexFile[]} files
 * @param {import("./versions.mjs").Platform} platform
 * @param {string} [specifier] version specifier that the wheel must satisfy
 * @returns {Wheel | undefined}
 */
export function chooseWheel(files, platform, specifier = "") {
  const candidates = files.flatMap((file) => {
    const wheel = parseWheelName(file.filename);
    if (wheel === undefined || file.yanked || !wheel.version.stable) return [];
    if (!wheel.platforms.some((tag) => runsOn(tag, platform)) || !satisfies(specifier, wheel.version))
      return [];
    return [{ ...file, version: wheel.version, versionText: wheel.versionText }];
  });
  candidates.sort(
    (a, b) => compareVersions(b.version, a.version) || a.filename.localeCompare(b.filename, "en"),
  );
  return candidates[0];
}
