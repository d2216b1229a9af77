import { ConfigurationError } from "../errors.js";
import { checkRank, type Environment, masterAddress, masterPort, textOf, wholeOf } from "./environment.js";
import type { Place, PlaceOptions } from "./place.js";

const LAUNCH = "Start it as 'wav2vec2 launch -- COMMAND …' in every pod: that starts a process for each GPU.";

/**
 * The place of a process that stands alone in its pod: Kubeflow's PyTorchJob (v1) and Alibaba's PAI-DLC set RANK,
 * WORLD_SIZE, MASTER_ADDR and MASTER_PORT, but no LOCAL_RANK. RANK is the pod's number there; WORLD_SIZE counted pods
 * in old versions and counts processes in newer ones, which set PET_NPROC_PER_NODE and PET_NNODES too.
 *
 * @throws ConfigurationError where a pod has several processes, or several GPUs: these need a launcher
 * @see https://github.com/kubeflow/training-operator/blob/master/pkg/controller.v1/pytorch/envvar.go
 */
export function podPlace(env: Environment, { gpus }: PlaceOptions): Place {
  const rank = wholeOf(env, "RANK")!;
  const size = wholeOf(env, "WORLD_SIZE", { least: 1 })!;
  const each = textOf(env, "PET_NPROC_PER_NODE") ?? textOf(env, "NPROC_PER_NODE");
  const pods = textOf(env, "PET_NNODES");
  if (
    (each !== undefined && /^\d+$/.test(each) && Number(each) > 1) ||
    (pods !== undefined && pods !== String(size))
  )
    throw new ConfigurationError(
      `LOCAL_RANK must be set where a pod has ${each ?? "several"} processes, but is missing: RANK counts pods here and WORLD_SIZE ${pods === undefined ? "pods" : "processes"}. ${LAUNCH}`,
    );
  checkRank(rank, "RANK", size, "WORLD_SIZE");
  if (gpus > 1)
    throw new ConfigurationError(
      `LOCAL_RANK must say which of the ${gpus} visible GPUs is this process's, but is missing, although RANK and WORLD_SIZE are set. ${LAUNCH}`,
    );
  return alone(env, rank, size);
}

/**
 * The place of a process that stands alone in its pod under Kubeflow's Trainer (v2), which sets torchrun's options as
 * PET_NNODES, PET_NODE_RANK, PET_MASTER_ADDR and PET_MASTER_PORT; undefined where there is one pod.
 *
 * @throws ConfigurationError where the pods have several processes or GPUs, or their number may change
 */
export function trainerPodPlace(env: Environment, { gpus }: PlaceOptions): Place | undefined {
  const pods = textOf(env, "PET_NNODES");
  if (pods === undefined || pods === "1" || pods === "1:1") return undefined;
  const each = textOf(env, "PET_NPROC_PER_NODE") ?? "1";
  const one = each === "1" || (!/^\d+$/.test(each) && gpus <= 1);
  if (!one || gpus > 1 || !/^\d+$/.test(pods) || textOf(env, "PET_NODE_RANK") === undefined)
    throw new ConfigurationError(
      `RANK must be set where PET_NNODES is ${pods}, but is missing: PET_ variables are options of a launcher. ${LAUNCH} Unset PET_NNODES for a run of one process.`,
    );
  const size = wholeOf(env, "PET_NNODES", { least: 1 })!;
  const rank = wholeOf(env, "PET_NODE_RANK")!;
  checkRank(rank, "PET_NODE_RANK", size, "PET_NNODES");
  return alone({ MASTER_ADDR: env.PET_MASTER_ADDR, MASTER_PORT: env.PET_MASTER_PORT }, rank, size);
}

function alone(env: Environment, rank: number, size: number): Place {
  return {
    rank,
    size,
    localRank: 0,
    localSize: 1,
    nodes: size,
    address: masterAddress(env, size),
    port: masterPort(env),
    hostsStore: rank === 0,
  };
}
