import { ConfigurationError } from "../../../errors.js";
import { DEFAULT_PORT, type Environment, LOOPBACK, textOf } from "../../environment.js";
import { isSlurmTask, parseNodeList, slurmStep } from "../../slurm.js";
import { type GivenOptions, saysHosts, secondsOption, wholeOption } from "./launch-options.js";

/** Which hosts take part and how they find each other. */
export interface HostsPlan {
  min: number;
  max: number;
  /** Number of this host where it was given one. */
  rank?: number;
  /** Whether host 0 is the one whose address it is, as with torchrun's c10d, and not the one of that rank. */
  byAddress: boolean;
  /** Where host 0 is reached. */
  address: string;
  port: number;
  /** This host's address for the others. */
  localAddress?: string;
  /** Seconds: to wait for the fewest hosts, and then for more; between two looks at each other. */
  joinTimeout: number;
  lastCall: number;
  interval: number;
}

/** @throws ConfigurationError where the hosts cannot find each other by what is given */
export function hostsOf(given: GivenOptions): HostsPlan {
  const alone = given.has("standalone");
  const backend = given.get("rdzv-backend");
  if (backend !== undefined && !["static", "c10d"].includes(backend.value))
    throw new ConfigurationError(
      `${backend.from} must be static or c10d, but is '${backend.value}'. ${/^etcd/.test(backend.value) ? "No etcd is needed: c10d finds the hosts through the launcher of host 0. " : ""}Pass --rdzv-backend c10d.`,
    );
  const [min, max] = alone ? [1, 1] : hostNumbers(given);
  const rank = alone ? undefined : wholeOption(given, "node-rank");
  if (rank !== undefined && rank >= max)
    throw new ConfigurationError(
      `${given.get("node-rank")!.from} must be below the number of hosts, but is ${rank} of ${max}. Hosts count from 0${max === 1 ? "; pass --nnodes" : ""}.`,
    );
  const { address, port } = endpointOf(given);
  if (max > 1 && address === undefined)
    throw new ConfigurationError(
      `--rdzv-endpoint must be given for ${max} hosts, but is missing. Pass --rdzv-endpoint HOST:PORT with the name or address of host 0 and a free port of it, the same on all hosts.`,
    );
  if (max > 1 && backend?.value === "static" && rank === undefined)
    throw new ConfigurationError(
      "--node-rank must be given with --rdzv-backend static, but is missing. Number the hosts from 0, or leave --rdzv-backend out.",
    );
  const localAddress = given.get("local-addr")?.value;
  return {
    min,
    max,
    ...(rank !== undefined && max > 1 && { rank }),
    byAddress: rank === undefined || backend?.value === "c10d",
    address: max > 1 ? address! : LOOPBACK,
    port: max > 1 ? port : 0,
    ...(localAddress !== undefined && { localAddress }),
    ...timesOf(given),
    interval: secondsOption(given, "monitor-interval") ?? 1,
  };
}

function hostNumbers(given: GivenOptions): [number, number] {
  const entry = given.get("nnodes");
  const [, least, most = least] = /^([1-9]\d{0,5})(?::([1-9]\d{0,5}))?$/.exec(entry?.value ?? "1") ?? [];
  if (least === undefined || Number(most) < Number(least))
    throw new ConfigurationError(
      `${entry!.from} must be a number of hosts or MIN:MAX, but is '${entry!.value}'.`,
    );
  return [Number(least), Number(most)];
}

/** Host and port of --rdzv-endpoint, or of --master-addr and --master-port. */
function endpointOf(given: GivenOptions): { address?: string; port: number } {
  const endpoint = given.get("rdzv-endpoint");
  if (endpoint !== undefined) {
    const [, inner, plain, port = "29400"] =
      /^(?:\[([\da-fA-F:.%\w]+)\]|([^:[\]\s]+))(?::(\d+))?$/.exec(endpoint.value) ?? [];
    const address = inner ?? plain;
    if (address === undefined || !(Number(port) >= 1 && Number(port) <= 65_535))
      throw new ConfigurationError(
        `${endpoint.from} must be HOST:PORT with a port from 1 to 65535, but is '${endpoint.value}'.`,
      );
    return { address, port: Number(port) };
  }
  const address = given.get("master-addr")?.value.replace(/^\[(.*)\]$/, "$1");
  const port = wholeOption(given, "master-port", { least: 1, most: 65_535 }) ?? DEFAULT_PORT;
  return { ...(address !== undefined && { address }), port };
}

function timesOf(given: GivenOptions): { joinTimeout: number; lastCall: number } {
  const times = { joinTimeout: 600, lastCall: 30 };
  const names: Readonly<Record<string, keyof typeof times>> = {
    join_timeout: "joinTimeout",
    timeout: "joinTimeout",
    last_call_timeout: "lastCall",
  };
  const entry = given.get("rdzv-conf");
  for (const part of (entry?.value ?? "").split(",").filter(Boolean)) {
    const [key = "", value = ""] = part.split("=").map((word) => word.trim());
    const name = Object.hasOwn(names, key) ? names[key] : undefined;
    if (name === undefined || !(Number(value) > 0))
      throw new ConfigurationError(
        `${entry!.from} must be join_timeout=SECONDS or last_call_timeout=SECONDS, divided by commas, but is '${part}'.`,
      );
    times[name] = Number(value);
  }
  return times;
}

/** In a job of several hosts whose `srun` starts one task on each, that is what SLURM says. */
export function addSlurm(
  given: GivenOptions,
  env: Environment,
  stdinIsTerminal: boolean,
  onNote: (text: string) => void,
): void {
  if (saysHosts(given) || !isSlurmTask(env, stdinIsTerminal)) return;
  const { tasks, nodes, nodeRank, job, nodeList, port } = slurmStep(env);
  if (tasks > nodes)
    throw new ConfigurationError(
      `launch must be started once a host, but srun started ${tasks} tasks on ${nodes === 1 ? "1 host" : `${nodes} hosts`}. Pass --ntasks-per-node 1 to srun, or leave launch out: the command reads SLURM's variables itself.`,
    );
  if (nodes < 2) return;
  const set = (name: string, value: string | number | undefined, from: string): void => {
    if (value !== undefined && !given.has(name)) given.set(name, { value: String(value), from });
  };
  set("nnodes", nodes, "SLURM_NNODES");
  set("node-rank", nodeRank, "SLURM_NODEID");
  set("rdzv-id", job, "SLURM_JOB_ID");
  if (given.has("rdzv-endpoint")) return;
  // MASTER_ADDR, where it is set, is among what is given already.
  if (nodeList !== undefined && !given.has("master-addr"))
    set("master-addr", parseNodeList(nodeList)[0], "SLURM_STEP_NODELIST");
  set("master-port", textOf(env, "MASTER_PORT") ?? port, "SLURM_JOB_ID");
  onNote(
    `srun started this on ${nodes} hosts: taken as --nnodes ${nodes} --node-rank ${given.get("node-rank")?.value}.`,
  );
}
