// A release: versions, changelog, tarballs, and on npm with provenance. With --dry-run it says what it would do, packs, and
// leaves the checkout as it is.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PACKAGES, packPackages } from "./pack.mjs";
import { PROCESSORS } from "./prebuild/package.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const USAGE = "usage: node scripts/release.mjs VERSION [--dry-run]\n";

/** What keeps a release from being made, for people. */
export class ReleaseError extends Error {}

/**
 * @param {string} version the new one
 * @param {string} current
 * @throws {ReleaseError} where it is not the next patch, minor or major version
 */
export function checkVersion(version, current) {
  const [major = 0, minor = 0, patch = 0] = current.split(".").map(Number);
  const next = [`${major}.${minor}.${patch + 1}`, `${major}.${minor + 1}.0`, `${major + 1}.0.0`];
  if (!next.includes(version))
    throw new ReleaseError(`VERSION must be one of ${next.join(", ")} after ${current}, but is ${version}.`);
}

/**
 * @param {string} text of CHANGELOG.md
 * @param {string} version
 * @param {string} date as 2026-01-31
 * @returns {string} what was unreleased under the version's heading
 * @throws {ReleaseError} where nothing is unreleased
 */
export function releasedChangelog(text, version, date) {
  const heading = "## Unreleased\n";
  const start = text.indexOf(heading);
  const [changes = ""] = start === -1 ? [] : text.slice(start + heading.length).split(/^## /m);
  if (!/^- /m.test(changes))
    throw new ReleaseError(
      "CHANGELOG.md must list changes under '## Unreleased', but lists none. Write what users see.",
    );
  return text.replace(heading, `${heading}\n## ${version} (${date})\n`);
}

/**
 * @param {string} text of a package.json
 * @param {string} version
 * @returns {string} with the version, also where it names the project's other packages
 */
export function withVersion(text, version) {
  const own = /("version": ")[^"]+(")/;
  const others = /("(?:wav2vec2|@wav2vec2\/[\w-]+)": ")\d[^"]*(")/g;
  return text.replace(own, `$1${version}$2`).replaceAll(others, `$1${version}$2`);
}

/** @param {string} program @param {string[]} args */
const run = (program, ...args) => execFileSync(program, args, { cwd: ROOT, stdio: "inherit" });

/** @param {string} version @param {boolean} dry */
function release(version, dry) {
  const manifests = PACKAGES.map((name) => join(ROOT, "packages", name, "package.json"));
  const current = JSON.parse(readFileSync(join(ROOT, "packages/wav2vec2/package.json"), "utf8")).version;
  checkVersion(version, current);
  const changed = execFileSync("git", ["status", "--porcelain"], { cwd: ROOT, encoding: "utf8" });
  if (changed !== "" && !dry)
    throw new ReleaseError(
      `The checkout must be clean, but git status lists changes. Commit them.\n${changed}`,
    );
  const date = new Date().toISOString().slice(0, 10);
  const edits = [
    ...manifests.map((file) => ({ file, text: withVersion(readFileSync(file, "utf8"), version) })),
    {
      file: join(ROOT, "CHANGELOG.md"),
      text: releasedChangelog(readFileSync(join(ROOT, "CHANGELOG.md"), "utf8"), version, date),
    },
  ];
  const say = (/** @type {string} */ text) => process.stdout.write(`${dry ? "would " : ""}${text}\n`);
  for (const { file, text } of edits) {
    say(`set ${version} in ${relative(ROOT, file)}`);
    if (!dry) writeFileSync(file, text);
  }
  say("build, compile the bridges, and install the tarballs into an empty project");
  if (!dry) {
    run("npm", "install", "--package-lock-only", "--ignore-scripts");
    run("npm", "run", "build");
    for (const arch of Object.keys(PROCESSORS)) run(process.execPath, "scripts/prebuild.mjs", "--arch", arch);
    run(process.execPath, "scripts/test.mjs", "packages/wav2vec2/test/package/installed.test.ts");
  }
  const into = mkdtempSync(join(tmpdir(), "release-"));
  try {
    const tarballs = packPackages(into, { forNpm: true });
    say(`commit and tag v${version}`);
    if (!dry) {
      run("git", "commit", "--all", "--message", `Version ${version}`);
      run("git", "tag", `v${version}`);
    }
    for (const tarball of tarballs) {
      say(`publish ${relative(into, tarball)} with provenance`);
      if (!dry) run("npm", "publish", "--provenance", "--access", "public", tarball);
    }
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const { values, positionals } = parseArgs({
      options: { "dry-run": { type: "boolean" } },
      allowPositionals: true,
    });
    if (positionals.length !== 1) throw new ReleaseError(USAGE);
    release(positionals[0] ?? "", values["dry-run"] ?? false);
  } catch (error) {
    process.stderr.write(`${/** @type {Error} */ (error).message}\n`);
    process.exitCode = error instanceof ReleaseError ? 1 : 2;
  }
}
