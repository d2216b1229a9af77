import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, constants } from "node:os";
import { dirname, join } from "node:path";
import { ConfigurationError } from "../../errors.js";
import { DEFAULT_PORT, type Environment, LOOPBACK, textOf } from "../environment.js";
import { isSlurmTask, parseNodeList, slurmPort } from "../slurm.js";
import { addAccelerateConfig } from "./accelerate-config.js";
import {
  addVariables,
  deviceOf,
  type GivenOptions,
  optionOf,
  saysHosts,
  secondsOption,
  wholeOption,
} from "./launch-options.js";
import { parseStreams, type StreamChoice } from "./log-streams.js";
import { visibleGpus } from "./visible-gpus.js";

/** What the launcher of one host does. */
export interface LaunchPlan {
  /** Arguments of the program that every process runs. */
  command: string[];
  /** Variables of every process besides those of its place. */
  env: Record<string, string>;
  /** Processes on this host. */
  localSize: number;
  hosts: HostsPlan;
  /** Name of the run; undefined: host 0 makes one. */
  runId?: string;
  maxRestarts: number;
  logs: LogPlan;
  signals: NodeJS.Signals[];
  /** Seconds from SIGTERM to SIGKILL. */
  patience: { signal: number; failure: number };
}

/** Which hosts take part and how they find each other. */
export interface HostsPlan {
  min: number;
  max: number;
  /** Number of this host where it was given one. */
  rank?: number;
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

export interface LogPlan {
  /** A directory that stays; without one a temporary one is used. */
  directory?: string;
  redirects?: StreamChoice;
  tee?: StreamChoice;
  /** With names such as `rank` in dollar and braces; without one `[rank 3] `. */
  prefix?: string;
  /** Local ranks whose teed lines are shown; all without. */
  shown?: ReadonlySet<number>;
}

/** What is there to be used; given in tests. */
export interface Machine {
  gpus: (env: Environment) => number;
  cores: number;
  /** Whether the libtorch that set-up chose has CUDA. */
  libtorchHasCuda: boolean;
  stdinIsTerminal: boolean;
}

export function thisMachine(): Machine {
  return {
    gpus: visibleGpus,
    cores: availableParallelism(),
    libtorchHasCuda: libtorchHasCuda(),
    stdinIsTerminal: process.stdin.isTTY === true,
  };
}

/** Looks at the file that set-up left: to load libtorch would take a second and much memory. */
function libtorchHasCuda(): boolean {
  try {
    const entry = createRequire(import.meta.url).resolve("@wav2vec2/libtorch");
    const path = join(dirname(entry), "..", "build", "libtorch.json");
    const { lib } = JSON.parse(readFileSync(path, "utf8")) as { lib: string };
    return existsSync(join(lib, "libtorch_cuda.so"));
  } catch {
    return false;
  }
}

const PRECISIONS: Readonly<Record<string, string>> = { no: "float32", fp16: "float16", bf16: "bfloat16" };

const SIGNALS = "SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1,SIGUSR2";

/**
 * Makes the plan of what options, the files and variables they stand in, and the machine say.
 *
 * @param onNote hears what was chosen where nothing was said
 * @param ownProgram whether the user's own program runs, which needs no command
 * @throws ConfigurationError for what contradicts itself or is not possible here
 */
export function planLaunch(
  command: readonly string[],
  options: GivenOptions,
  env: Environment,
  machine: Machine,
  onNote: (text: string) => void,
  ownProgram = false,
): LaunchPlan {
  const given: GivenOptions = new Map(options);
  if (command.length === 0 && !ownProgram)
    throw new ConfigurationError(
      "The command must be given, but is missing. Write it behind the options: wav2vec2 launch --nproc-per-node 2 -- pretrain --config recipe.yaml.",
    );
  if (command[0] === "launch")
    throw new ConfigurationError("launch must not launch itself. Leave one of them out.");
  if (textOf(env, "RANK") && textOf(env, "LOCAL_RANK") && textOf(env, "WORLD_SIZE"))
    throw new ConfigurationError(
      "launch must be started once a host, but RANK, LOCAL_RANK and WORLD_SIZE say that a launcher started it already. Leave launch out, or unset them.",
    );
  const config = given.get("config-file");
  if (config !== undefined) addAccelerateConfig(given, config.value, env);
  addVariables(given, env);
  if (!saysHosts(given)) addSlurm(given, env, machine, onNote);
  const extra = commandOptions(command, given);
  const device = optionOf(extra, "--device") ?? deviceOf(command) ?? "auto";
  const ids = given.get("gpu-ids");
  const variables: Record<string, string> =
    ids === undefined || ids.value === "all" ? {} : { CUDA_VISIBLE_DEVICES: ids.value.replaceAll(" ", "") };
  const hosts = hostsOf(given);
  const localSize = processesOf(given, { hosts, device, env: { ...env, ...variables }, machine, onNote });
  const threads = wholeOption(given, "num-cpu-threads-per-process", { least: 1, most: 1_024 });
  if (threads !== undefined) variables.OMP_NUM_THREADS = String(threads);
  else if (localSize > 1 && !textOf(env, "OMP_NUM_THREADS"))
    variables.OMP_NUM_THREADS = String(Math.max(1, Math.floor(machine.cores / localSize)));
  const id = given.get("rdzv-id")?.value;
  const patience = secondsOption(given, "shutdown-timeout");
  return {
    command: [...command, ...extra],
    env: variables,
    localSize,
    hosts,
    // torchrun's own way to say that there is no name
    ...(id !== undefined && id !== "none" && { runId: fileName(id) }),
    maxRestarts: wholeOption(given, "max-restarts") ?? 0,
    logs: logsOf(given, localSize),
    signals: signalsOf(given),
    patience: { signal: patience ?? 30, failure: patience ?? 10 },
  };
}

/** In a job of several hosts whose `srun` starts one task on each, that is what SLURM says. */
function addSlurm(
  given: GivenOptions,
  env: Environment,
  machine: Machine,
  onNote: (text: string) => void,
): void {
  if (!isSlurmTask(env, machine.stdinIsTerminal)) return;
  const tasks = Number(textOf(env, "SLURM_STEP_NUM_TASKS") ?? textOf(env, "SLURM_NTASKS"));
  const nodes = Number(textOf(env, "SLURM_STEP_NUM_NODES") ?? textOf(env, "SLURM_NNODES") ?? 1);
  if (tasks > nodes)
    throw new ConfigurationError(
      `launch must be started once a host, but srun started ${tasks} tasks on ${nodes === 1 ? "1 host" : `${nodes} hosts`}. Pass --ntasks-per-node 1 to srun, or leave launch out: the command reads SLURM's variables itself.`,
    );
  if (nodes < 2) return;
  const list = textOf(env, "SLURM_STEP_NODELIST") ?? textOf(env, "SLURM_JOB_NODELIST");
  const set = (name: string, value: string | undefined, from: string): void => {
    if (value !== undefined && !given.has(name)) given.set(name, { value, from });
  };
  set("nnodes", String(nodes), "SLURM_NNODES");
  set("node-rank", textOf(env, "SLURM_NODEID"), "SLURM_NODEID");
  set("rdzv-id", textOf(env, "SLURM_JOB_ID"), "SLURM_JOB_ID");
  if (given.has("rdzv-endpoint")) return;
  set("master-addr", textOf(env, "MASTER_ADDR"), "MASTER_ADDR");
  set("master-addr", list && parseNodeList(list)[0], "SLURM_STEP_NODELIST");
  const port = slurmPort(textOf(env, "SLURM_JOB_ID") ?? "0", textOf(env, "SLURM_STEP_ID") ?? "0");
  set("master-port", textOf(env, "MASTER_PORT") ?? String(port), "SLURM_JOB_ID");
  onNote(
    `srun started this on ${nodes} hosts: taken as --nnodes ${nodes} --node-rank ${given.get("node-rank")?.value}.`,
  );
}

/** What of accelerate's is an option of the command here. */
function commandOptions(command: readonly string[], given: GivenOptions): string[] {
  const extra: string[] = [];
  const precision = given.get("mixed-precision");
  if (precision !== undefined) {
    const value = Object.hasOwn(PRECISIONS, precision.value) ? PRECISIONS[precision.value] : undefined;
    if (value === undefined)
      throw new ConfigurationError(
        `${precision.from} must be no, fp16 or bf16, but is '${precision.value}'.${precision.value === "fp8" ? " fp8 does not run here: use bf16." : ""}`,
      );
    // "no" is what accelerate writes where nothing was chosen; a recipe may choose.
    if (optionOf(command, "--precision") === undefined && precision.value !== "no")
      extra.push("--precision", value);
  }
  if (given.has("cpu")) {
    const device = optionOf(command, "--device");
    if (device !== undefined && device !== "cpu" && given.has("multi-gpu") === false)
      throw new ConfigurationError(
        `${given.get("cpu")!.from} means --device cpu, but the command has --device ${device}. Remove one of them.`,
      );
    if (device === undefined) extra.push("--device", "cpu");
  }
  if (given.has("cpu") && given.has("multi-gpu"))
    throw new ConfigurationError(
      `${given.get("cpu")!.from} and ${given.get("multi-gpu")!.from} contradict each other. Remove one of them.`,
    );
  return extra;
}

function hostsOf(given: GivenOptions): HostsPlan {
  const alone = given.has("standalone");
  const backend = given.get("rdzv-backend");
  if (backend !== undefined && !["static", "c10d"].includes(backend.value))
    throw new ConfigurationError(
      `${backend.from} must be static or c10d, but is '${backend.value}'. ${/^etcd/.test(backend.value) ? "No etcd is needed: c10d finds the hosts through the launcher of host 0. " : ""}Pass --rdzv-backend c10d.`,
    );
  const [min, max] = alone ? [1, 1] : hostNumbers(given);
  const machines = given.has("node-rank") ? "node-rank" : "machine-rank";
  const rank = alone ? undefined : wholeOption(given, machines);
  const from = given.get(machines)?.from;
  if (rank !== undefined && rank >= max)
    throw new ConfigurationError(
      `${from} must be below the number of hosts, but is ${rank} of ${max}. Hosts count from 0${max === 1 ? "; pass --nnodes" : ""}.`,
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
    address: max > 1 ? address! : LOOPBACK,
    port: max > 1 ? port : 0,
    ...(localAddress !== undefined && { localAddress }),
    ...timesOf(given),
    interval: secondsOption(given, "monitor-interval") ?? 1,
  };
}

function hostNumbers(given: GivenOptions): [number, number] {
  const entry = given.get("nnodes") ?? given.get("num-machines");
  const [, least, most = least] = /^([1-9]\d{0,5})(?::([1-9]\d{0,5}))?$/.exec(entry?.value ?? "1") ?? [];
  if (least === undefined || Number(most) < Number(least))
    throw new ConfigurationError(
      `${entry!.from} must be a number of hosts or MIN:MAX, but is '${entry!.value}'.`,
    );
  return [Number(least), Number(most)];
}

/** Host and port of --rdzv-endpoint, or of --master-addr and --master-port and what accelerate calls them. */
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
  const address = (given.get("master-addr") ?? given.get("main-process-ip"))?.value.replace(
    /^\[(.*)\]$/,
    "$1",
  );
  const name = given.has("master-port") ? "master-port" : "main-process-port";
  const port = wholeOption(given, name, { least: 1, most: 65_535 }) ?? DEFAULT_PORT;
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

function processesOf(
  given: GivenOptions,
  context: {
    hosts: HostsPlan;
    device: string;
    env: Environment;
    machine: Machine;
    onNote: (text: string) => void;
  },
): number {
  const { hosts, device, env, machine, onNote } = context;
  const seen = device === "cpu" || device === "mps" ? 0 : machine.gpus(env);
  const usable = machine.libtorchHasCuda ? seen : 0;
  const entry = given.get("nproc-per-node");
  const total = wholeOption(given, "num-processes", { least: 1 });
  const onGpus = device.startsWith("cuda") || given.has("multi-gpu") || (device === "auto" && usable > 0);
  const checked = (count: number, from: string): number => {
    if (onGpus && count > usable)
      throw new ConfigurationError(
        usable < seen
          ? `${from} must be at most the GPUs that libtorch can use, but the libtorch here has no CUDA. Run 'npm run setup -- --libtorch cuda', or pass --device cpu to the command.`
          : `${from} must be at most the ${usable} visible GPUs, but is ${count}. Pass fewer, or --device cpu to the command.`,
      );
    if (count > 1 && /^cuda:\d/.test(device))
      throw new ConfigurationError(
        `device must be cuda where ${count} processes train, but is ${device}. Each process takes its own GPU.`,
      );
    return count;
  };
  if (entry !== undefined) {
    if (entry.value === "gpu") {
      if (usable === 0)
        throw new ConfigurationError(
          `${entry.from} must be a number where there is no GPU that libtorch can use, but is 'gpu'. 'wav2vec2 doctor' says what is missing.`,
        );
      return usable;
    }
    if (entry.value === "cpu") return machine.cores;
    if (entry.value !== "auto")
      return checked(wholeOption(given, "nproc-per-node", { least: 1, most: 4_096 })!, entry.from);
  } else if (total !== undefined) {
    const { from } = given.get("num-processes")!;
    if (total % hosts.max !== 0 || hosts.min !== hosts.max)
      throw new ConfigurationError(
        `${from} counts the processes of all ${hosts.max} hosts together and must be a multiple of them, but is ${total}. Pass --nproc-per-node instead.`,
      );
    return checked(total / hosts.max, from);
  }
  if (given.has("multi-gpu") && usable === 0) checked(1, given.get("multi-gpu")!.from);
  if (usable > 0) {
    onNote(
      `A process for each of ${usable} visible ${usable === 1 ? "GPU" : "GPUs"}; --nproc-per-node takes fewer.`,
    );
    return usable;
  }
  onNote(
    seen > 0
      ? `One process: ${seen} GPUs are visible, but the libtorch here has no CUDA ('npm run setup -- --libtorch cuda').`
      : "One process, as there is no GPU to use; --nproc-per-node starts more.",
  );
  return 1;
}

function logsOf(given: GivenOptions, localSize: number): LogPlan {
  const directory = given.get("log-dir")?.value;
  const redirects = given.get("redirects");
  const tee = given.get("tee");
  const prefix = given.get("log-line-prefix-template");
  const filter = given.get("local-ranks-filter");
  if (filter !== undefined && !/^\d+(,\d+)*$/.test(filter.value))
    throw new ConfigurationError(`${filter.from} must be local ranks such as 0,1, but is '${filter.value}'.`);
  return {
    ...(directory !== undefined && { directory }),
    ...(redirects !== undefined && { redirects: parseStreams(redirects.value, redirects.from, localSize) }),
    ...(tee !== undefined && { tee: parseStreams(tee.value, tee.from, localSize) }),
    ...(prefix !== undefined && { prefix: prefix.value }),
    ...(filter !== undefined && { shown: new Set(filter.value.split(",").map(Number)) }),
  };
}

function signalsOf(given: GivenOptions): NodeJS.Signals[] {
  const entry = given.get("signals-to-handle");
  return (entry?.value ?? SIGNALS).split(",").map((name) => {
    const signal = name.trim();
    if (Object.hasOwn(constants.signals, signal) && !["SIGKILL", "SIGSTOP"].includes(signal))
      return signal as NodeJS.Signals;
    throw new ConfigurationError(`${entry!.from} must be names such as SIGTERM,SIGUSR1, but is '${name}'.`);
  });
}

/** The name of a run names a directory too. */
function fileName(id: string): string {
  return id.replace(/[^\w.+-]/g, "_");
}
