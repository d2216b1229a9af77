// What an installation costs before it does anything: size on disk, packages, install scripts, time and memory of an import; beside
// transformers.js, and beside torch and transformers of Python.
//   npm run build && node benchmarks/install-size.mjs [--python PATH] [--runs N]
// It packs this checkout and installs into temporary directories, from the registry or npm's cache. PATH is a Python that has torch and
// transformers. Times are processor time, medians of N runs taken in turns, and stand beside an empty program of the same language: on a busy machine
// the ratio is what to read.
import { execFileSync, spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bridgePath } from "../packages/libtorch/setup/places.mjs";
import { packPackages } from "../scripts/pack.mjs";

const MB = 2 ** 20;
/** What a program says at its end: milliseconds of processor time and bytes of memory at most. */
const NODE_SAYS = `process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.stderr.write("\\n" + (userCPUTime + systemCPUTime) / 1000 + " " + maxRSS * 1024 + "\\n");
})`;
const PYTHON_SAYS = `
import resource, sys
used = resource.getrusage(resource.RUSAGE_SELF)
print((used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss * 1024, file=sys.stderr)`;
const { values } = parseArgs({
  options: { python: { type: "string" }, runs: { type: "string", default: "11" } },
});
const directory = mkdtempSync(join(tmpdir(), "install-size-"));
try {
  measure();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function measure() {
  const own = installed("wav2vec2", packPackages(directory));
  const other = installed("transformers.js", ["@huggingface/transformers"]);
  const engine = JSON.parse(readFileSync(join(dirname(bridgePath()), "libtorch.json"), "utf8")).lib;
  const programs = [
    node("an empty program of Node.js", own.project, "0"),
    node('`import "wav2vec2"`', own.project, 'import "wav2vec2"'),
    node('`import "wav2vec2/recognition"`', own.project, 'import "wav2vec2/recognition"'),
    node("`wav2vec2 --help`", own.project, "node_modules/.bin/wav2vec2", "--help"),
    node('`import "@huggingface/transformers"`', other.project, 'import "@huggingface/transformers"'),
    ...(values.python ? pythonPrograms(values.python) : []),
  ];
  print(
    ["", "MB on disk", "packages", "with install scripts"],
    [
      ["`npm install wav2vec2`", own.bytes, own.packages, own.scripts],
      [
        "… and libtorch's libraries, which set-up fetches once a machine",
        own.bytes + bytesUnder(engine),
        own.packages,
        own.scripts,
      ],
      ["`npm install @huggingface/transformers`", other.bytes, other.packages, other.scripts],
      ...(values.python ? [pythonRow(values.python)] : []),
    ].map(([name, bytes, ...counts]) => [name, Math.round(Number(bytes) / MB), ...counts]),
  );
  print(["", "processor time, ms", "of an empty program", "resident memory, MB"], timed(programs));
}

/** Installs into a project of its own. @param {string} name @param {string[]} packages */
function installed(name, packages) {
  const project = join(directory, name);
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "name": "app", "private": true, "type": "module" }');
  execFileSync(
    "npm",
    ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", ...packages],
    {
      cwd: project,
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
  const entries = Object.entries(lock.packages).filter(
    ([path]) => path !== "" && isThere(join(project, path)),
  );
  return {
    project,
    bytes: bytesUnder(join(project, "node_modules")),
    packages: entries.length,
    scripts: entries.filter(([, entry]) => entry.hasInstallScript).length,
  };
}

/** Optional packages of other systems are in the lock file alone. @param {string} path */
function isThere(path) {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** In whole blocks, as the disk gives them. @param {string} path @returns {number} */
function bytesUnder(path) {
  const entry = lstatSync(path);
  const own = entry.blocks * 512;
  if (!entry.isDirectory()) return own;
  return readdirSync(path).reduce((sum, name) => sum + bytesUnder(join(path, name)), own);
}

/** @param {string} name @param {string} cwd @param {string[]} program code, or a file and its arguments */
function node(name, cwd, ...program) {
  const says = ["--import", `data:text/javascript,${encodeURIComponent(NODE_SAYS)}`];
  const code = program.length === 1 ? ["--input-type=module", "--eval"] : [];
  return { name, cwd, command: [process.execPath, ...says, ...code, ...program] };
}

/** @param {string} python */
function pythonPrograms(python) {
  const program = (name, code) => ({
    name,
    cwd: directory,
    command: [python, "-c", `${code}${PYTHON_SAYS}`],
  });
  return [
    program("an empty program of Python", "0"),
    program("`import torch, transformers`", "import torch, transformers"),
    program("`from transformers import Wav2Vec2ForCTC`", "from transformers import Wav2Vec2ForCTC"),
  ];
}

/** @param {string} python */
function pythonRow(python) {
  const script = fileURLToPath(new URL("install_size.py", import.meta.url));
  const { bytes, packages } = JSON.parse(
    execFileSync(python, [script, "torch", "transformers"], { encoding: "utf8" }),
  );
  return ["`pip install torch transformers` (from PyPI, with CUDA's libraries)", bytes, packages, 0];
}

function timed(programs) {
  const all = programs.map(() => []);
  for (let run = 0; run < Number(values.runs); run++)
    for (const [index, { cwd, command }] of programs.entries()) all[index].push(once(cwd, command));
  let empty = 1;
  return programs.map(({ name }, index) => {
    const ms = median(all[index].map((run) => run.ms));
    if (name.startsWith("an empty")) empty = ms;
    const memory = median(all[index].map((run) => run.bytes));
    return [name, Math.round(ms), (ms / empty).toFixed(1), Math.round(memory / MB)];
  });
}

/** @param {string} cwd @param {string[]} command one that says at its end what it took */
function once(cwd, command) {
  const [program = "", ...args] = command;
  const { stderr } = spawnSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  const [ms = Number.NaN, bytes = Number.NaN] =
    stderr.trim().split("\n").at(-1)?.split(" ").map(Number) ?? [];
  if (Number.isNaN(ms + bytes)) throw new Error(`${command.join(" ")} must run, but failed:\n${stderr}`);
  return { ms, bytes };
}

/** @param {number[]} numbers */
function median(numbers) {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** As Markdown. @param {string[]} heads @param {(string | number)[][]} rows */
function print(heads, rows) {
  const line = (/** @type {(string | number)[]} */ cells) => `| ${cells.join(" | ")} |\n`;
  process.stdout.write(`${line(heads)}${line(heads.map(() => "---"))}${rows.map(line).join("")}\n`);
}
