import { availableParallelism, constants } from "node:os";
import { builtFor } from "@wav2vec2/libtorch/built-for";
import { setupCommand } from "@wav2vec2/libtorch/places";
import { ConfigurationError } from "../../../errors.js";
import { type Environment, textOf } from "../../environment.js";
import { addAccelerateConfig } from "./accelerate-config.js";
import { addSlurm, type HostsPlan, hostsOf } from "./hosts-plan.js";
import {
  addVariables,
  deviceOf,
  type GivenOptions,
  optionOf,
  secondsOption,
  underTorchrunNames,
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
    libtorchHasCuda: builtFor()?.cuda !== undefined,
    stdinIsTerminal: process.stdin.isTTY === true,
  };
}

const PRECISIONS: Readonly<Record<string, string>> = { no: "float32", fp16: "float16", bf16: "bfloat16" };

const SIGNALS = "SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1,SIGUSR2";

/**
 * Makes the plan of what options, the files and variables they stand in, and the machine say.
 *
 * @param onNote gets what was chosen where nothing was said
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
  const given = underTorchrunNames(options);
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
  addSlurm(given, env, machine.stdinIsTerminal, onNote);
  const extra = commandOptions(command, given);
  const device = given.has("cpu") ? "cpu" : (deviceOf(command) ?? "auto");
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

/** Commands that have these options. */
const TAKES_PRECISION: ReadonlySet<string> = new Set(["pretrain", "finetune", "bench"]);
const TAKES_DEVICE: ReadonlySet<string> = new Set([
  ...TAKES_PRECISION,
  "evaluate",
  "transcribe",
  "align",
  "codes",
]);

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
    const takes = TAKES_PRECISION.has(command[0] ?? "") && optionOf(command, "--precision") === undefined;
    if (takes && precision.value !== "no") extra.push("--precision", value);
  }
  if (given.has("cpu")) {
    const device = optionOf(command, "--device");
    if (device !== undefined && device !== "cpu" && given.has("multi-gpu") === false)
      throw new ConfigurationError(
        `${given.get("cpu")!.from} means --device cpu, but the command has --device ${device}. Remove one of them.`,
      );
    if (device === undefined && TAKES_DEVICE.has(command[0] ?? "")) extra.push("--device", "cpu");
  }
  if (given.has("cpu") && given.has("multi-gpu"))
    throw new ConfigurationError(
      `${given.get("cpu")!.from} and ${given.get("multi-gpu")!.from} contradict each other. Remove one of them.`,
    );
  return extra;
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
  requireGpus(given, { device, seen, usable });
  const entry = given.get("nproc-per-node");
  const total = wholeOption(given, "num-processes", { least: 1 });
  const onGpus = device.startsWith("cuda") || given.has("multi-gpu") || (device === "auto" && usable > 0);
  const checked = (count: number, from: string): number => {
    if (onGpus && count > usable)
      throw new ConfigurationError(
        usable < seen
          ? `${from} must be at most the GPUs that libtorch can use, but the libtorch here has no CUDA. Run '${setupCommand("cuda")}', or pass --device cpu to the command.`
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
  if (usable > 0) {
    onNote(
      `A process for each of ${usable} visible ${usable === 1 ? "GPU" : "GPUs"}; --nproc-per-node takes fewer.`,
    );
    return usable;
  }
  onNote(
    seen > 0
      ? `One process: ${seen} GPUs are visible, but the libtorch here has no CUDA ('${setupCommand("cuda")}').`
      : "One process, as there is no GPU to use; --nproc-per-node starts more.",
  );
  return 1;
}

/** accelerate's --multi-gpu, and the same in its file, stand for GPUs whatever the number of processes. */
function requireGpus(
  given: GivenOptions,
  { device, seen, usable }: { device: string; seen: number; usable: number },
): void {
  const entry = given.get("multi-gpu");
  if (entry === undefined || usable > 0) return;
  const means = `${entry.from} means a process for each GPU, but`;
  if (device === "cpu" || device === "mps")
    throw new ConfigurationError(`${means} the command's device is ${device}. Remove one of them.`);
  throw new ConfigurationError(
    seen > 0
      ? `${means} the libtorch here has no CUDA. Run '${setupCommand("cuda")}', or remove it to use the CPU.`
      : `${means} no GPU is visible. Run 'wav2vec2 doctor', which says what is missing, or remove it to use the CPU.`,
  );
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
