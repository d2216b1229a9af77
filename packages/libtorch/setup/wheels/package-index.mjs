// A Python package index: which one to ask, and which of its wheels to take.
// Page formats: https://packaging.python.org/en/latest/specifications/simple-repository-api/
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { HttpError, printable, withRetries } from "./http.mjs";
import { compareVersions, normalizeName, parseWheelName, runsOn, satisfies } from "./versions.mjs";

/** @typedef {{ filename: string, url: URL, sha256: string | undefined, yanked: boolean }} IndexFile */
/** @typedef {{ url: URL, why: string, timeoutMs: number }} Index */
/** @typedef {IndexFile & { versionText: string }} Wheel */

const PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu";
const PYPI = "https://pypi.org/simple";

/**
 * pip's settings that decide where packages come from, so that a site's own index and certificate authority
 * hold here too.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {{ indexUrl: string | undefined, certificateFile: string | undefined, origin: string }}
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
  return {
    indexUrl: index?.value,
    certificateFile: env.PIP_CERT || settings.get("cert")?.value,
    origin: index?.origin ?? "",
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
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[([^\]]+)\]/.exec(line);
    if (header !== null) section = (header[1] ?? "").trim().toLowerCase();
    const pair = /^([^\s#;[=:][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line);
    if (pair !== null) {
      const key = (pair[1] ?? "").toLowerCase().replace(/^--/, "").replaceAll("_", "-");
      sections[section]?.set(key, pair[2] ?? "");
    }
  }
  return new Map([...(sections.global ?? []), ...(sections.install ?? [])]);
}

/**
 * @param {{ indexUrl: string | undefined, origin: string }} settings
 * @param {"cpu" | "cuda"} [build]
 * @returns {Index[]} in the order in which they are asked
 */
export function indexesToAsk({ indexUrl, origin }, build = "cpu") {
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
  const base = new URL(index.url);
  base.pathname = `${base.pathname.replace(/\/+$/, "")}/${normalizeName(project)}/`;
  const page = await withRetries(
    () =>
      client.text(base, {
        headers: { accept: "application/vnd.pypi.simple.v1+json, text/html;q=0.1" },
        timeoutMs: index.timeoutMs,
      }),
    { attempts: 2 },
  );
  return parseIndexPage(page.text, page.headers["content-type"] ?? "", page.url);
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
