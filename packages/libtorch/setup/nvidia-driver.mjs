// The driver of an NVIDIA card, which comes with the system and not with libtorch: whether it works, and for which CUDA.
import { run, which } from "./processes.mjs";

/** @typedef {{ version: string, cards: string[] }} Driver version: such as "580.65.06" */

/** Windows' driver, seen from Linux inside it, is not on the search path of every shell. */
const PLACES = ["/usr/lib/wsl/lib/nvidia-smi"];

/**
 * @returns {Promise<Driver | undefined>} the driver, where it works and has a card. Its kernel module alone is no
 *   sign: a container without cards sees its host's.
 */
export async function nvidiaDriver() {
  for (const program of [which("nvidia-smi"), ...PLACES]) {
    if (program === undefined) continue;
    const query = ["--query-gpu=driver_version,name", "--format=csv,noheader"];
    const { code, output } = await run(program, query);
    const rows = output.split("\n").flatMap((line) => {
      const match = /^([\d.]+), (.+)$/.exec(line.trim());
      return match === null ? [] : [{ version: match[1] ?? "", card: match[2] ?? "" }];
    });
    if (code === 0 && rows[0] !== undefined) {
      return { version: rows[0].version, cards: rows.map(({ card }) => card) };
    }
  }
  return undefined;
}

/**
 * A driver runs every minor version of the CUDA it was made for, and all older ones.
 * https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
 * @param {string} cuda such as "13.2"
 * @returns {number | undefined} the oldest driver's major number; undefined for a CUDA that is not known here
 */
export function oldestDriver(cuda) {
  return { 11: 450, 12: 525, 13: 580 }[Number.parseInt(cuda, 10)];
}

/**
 * @param {string} cuda
 * @param {Driver | undefined} driver
 * @returns {string | undefined} why the driver does not run this CUDA
 */
export function driverProblem(cuda, driver) {
  const oldest = oldestDriver(cuda);
  if (driver === undefined || oldest === undefined || Number.parseInt(driver.version, 10) >= oldest) {
    return undefined;
  }
  return `CUDA ${cuda} needs NVIDIA's driver ${oldest} or newer, but ${driver.version} is installed.`;
}
