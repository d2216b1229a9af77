import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import type { Environment } from "../../environment.js";

/**
 * Number of NVIDIA GPUs that a process in this environment sees, without loading libtorch: those that `CUDA_VISIBLE_DEVICES`
 * lists where it is set, up to the first that is none, as CUDA counts them.
 */
export function visibleGpus(env: Environment, installed: () => number = installedGpus): number {
  const list = env.CUDA_VISIBLE_DEVICES;
  if (list === undefined) return installed();
  if (list.trim() === "") return 0;
  const names = list.split(",").map((name) => name.trim());
  const count = installed();
  const isNone = (name: string): boolean =>
    /^\d+$/.test(name) ? Number(name) >= count : !/^(GPU|MIG)-/.test(name);
  const end = names.findIndex(isNone);
  return count === 0 ? 0 : end === -1 ? names.length : end;
}

/** Device files of the driver, which show in a container what it was given; without them (WSL) what `nvidia-smi` lists. */
function installedGpus(): number {
  const devices = list("/dev").filter((name) => /^nvidia\d+$/.test(name)).length;
  if (devices > 0) return devices;
  try {
    return execFileSync("nvidia-smi", ["-L"], { encoding: "utf8", timeout: 20_000, stdio: "pipe" })
      .split("\n")
      .filter((line) => line.startsWith("GPU ")).length;
  } catch {
    return 0;
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
