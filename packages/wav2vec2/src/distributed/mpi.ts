import { ConfigurationError } from "../errors.js";
import { checkRank, type Environment, masterAddress, masterPort, wholeOf } from "./environment.js";
import type { Place, PlaceOptions } from "./place.js";

/** Variables of Open MPI, of MVAPICH2, and of MPICH's and Intel's Hydra. */
const FLAVOURS = [
  {
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    localRank: "OMPI_COMM_WORLD_LOCAL_RANK",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
  },
  {
    rank: "MV2_COMM_WORLD_RANK",
    size: "MV2_COMM_WORLD_SIZE",
    localRank: "MV2_COMM_WORLD_LOCAL_RANK",
    localSize: "MV2_COMM_WORLD_LOCAL_SIZE",
  },
  { rank: "PMI_RANK", size: "PMI_SIZE", localRank: "MPI_LOCALRANKID", localSize: "MPI_LOCALNRANKS" },
] as const;

export type MpiVariables = (typeof FLAVOURS)[number];

/** Which MPI started this process; undefined where none did. */
export function mpiVariables(env: Environment): MpiVariables | undefined {
  return FLAVOURS.find(({ rank, size }) => env[rank] && env[size]);
}

/**
 * The place of a process that `mpirun` started; undefined where that is the only one.
 *
 * @throws ConfigurationError where several hosts take part and MASTER_ADDR is missing
 */
export function mpiPlace(env: Environment, names: MpiVariables, { gpus }: PlaceOptions): Place | undefined {
  const rank = wholeOf(env, names.rank)!;
  const size = wholeOf(env, names.size, { least: 1 })!;
  checkRank(rank, names.rank, size, names.size);
  if (size === 1) return undefined;
  const localRank = wholeOf(env, names.localRank);
  if (localRank === undefined && gpus > 1)
    throw new ConfigurationError(
      `${names.localRank} must say which of the ${gpus} visible GPUs is this process's, but is missing. Set LOCAL_RANK, RANK and WORLD_SIZE for each process, or start one process a host that runs wav2vec2 launch.`,
    );
  const localSize = wholeOf(env, names.localSize, { least: 1 }) ?? Math.max((localRank ?? 0) + 1, 1);
  checkRank(localRank ?? 0, names.localRank, localSize, names.localSize);
  const nodes = Math.ceil(size / localSize);
  return {
    rank,
    size,
    localRank: localRank ?? 0,
    localSize,
    nodes,
    address: masterAddress(env, nodes),
    port: masterPort(env),
    hostsStore: rank === 0,
  };
}
