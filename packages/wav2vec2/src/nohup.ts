import { readlinkSync } from "node:fs";
import { basename } from "node:path";

/**
 * Whether `nohup` started this process, which is therefore to live on when its terminal is closed. Node.js takes back what
 * nohup arranges (that SIGHUP is ignored) when it starts, so the traces tell: shells put the command's path into `_`, and
 * nohup writes to `nohup.out` where there was a terminal.
 */
export function startedByNohup(env: NodeJS.ProcessEnv = process.env): boolean {
  return (
    basename(env._ ?? "") === "nohup" || [1, 2].some((stream) => basename(fileOf(stream)) === "nohup.out")
  );
}

function fileOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ""; // not on Linux
  }
}
