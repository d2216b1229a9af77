/** What is asked of each GPU, under the names of `nvidia-smi --help-query-gpu`. */
export const GPU_FIELDS: readonly string[] = [
  "index",
  "utilization.gpu",
  "utilization.memory",
  "memory.total",
  "memory.used",
  "temperature.gpu",
  "power.draw",
  "enforced.power.limit",
  "clocks.sm",
  "clocks.mem",
  "fan.speed",
  // The second is the name of drivers before 535.
  "clocks_event_reasons.active",
  "clocks_throttle_reasons.active",
];

/** Why a GPU's clocks are lower than they could be: bits of `clocks_event_reasons.active`. */
const POWER_CAP = 0x4n;
const SOFTWARE_THERMAL = 0x20n;
const HARDWARE_THERMAL = 0x40n;
const POWER_BRAKE = 0x80n;

const MIB = 2 ** 20;

/**
 * The readings of one GPU, by Weights & Biases' names, from a line of `nvidia-smi --query-gpu=… --format=csv,noheader`; undefined
 * for other lines. What a card or a driver does not tell (`[N/A]`, `[Not Supported]`, `[Unknown Error]`, `ERR!`) is left out.
 *
 * @param fields what was asked for; a header would name some of them otherwise
 */
export function gpuReading(line: string, fields: readonly string[]): Record<string, number> | undefined {
  const cells = line.split(",").map((cell) => cell.trim());
  if (cells.length !== fields.length) return undefined;
  return readingOf(new Map(fields.map((name, index) => [name, cells[index]!])));
}

function readingOf(cells: ReadonlyMap<string, string>): Record<string, number> | undefined {
  const number = (name: string): number => numberOf(cells.get(name));
  const index = number("index");
  if (!Number.isInteger(index)) return undefined;
  const [used, total] = [number("memory.used") * MIB, number("memory.total") * MIB];
  const [power, limit] = [number("power.draw"), number("enforced.power.limit")];
  const reasons = bitsOf(
    cells.get("clocks_event_reasons.active") ?? cells.get("clocks_throttle_reasons.active"),
  );
  const has = (bits: bigint): number =>
    reasons === undefined ? Number.NaN : Number((reasons & bits) !== 0n);
  const values = {
    gpu: number("utilization.gpu"),
    memory: number("utilization.memory"),
    memoryAllocated: (100 * used) / total,
    memoryAllocatedBytes: used,
    temp: number("temperature.gpu"),
    powerWatts: power,
    enforcedPowerLimitWatts: limit,
    powerPercent: (100 * power) / limit,
    smClock: number("clocks.sm"),
    memoryClock: number("clocks.mem"),
    fanSpeed: number("fan.speed"),
    throttledByHeat: has(SOFTWARE_THERMAL | HARDWARE_THERMAL),
    throttledByPowerBrake: has(POWER_BRAKE),
    throttledByPowerCap: has(POWER_CAP),
  };
  const known = Object.entries(values).filter(([, value]) => Number.isFinite(value));
  return Object.fromEntries(
    known.map(([name, value]) => [`gpu.${index}.${name}`, Math.round(1000 * value) / 1000]),
  );
}

/** "87 %", "81559 MiB", "612.40 W", "1980 MHz", "71"; NaN of everything else. */
function numberOf(cell: string | undefined): number {
  const [, digits] = /^(\d+(?:\.\d+)?)(?: [%A-Za-z]+)?$/.exec(cell ?? "") ?? [];
  return digits === undefined ? Number.NaN : Number(digits);
}

/** "0x0000000000000004", or in words where there is none of them. */
function bitsOf(cell: string | undefined): bigint | undefined {
  if (cell === "Not Active") return 0n;
  return cell !== undefined && /^0x[0-9a-f]+$/i.test(cell) ? BigInt(cell) : undefined;
}
