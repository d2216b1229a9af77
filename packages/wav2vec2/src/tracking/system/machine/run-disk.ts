import { readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** The disk that a run is written to. */
export interface RunDisk {
  /** Where the file system is in the tree, such as `/` or `/data`. */
  mount: string;
  /** Bytes; what only administrators may use counts as used. */
  total: number;
  free: number;
  /** Bytes of the run's checkpoints and models. */
  models: number;
  /** The number of the device, as `stat` gives it. */
  device: number;
}

/** Where a run's checkpoints and models lie. */
const MODELS = ["checkpoints", "best", "final"];

/** Undefined where the directory is not there, or its file system does not say how large it is. Waits for the disk: never call it in the thread that trains. */
export function readRunDisk(directory: string): RunDisk | undefined {
  try {
    const { blocks, bavail, bsize } = statfsSync(directory);
    if (blocks === 0) return undefined; // a file system that does not tell, such as some of networks and FUSE
    return {
      mount: mountOf(resolve(directory)),
      total: blocks * bsize,
      free: bavail * bsize,
      models: MODELS.reduce((sum, name) => sum + bytesOf(join(directory, name)), 0),
      device: statSync(directory).dev,
    };
  } catch {
    return undefined;
  }
}

/** The innermost mount that a path lies in; the path itself where the system has no list of them. */
export function mountOf(path: string, mounts = readMounts()): string {
  if (mounts.length === 0) return path;
  const around = mounts.filter((mount) => mount === "/" || path === mount || path.startsWith(`${mount}/`));
  return around.reduce((longest, mount) => (mount.length > longest.length ? mount : longest), "/");
}

function readMounts(): string[] {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .flatMap((line) => line.split(" ")[4] ?? [])
      .map((path) =>
        path.replaceAll(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))),
      );
  } catch {
    return [];
  }
}

/** Of a directory's files, at any depth; what goes away meanwhile does not count. */
function bytesOf(directory: string): number {
  try {
    return readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return sum + bytesOf(path);
      return entry.isFile() ? sum + statSync(path).size : sum;
    }, 0);
  } catch {
    return 0;
  }
}
