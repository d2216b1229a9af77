// What catches most mistakes within half a minute: the linter on the files that changed since the last commit, the
// compiler, and the tests that stand beside these files.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * @param {string[]} files that changed, from the root
 * @param {(file: string) => boolean} exists
 * @returns {string[]} tests that changed, and those of the same name beside what changed
 */
export function testsBeside(files, exists) {
  const tests = files.flatMap((file) => {
    if (/\.test\.(ts|mjs)$/.test(file)) return [file];
    return [file.replace(/\.(ts|mjs)$/, ".test.$1")].filter((test) => test !== file);
  });
  return [...new Set(tests)].filter(exists);
}

/** @returns {string[]} files that differ from the last commit or are new, and still exist */
function changedFiles() {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).split("\0");
  const names = [
    ...git("diff", "--name-only", "-z", "HEAD"),
    ...git("ls-files", "--others", "--exclude-standard", "-z"),
  ];
  return names.filter((name) => name !== "" && existsSync(`${ROOT}/${name}`));
}

/** @param {string} program in node_modules/.bin @param {string[]} args */
function run(program, ...args) {
  const { status } = spawnSync(`node_modules/.bin/${program}`, args, { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const files = changedFiles();
  if (files.length > 0) run("biome", "check", "--no-errors-on-unmatched", ...files);
  run("tsc", "--build");
  const tests = testsBeside(files, (file) => existsSync(`${ROOT}/${file}`));
  if (tests.length > 0) run("vitest", "run", ...tests);
  process.stdout.write(
    `${files.length} files changed, ${tests.length} test files beside them. CI runs everything: npm test\n`,
  );
}
