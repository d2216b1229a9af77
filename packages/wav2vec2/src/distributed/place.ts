import { ConfigurationError } from "../errors.js";
import { checkRank, type Environment, masterAddress, masterPort, textOf, wholeOf } from "./environment.js";
import { podPlace, trainerPodPlace } from "./kubernetes.js";
import { mpiPlace, mpiVariables } from "./mpi.js";
import { isSlurmTask, slurmPlace } from "./slurm.js";

/** The place of this process among those that work together. */
export interface Place {
  /** Number of this process among all, from 0. */
  rank: number;
  /** Number of all processes. */
  size: number;
  /** Number of this process among those of its host. */
  localRank: number;
  localSize: number;
  /** Number of all hosts. */
  nodes: number;
  /** Where the store is reached through which the processes find each other. */
  address: string;
  port: number;
  /** Whether this process must host that store; else rank 0 or a launcher does. */
  hostsStore: boolean;
}

export interface PlaceOptions {
  /** GPUs that this process sees. */
  gpus: number;
  /** Whether somebody sits at a terminal: SLURM's variables mean nothing in an interactive shell. */
  stdinIsTerminal: boolean;
  /** Gets what is likely not as it was meant. */
  onNote?: (text: string) => void;
}

/**
 * The place that the launcher of this process gave it by variables of its environment; undefined where nothing did, so
 * that it is the only one. Understands, the first that applies: torchrun's variables (those of `wav2vec2 launch`,
 * `accelerate launch` and Ray Train), those of MPI, of `srun`, and of Kubeflow and PAI-DLC.
 *
 * A GPU of its own is `localRank` modulo the GPUs it sees: SLURM can show every process one GPU only.
 *
 * @throws ConfigurationError for variables that contradict each other or leave the place open
 */
export function placeFromEnvironment(env: Environment, options: PlaceOptions): Place | undefined {
  const has = (name: string): boolean => textOf(env, name) !== undefined;
  if (has("RANK") && has("WORLD_SIZE") && has("LOCAL_RANK")) return torchrunPlace(env, options);
  const mpi = mpiVariables(env);
  const task = isSlurmTask(env, options.stdinIsTerminal);
  // mpirun starts its helpers by srun, a task a host: their SLURM variables reach the processes too.
  const byMpi = mpi !== undefined && (has(mpi.localRank) || !task);
  if (byMpi || task) {
    const place = byMpi ? mpiPlace(env, mpi, options) : slurmPlace(env, options);
    agree(env, "RANK", place?.rank ?? 0, byMpi ? mpi.rank : "SLURM_PROCID");
    agree(env, "WORLD_SIZE", place?.size ?? 1, byMpi ? mpi.size : "SLURM_NTASKS");
    return place;
  }
  if (has("RANK") && has("WORLD_SIZE")) return podPlace(env, options);
  const missing = ["RANK", "WORLD_SIZE"].filter((name) => !has(name));
  const given = ["RANK", "WORLD_SIZE", "LOCAL_RANK"].filter(has);
  if (given.length > 0 && missing.length > 0)
    throw new ConfigurationError(
      `${missing.join(" and ")} must be set where ${given.join(" and ")} ${given.length > 1 ? "are" : "is"}, but ${missing.length > 1 ? "are" : "is"} missing. ` +
        `Start the processes by 'wav2vec2 launch' or torchrun, which set them all, or unset ${given.join(" and ")} for a run of one process.`,
    );
  return trainerPodPlace(env, options);
}

function torchrunPlace(env: Environment, { gpus }: PlaceOptions): Place {
  const rank = wholeOf(env, "RANK")!;
  const size = wholeOf(env, "WORLD_SIZE", { least: 1 })!;
  const localRank = wholeOf(env, "LOCAL_RANK")!;
  checkRank(rank, "RANK", size, "WORLD_SIZE");
  const localSize =
    wholeOf(env, "LOCAL_WORLD_SIZE", { least: 1 }) ?? Math.max(localRank + 1, Math.min(gpus, size));
  checkRank(localRank, "LOCAL_RANK", localSize, "LOCAL_WORLD_SIZE");
  if (localSize > size)
    throw new ConfigurationError(
      `LOCAL_WORLD_SIZE must be at most WORLD_SIZE, but is ${localSize} of ${size}. Give WORLD_SIZE the number of processes of all hosts together.`,
    );
  const nodes = wholeOf(env, "GROUP_WORLD_SIZE", { least: 1 }) ?? Math.ceil(size / localSize);
  const nodeRank = wholeOf(env, "GROUP_RANK") ?? wholeOf(env, "NODE_RANK") ?? 0;
  checkRank(nodeRank, env.GROUP_RANK ? "GROUP_RANK" : "NODE_RANK", nodes, "GROUP_WORLD_SIZE");
  return {
    rank,
    size,
    localRank,
    localSize,
    nodes,
    address: masterAddress(env, nodes),
    port: masterPort(env),
    // The agent of torchrun hosts it already where it says so: then rank 0 too is a client.
    hostsStore: rank === 0 && textOf(env, "TORCHELASTIC_USE_AGENT_STORE")?.toLowerCase() !== "true",
  };
}

/** Scripts for SLURM and MPI export RANK and WORLD_SIZE themselves; a wrong sum there would wait for ever. */
function agree(env: Environment, name: "RANK" | "WORLD_SIZE", value: number, source: string): void {
  const given = wholeOf(env, name);
  if (given === undefined || given === value) return;
  throw new ConfigurationError(
    `${name} must be ${value} as ${source} says, but is ${given}. Unset ${name}; it is not needed here.`,
  );
}
