import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

export interface NvidiaCard {
  readonly name: string;
  /** Compute capability such as "8.0"; undefined where the driver is too old to say. */
  readonly capability: string | undefined;
  readonly memoryMb: number;
}

/** NVIDIA's driver, as far as it can be seen from here. */
export type NvidiaDriver =
  | { readonly state: "absent" }
  /** The system has one, but this container or user may not use its cards. */
  | { readonly state: "out of reach"; readonly version: string }
  | { readonly state: "failing"; readonly message: string }
  | { readonly state: "working"; readonly version: string; readonly cards: readonly NvidiaCard[] };

const FIELDS = ["driver_version", "memory.total", "name", "compute_cap"];
const MODULE = "/proc/driver/nvidia/version";

/** Asks nvidia-smi, which comes with the driver. Takes a second or two where there are cards. */
export function nvidiaDriver(module = MODULE): NvidiaDriver {
  const windows = "/usr/lib/wsl/lib/nvidia-smi";
  const program = existsSync(windows) ? windows : "nvidia-smi";
  const query = (fields: readonly string[]) =>
    spawnSync(program, [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"], {
      encoding: "utf8",
      timeout: 30_000,
    });
  let result = query(FIELDS);
  // Before 510 there was no compute_cap.
  if (result.status !== 0 && /not a valid field/.test(result.stdout)) result = query(FIELDS.slice(0, -1));
  const version = existsSync(module)
    ? (/Kernel Module\s+(?:for \S+\s+)?([\d.]+)/.exec(readFileSync(module, "utf8"))?.[1] ?? "unknown")
    : undefined;
  if (result.error) return version === undefined ? { state: "absent" } : { state: "out of reach", version };
  const cards = result.status === 0 ? result.stdout.split("\n").flatMap(parseCard) : [];
  if (cards[0] !== undefined) return { state: "working", version: cards[0].version, cards };
  const said = `${result.stdout}${result.stderr}`.trim().split("\n")[0] || `exit code ${result.status}`;
  return /No devices were found/i.test(said)
    ? { state: "out of reach", version: version ?? "unknown" }
    : { state: "failing", message: said };
}

/** "580.65.06, 81559, NVIDIA H100 80GB HBM3, 9.0" */
function parseCard(line: string): (NvidiaCard & { version: string })[] {
  const [version, memory, name, capability] = line.split(", ").map((field) => field.trim());
  if (!version || !/^[\d.]+$/.test(version) || name === undefined) return [];
  return [
    {
      version,
      name,
      memoryMb: Number(memory) || 0,
      capability: capability !== undefined && /^\d+\.\d+$/.test(capability) ? capability : undefined,
    },
  ];
}
