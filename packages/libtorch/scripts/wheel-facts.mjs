// Writes setup/wheels/wheel-facts.json anew: what the index and the newest torch wheels really hold, for tests of set-up's
// choices on systems that the tests do not run on. `node packages/libtorch/scripts/wheel-facts.mjs`, with network.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, inflateRawSync } from "node:zlib";
import { Report } from "../setup/report.mjs";
import { HttpClient } from "../setup/wheels/http.mjs";
import { chooseWheel, listFiles } from "../setup/wheels/package-index.mjs";
import { RemoteWheel } from "../setup/wheels/remote-wheel.mjs";

const OUTPUT = fileURLToPath(new URL("../setup/wheels/wheel-facts.json", import.meta.url));
const NATIVE = fileURLToPath(new URL("../native/src", import.meta.url));
const PLATFORMS = {
  "linux-x64": { system: "linux", machine: "x86_64", release: [2, 28] },
  "linux-arm64": { system: "linux", machine: "aarch64", release: [2, 28] },
  "darwin-arm64": { system: "darwin", machine: "arm64", release: [15, 99] },
};

/** @returns {string[]} the headers of libtorch that the bridge's sources name */
export function namedHeaders() {
  const files = readdirSync(NATIVE, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(cpp|h)$/.test(name),
  );
  const sources = files.map((name) => readFileSync(join(NATIVE, name), "utf8"));
  const names = sources.flatMap((text) => [...text.matchAll(/#include <((?:torch|ATen|c10)\/[^>]+)>/g)]);
  return [...new Set(names.map(([, name = ""]) => name))].sort();
}

/**
 * What a library of macOS loads, from the start of its file.
 * Format: https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h
 * @param {RemoteWheel} remote
 * @param {import("../setup/wheels/zip.mjs").ZipEntry} entry
 * @returns {Promise<string[]>}
 */
async function loadedBy(remote, entry) {
  const [NAME, RPATH, LOADS] = [8, 0x8000001c, [0xc, 0x80000018, 0x8000001f]];
  const start = entry.offset;
  await remote.file.fetch([[start, Math.min(start + (1 << 20), entry.end)]], () => {});
  const head = remote.file.read(start, Math.min(start + (1 << 20), entry.end));
  const packed = head.subarray(30 + head.readUInt16LE(26) + head.readUInt16LE(28));
  const bytes = entry.method === 0 ? packed : inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH });
  /** @type {string[]} */
  const loaded = [];
  let at = 32;
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    const [command, size] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    if (command === RPATH || LOADS.includes(command)) {
      const name = bytes.subarray(at + bytes.readUInt32LE(at + NAME), at + size);
      const text = name.toString("utf8", 0, name.indexOf(0));
      loaded.push(command === RPATH ? `rpath ${text}` : text);
    }
    at += size;
  }
  return loaded;
}

async function main() {
  const client = new HttpClient();
  const index = { url: new URL("https://pypi.org/simple"), why: "PyPI", timeoutMs: 30_000 };
  const files = await listFiles(client, index, "torch");
  const folder = await mkdtemp(join(tmpdir(), "wheel-facts-"));
  /** @type {Record<string, object>} */
  const wheels = {};
  const headers = namedHeaders();
  for (const [name, platform] of Object.entries(PLATFORMS)) {
    const wheel = chooseWheel(files, platform);
    if (wheel === undefined) throw new Error(`The index has no wheel of torch for ${name}.`);
    const remote = await RemoteWheel.open(client, wheel, folder, new Report(1));
    const members = [...remote.entries.values()];
    const libraries = members.filter((entry) => /^torch(\.libs)?\/.*\.(so[.\d]*|dylib)$/.test(entry.name));
    const dylibs = libraries.filter((entry) => entry.name.endsWith(".dylib"));
    const loads = [];
    for (const entry of dylibs) loads.push([entry.name, await loadedBy(remote, entry)]);
    const included = headers.flatMap((header) => [
      `torch/include/${header}`,
      `torch/include/torch/csrc/api/include/${header}`,
    ]);
    wheels[name] = {
      filename: wheel.filename,
      libraries: libraries.map((entry) => entry.name).sort(),
      headers: included.filter((header) => remote.entries.has(header)),
      loads: Object.fromEntries(loads),
    };
    remote.giveUp();
  }
  rmSync(folder, { recursive: true });
  // Of the older ones only those of one Python: the others differ in nothing that counts here.
  const names = files
    .map(({ filename }) => filename)
    .filter((name) => /-cp3(9|11)-(cp3\d+|none)-/.test(name));
  writeFileSync(OUTPUT, `${JSON.stringify({ files: names, wheels }, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
