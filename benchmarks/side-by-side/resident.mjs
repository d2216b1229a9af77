import { readFileSync } from "node:fs";

/**
 * @param {"VmHWM" | "VmRSS"} name the highest resident memory so far, or that of now (proc(5), status)
 * @param {number | "self"} [process]
 * @returns {number | undefined} megabytes; undefined where the process is gone or the system has no /proc
 */
export function residentMb(name, process = "self") {
  try {
    const status = readFileSync(`/proc/${process}/status`, "utf8");
    return (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)[1]) * 1024) / 1e6;
  } catch {
    return undefined;
  }
}
