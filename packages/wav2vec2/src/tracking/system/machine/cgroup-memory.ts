import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What this process and its neighbours may use of the memory together, and what of that is left, in bytes: containers and
 * schedulers such as SLURM end what goes beyond it, however much the machine has. Undefined where there is no such limit.
 *
 * @param root of the file system; another one for tests
 */
export function smallestLimit(root = "/"): { total: number; available: number } | undefined {
  const text = readText(join(root, "proc/self/cgroup"));
  const unified = /^0::(.*)$/m.exec(text)?.[1];
  const memory = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(text)?.[1];
  const groups = [
    ...ancestors(unified).map((path) => readGroup(join(root, "sys/fs/cgroup", path), V2)),
    ...ancestors(memory).map((path) => readGroup(join(root, "sys/fs/cgroup/memory", path), V1)),
  ].filter((group) => group !== undefined);
  return groups.reduce<(typeof groups)[number] | undefined>(
    (least, group) => (least && least.total <= group.total ? least : group),
    undefined,
  );
}

const V2 = { limit: "memory.max", usage: "memory.current", cache: "inactive_file" };
const V1 = { limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes", cache: "total_inactive_file" };

/** The group and those around it, each of which has a limit; in a container, only the last may be seen. */
function ancestors(path: string | undefined): string[] {
  if (path === undefined) return [];
  const parts = path.split("/").filter((part) => part !== "");
  return [...parts.map((_, index) => parts.slice(0, parts.length - index).join("/")), ""];
}

function readGroup(directory: string, files: typeof V2): { total: number; available: number } | undefined {
  const total = numberOf(readText(join(directory, files.limit)));
  const usage = numberOf(readText(join(directory, files.usage)));
  if (!(total < 2 ** 60) || !Number.isFinite(usage)) return undefined; // "max", or version 1's number for it
  const statistics = readText(join(directory, "memory.stat"));
  // Files that were read count as used, but are given up before anything is ended.
  const cache = Number(new RegExp(`^${files.cache} (\\d+)`, "m").exec(statistics)?.[1] ?? 0);
  return { total, available: Math.max(0, total - Math.max(0, usage - cache)) };
}

function numberOf(text: string): number {
  return /^\d+\s*$/.test(text) ? Number(text) : Number.NaN;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
