import { readFileSync } from "node:fs";
import { ConfigurationError } from "../../../errors.js";
import type { Environment } from "../../environment.js";

/** How an option is written and read. */
export interface LaunchOption {
  /** With hyphens; underscores do too. */
  name: string;
  /** What stands behind it; a switch without. */
  value?: string;
  short?: string;
  group: keyof typeof GROUPS;
  description: string;
}

export const GROUPS = {
  processes: "Processes:",
  hosts: "Several hosts:",
  output: "Output and restarts:",
  accelerate: "As accelerate writes them:",
} as const;

/** torchrun's and accelerate's options that mean something here, under their names. */
export const LAUNCH_OPTIONS: readonly LaunchOption[] = [
  {
    name: "nproc-per-node",
    value: "number|gpu|cpu|auto",
    group: "processes",
    description: "processes on this host; gpu: one a GPU, cpu: one a core (default: auto, one a GPU or one)",
  },
  {
    name: "num-cpu-threads-per-process",
    value: "number",
    group: "processes",
    description: "OMP_NUM_THREADS of each process (default: an equal part of the cores)",
  },
  { name: "nnodes", value: "number|min:max", group: "hosts", description: "hosts that take part (1)" },
  {
    name: "node-rank",
    value: "number",
    group: "hosts",
    description: "number of this host, from 0; host 0 is where the others find each other",
  },
  {
    name: "rdzv-endpoint",
    value: "host:port",
    group: "hosts",
    description: "where the hosts find each other: host 0 and a free port of it (29400)",
  },
  { name: "master-addr", value: "host", group: "hosts", description: "the host of --rdzv-endpoint" },
  { name: "master-port", value: "port", group: "hosts", description: "the port of --rdzv-endpoint (29500)" },
  { name: "rdzv-id", value: "text", group: "hosts", description: "name of the run, equal on all hosts" },
  {
    name: "rdzv-backend",
    value: "static|c10d",
    group: "hosts",
    description: "c10d: hosts are numbered as they come; static: by --node-rank, which c10d takes too",
  },
  {
    name: "rdzv-conf",
    value: "key=seconds,…",
    group: "hosts",
    description: "join_timeout (600): wait for hosts; last_call_timeout (30): for more than the fewest",
  },
  {
    name: "local-addr",
    value: "address",
    group: "hosts",
    description: "this host's address for the others (default: that of the route to host 0)",
  },
  { name: "standalone", group: "hosts", description: "one host, whatever else is given about hosts" },
  {
    name: "monitor-interval",
    value: "seconds",
    group: "hosts",
    description: "how often hosts look at each other (1); ten times without a sign of life, a host is lost",
  },
  {
    name: "max-restarts",
    value: "number",
    group: "output",
    description: "how often to go on from the last checkpoint when a process or host dies (0)",
  },
  {
    name: "log-dir",
    value: "dir",
    group: "output",
    description:
      "where the output of each process is kept (default: a temporary directory, kept after a failure)",
  },
  {
    name: "redirects",
    short: "r",
    value: "0|1|2|3",
    group: "output",
    description:
      "1: stdout, 2: stderr, 3: both of every process into files only; or of some: 0:3,2:1 (default: all but process 0)",
  },
  {
    name: "tee",
    short: "t",
    value: "0|1|2|3",
    group: "output",
    description: "the same into files and, with a prefix, to the terminal",
  },
  {
    name: "log-line-prefix-template",
    value: "text",
    group: "output",
    description:
      "prefix of --tee's lines ('[rank 3] '); rank, local_rank, role_name and hostname in it as torchrun writes them",
  },
  {
    name: "local-ranks-filter",
    value: "a,b",
    group: "output",
    description: "only these of --tee's to the terminal",
  },
  {
    name: "shutdown-timeout",
    value: "seconds",
    group: "output",
    description: "from the request to end to the kill (30 after a signal, 10 after a failure)",
  },
  {
    name: "signals-to-handle",
    value: "a,b",
    group: "output",
    description: "signals passed on to the processes (SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1,SIGUSR2)",
  },
  {
    name: "config-file",
    value: "file",
    group: "accelerate",
    description: "YAML that 'accelerate config' wrote; 'default' is $HF_HOME/accelerate/default_config.yaml",
  },
  {
    name: "num-processes",
    value: "number",
    group: "accelerate",
    description: "processes of all hosts together",
  },
  { name: "num-machines", value: "number", group: "accelerate", description: "--nnodes" },
  { name: "machine-rank", value: "number", group: "accelerate", description: "--node-rank" },
  { name: "main-process-ip", value: "host", group: "accelerate", description: "--master-addr" },
  { name: "main-process-port", value: "port", group: "accelerate", description: "--master-port" },
  {
    name: "mixed-precision",
    value: "no|fp16|bf16",
    group: "accelerate",
    description: "--precision of the command: float32, float16 or bfloat16",
  },
  { name: "gpu-ids", value: "a,b", group: "accelerate", description: "CUDA_VISIBLE_DEVICES; all: as it is" },
  { name: "cpu", group: "accelerate", description: "--device cpu of the command" },
  { name: "multi-gpu", group: "accelerate", description: "a process for each GPU, which must be there" },
];

/** Options of those programs that mean nothing here, and why or what to do. */
export const REFUSED_OPTIONS: Readonly<Record<string, string>> = {
  "no-python": "There is no Python here: leave it out.",
  module: "There is no Python here: name a command of wav2vec2 instead.",
  "run-path": "There is no Python here: name a command of wav2vec2 instead.",
  "start-method": "Processes are started as programs: leave it out.",
  role: "All processes do the same work: leave it out.",
  "event-log-handler": "What happens is printed: leave it out.",
  "logs-specs": "Use --log-dir, --redirects and --tee.",
  "duplicate-stdout-filters": "Search the files of --log-dir instead.",
  "duplicate-stderr-filters": "Search the files of --log-dir instead.",
  "numa-binding": "Start the program under numactl instead.",
  "virtual-local-rank": "Each process takes the GPU of its LOCAL_RANK: leave it out.",
  "print-completion": "There is no completion: --help lists all options.",
  "use-deepspeed": "DeepSpeed does not run here: leave it out. Every process keeps the whole model.",
  "use-fsdp": "FSDP does not run here: leave it out. Every process keeps the whole model.",
  "use-megatron-lm": "Megatron-LM does not run here: leave it out. Every process keeps the whole model.",
  "use-parallelism-config": "The processes share the data only: leave it out.",
  tpu: "TPUs do not run here: use GPUs or the CPU.",
  "use-xpu": "Intel's GPUs do not run here: use NVIDIA's or the CPU.",
  mps: "Pass --device mps to the command instead.",
  "dynamo-backend": "Nothing is compiled by dynamo here: leave it out.",
  "main-training-function": "There is no Python here: leave it out.",
  "downcast-bf16": "That is for TPUs: leave it out.",
  "enable-cpu-affinity": "Start the program under numactl instead.",
  debug: "Set TORCH_DISTRIBUTED_DEBUG=DETAIL instead.",
};

/** What was given for each option, and where, as the user wrote it: an option, a variable or a line of a file. */
export type GivenOptions = Map<string, { value: string; from: string }>;

/** accelerate's names of options that torchrun has too. */
const TORCHRUN_NAMES: Readonly<Record<string, string>> = {
  "num-machines": "nnodes",
  "machine-rank": "node-rank",
  "main-process-ip": "master-addr",
  "main-process-port": "master-port",
};

/** The same under torchrun's names alone; where an option was given under both, that under torchrun's. */
export function underTorchrunNames(options: GivenOptions): GivenOptions {
  const given: GivenOptions = new Map();
  for (const [name, entry] of options) {
    const own = TORCHRUN_NAMES[name];
    if (own === undefined) given.set(name, entry);
    else if (!options.has(own)) given.set(own, entry);
  }
  return given;
}

/** `PET_<NAME>` are torchrun's options as variables; what is given already stands. */
export function addVariables(given: GivenOptions, env: Environment): void {
  const set = (name: string, variable: string): void => {
    const value = env[variable]?.trim();
    if (!value || given.has(name)) return;
    if (!LAUNCH_OPTIONS.find((option) => option.name === name)?.value && !/^(1|true)$/i.test(value)) return;
    given.set(name, { value, from: variable });
  };
  const torchrun = LAUNCH_OPTIONS.filter(({ group }) => group !== "accelerate");
  for (const { name } of torchrun) set(name, `PET_${name.replaceAll("-", "_").toUpperCase()}`);
  set("shutdown-timeout", "TORCH_ELASTIC_SHUTDOWN_TIMEOUT");
  set("log-line-prefix-template", "TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE");
  // Kubeflow's PyTorchJob of old versions and PAI-DLC: RANK and WORLD_SIZE count pods.
  const { LOCAL_RANK, PET_NNODES, RANK, WORLD_SIZE, MASTER_ADDR } = env;
  if (
    !LOCAL_RANK &&
    !PET_NNODES &&
    RANK &&
    WORLD_SIZE &&
    MASTER_ADDR &&
    !HOST_OPTIONS.some((name) => given.has(name))
  ) {
    set("nnodes", "WORLD_SIZE");
    set("node-rank", "RANK");
    set("nproc-per-node", "NPROC_PER_NODE");
  }
  // Its newer versions, and scripts for SLURM, say the address so, besides what they set for torchrun.
  if (given.has("rdzv-endpoint") || given.has("master-addr")) return;
  set("master-addr", "MASTER_ADDR");
  set("master-port", "MASTER_PORT");
}

const HOST_OPTIONS = ["nnodes", "node-rank", "rdzv-endpoint", "standalone"];

/** Whether anything says how many hosts there are. */
export function saysHosts(given: GivenOptions): boolean {
  return given.has("nnodes") || given.has("standalone");
}

/** The value of a key `device` or option `--device` of the command: of the option, else of the recipe it names. */
export function deviceOf(command: readonly string[]): string | undefined {
  const option = optionOf(command, "--device");
  if (option !== undefined) return option;
  const config = optionOf(command, "--config");
  if (config === undefined) return undefined;
  try {
    // The command itself reads the recipe, with all that may be wrong in it.
    return /^device:\s*["']?([\w:]+)/m.exec(readFileSync(config, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/** The last value that a command gives for an option. */
export function optionOf(command: readonly string[], name: string): string | undefined {
  const at = command.findLastIndex((word) => word === name || word.startsWith(`${name}=`));
  if (at === -1) return undefined;
  return command[at] === name ? command[at + 1] : command[at]!.slice(name.length + 1);
}

/** @throws ConfigurationError where it is no whole number in its range */
export function wholeOption(
  given: GivenOptions,
  name: string,
  { least = 0, most = 1_000_000 } = {},
): number | undefined {
  const entry = given.get(name);
  if (entry === undefined) return undefined;
  const value = /^\d{1,9}$/.test(entry.value) ? Number(entry.value) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new ConfigurationError(
    `${entry.from} must be a whole number from ${least} to ${most}, but is '${entry.value}'.`,
  );
}

/** @throws ConfigurationError where it is no number above 0 */
export function secondsOption(given: GivenOptions, name: string): number | undefined {
  const entry = given.get(name);
  if (entry === undefined) return undefined;
  const value = Number(entry.value);
  if (value > 0 && value <= 1e6) return value;
  throw new ConfigurationError(`${entry.from} must be a number of seconds above 0, but is '${entry.value}'.`);
}
