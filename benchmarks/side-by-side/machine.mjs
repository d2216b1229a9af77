// What the numbers belong to.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FEATURES = ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "bf16"];

/** @returns the processor, memory and load of now */
export function describeMachine() {
  const info = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1].split(" "));
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    family: /^cpu family\s*:\s*(\d+)$/m.exec(info)?.[1],
    model: /^model\s*:\s*(\d+)$/m.exec(info)?.[1],
    cores: cpus().length,
    features: FEATURES.filter((name) => flags.has(name)),
    memoryGb: totalmem() / 1e9,
    load: loadavg()[0],
    node: process.version,
  };
}

/** @returns {string} of the checkout; "+" behind it where files differ from it */
export function describeCommit() {
  const git = (...args) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
  return `${git("rev-parse", "--short=10", "HEAD")}${changed ? "+" : ""}`;
}

const MODULES = [
  "torch",
  "transformers",
  "torchaudio",
  "onnxruntime",
  "onnxscript",
  "ctranslate2",
  "soundfile",
];

/**
 * @param {(string | undefined)[]} candidates programs
 * @returns {{ python?: string, modules: Record<string, string> }} the first Python with torch and transformers, and the
 * versions of what it has; nothing where there is none
 */
export function findPython(candidates) {
  const script = `
import importlib.metadata, json, sys
versions = {"python": sys.version.split()[0], "executable": sys.executable}
for name in ${JSON.stringify(MODULES)}:
    try: versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: pass
print(json.dumps(versions))`;
  for (const candidate of candidates) {
    if (!candidate) continue;
    try {
      const options = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
      const { executable, ...modules } = JSON.parse(execFileSync(candidate, ["-c", script], options));
      if (modules.torch && modules.transformers) return { python: executable, modules };
    } catch {
      // no such program, or no Python
    }
  }
  return { modules: {} };
}
