import { ConfigurationError } from "../errors.js";
import { checkRank, type Environment, masterAddress, masterPort, textOf, wholeOf } from "./environment.js";
import type { Place, PlaceOptions } from "./place.js";

/** From this number on, SLURM's step ids mean the batch script, an interactive shell and the like (`slurm.h`). */
const FIRST_SPECIAL_STEP = 0xffff_fff0;

/** Ports below those that Linux gives to outgoing connections (32,768 and above). */
const FIRST_PORT = 20_000;
const PORTS = 12_000;

/**
 * Whether this process is a task that `srun` started. SLURM's variables are in every shell inside an allocation too:
 * of `salloc` (without a step), of `sbatch` (a step of a special number) and of `srun --pty` (with a terminal). There a
 * plain run stays one process.
 *
 * @see https://slurm.schedmd.com/srun.html#SECTION_OUTPUT-ENVIRONMENT-VARIABLES
 */
export function isSlurmTask(env: Environment, stdinIsTerminal: boolean): boolean {
  const step = stepOf(env);
  if (step === undefined || !/^\d+$/.test(step) || Number(step) >= FIRST_SPECIAL_STEP) return false;
  return !stdinIsTerminal && textOf(env, "SLURM_PROCID") !== undefined && tasksOf(env) !== undefined;
}

function tasksOf(env: Environment): number | undefined {
  return wholeOf(env, "SLURM_STEP_NUM_TASKS", { least: 1 }) ?? wholeOf(env, "SLURM_NTASKS", { least: 1 });
}

function stepOf(env: Environment): string | undefined {
  return textOf(env, "SLURM_STEP_ID") ?? textOf(env, "SLURM_STEPID");
}

/** What SLURM says of the step that a task belongs to. */
export interface SlurmStep {
  tasks: number;
  nodes: number;
  /** Number of this host. */
  nodeRank: number | undefined;
  job: string | undefined;
  /** Its hosts, for {@link parseNodeList}. */
  nodeList: string | undefined;
  /** A port for rank 0, the same for all tasks. */
  port: number;
}

/**
 * Reads the variables of a step, of all versions of SLURM.
 *
 * @param env of a process for which {@link isSlurmTask} holds
 * @throws ConfigurationError where one of them is not what it must be
 */
export function slurmStep(env: Environment): SlurmStep {
  const job = textOf(env, "SLURM_JOB_ID") ?? textOf(env, "SLURM_JOBID");
  return {
    tasks: tasksOf(env)!,
    nodes:
      wholeOf(env, "SLURM_STEP_NUM_NODES", { least: 1 }) ?? wholeOf(env, "SLURM_NNODES", { least: 1 }) ?? 1,
    nodeRank: wholeOf(env, "SLURM_NODEID"),
    job,
    nodeList:
      textOf(env, "SLURM_STEP_NODELIST") ??
      textOf(env, "SLURM_JOB_NODELIST") ??
      textOf(env, "SLURM_NODELIST"),
    port: slurmPort(job ?? "0", stepOf(env)!),
  };
}

/** The place of a task of `srun`; undefined where that is the only one. */
export function slurmPlace(env: Environment, { gpus, onNote }: PlaceOptions): Place | undefined {
  const { tasks: size, nodes, nodeRank = 0, nodeList, port } = slurmStep(env);
  const rank = wholeOf(env, "SLURM_PROCID")!;
  const localRank = wholeOf(env, "SLURM_LOCALID") ?? 0;
  checkRank(rank, "SLURM_PROCID", size, "SLURM_NTASKS");
  const perNode = textOf(env, "SLURM_STEP_TASKS_PER_NODE") ?? textOf(env, "SLURM_TASKS_PER_NODE");
  const localSize =
    (perNode === undefined ? undefined : tasksPerNode(perNode)[nodeRank]) ??
    Math.max(localRank + 1, Math.ceil(size / nodes));
  if (gpus > localSize && localRank === 0)
    onNote?.(
      `srun started ${localSize} ${localSize === 1 ? "task" : "tasks"} on this host, which uses as many of its ${gpus} visible GPUs. ` +
        `Pass --ntasks-per-node ${gpus} to srun, or let one task a host run wav2vec2 launch.`,
    );
  if (size === 1) return undefined;
  const firstHost = (): string | undefined =>
    nodes > 1 && nodeList !== undefined ? parseNodeList(nodeList)[0] : undefined;
  return {
    rank,
    size,
    localRank,
    localSize,
    nodes,
    address: textOf(env, "MASTER_ADDR") ?? firstHost() ?? masterAddress(env, nodes),
    port: masterPort(env, port),
    hostsStore: rank === 0,
  };
}

/** A port that all tasks of a step agree on, and that steps which share a host are unlikely to share. */
export function slurmPort(job: string, step: string): number {
  return FIRST_PORT + ((Number(job.replace(/\D/g, "")) + 1_009 * Number(step)) % PORTS);
}

/** Tasks of each host of a step: `2(x3),1` is [2, 2, 2, 1]. */
export function tasksPerNode(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [, tasks, times] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ?? [];
    return tasks === undefined
      ? []
      : Array<number>(Math.min(Number(times ?? 1), 1_000_000)).fill(Number(tasks));
  });
}

/**
 * The hosts of a list in SLURM's form: names divided by commas, each with any number of ranges in brackets, whose
 * numbers keep their leading zeros. `n[01-03,7]-ib,login` is n01-ib, n02-ib, n03-ib, n7-ib, login.
 *
 * @throws ConfigurationError where it is no such list
 */
export function parseNodeList(text: string): string[] {
  const wrong = (): never => {
    throw new ConfigurationError(
      `SLURM_JOB_NODELIST must be a list such as 'n[01-04,7]-ib', but is '${text}'. Set MASTER_ADDR to the host of rank 0 instead.`,
    );
  };
  // Commas inside brackets divide ranges, the others hosts.
  if (!/^(?:[^[\],]|\[[^[\]]*\])+(?:,(?:[^[\],]|\[[^[\]]*\])+)*$/.test(text)) wrong();
  const expand = (pattern: string): string[] => {
    const [whole, ranges] = /\[([^\]]*)\]/.exec(pattern) ?? [];
    if (whole === undefined) return [pattern];
    const before = pattern.slice(0, pattern.indexOf("["));
    const rest = expand(pattern.slice(before.length + whole.length));
    const numbers = ranges!.split(",").flatMap((range) => {
      const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? wrong();
      const count = Number(to) - Number(from) + 1;
      if (!(count >= 1 && count <= 1_000_000)) wrong();
      return Array.from({ length: count }, (_, i) => String(Number(from) + i).padStart(from!.length, "0"));
    });
    return numbers.flatMap((number) => rest.map((end) => `${before}${number}${end}`));
  };
  return text.split(/,(?![^[]*\])/).flatMap(expand);
}
