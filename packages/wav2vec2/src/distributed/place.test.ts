import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../errors.js";
import type { Environment } from "./environment.js";
import { type Place, placeFromEnvironment } from "./place.js";

// Environments as the launchers leave them: of torchrun 2.15 as printed by a process it started, the others as their
// documentation and sources say.

const TORCHRUN: Environment = {
  RANK: "5",
  LOCAL_RANK: "1",
  GROUP_RANK: "1",
  ROLE_RANK: "5",
  ROLE_NAME: "default",
  LOCAL_WORLD_SIZE: "4",
  WORLD_SIZE: "8",
  GROUP_WORLD_SIZE: "2",
  ROLE_WORLD_SIZE: "8",
  MASTER_ADDR: "gpu-01",
  MASTER_PORT: "41883",
  TORCHELASTIC_RESTART_COUNT: "2",
  TORCHELASTIC_MAX_RESTARTS: "3",
  TORCHELASTIC_RUN_ID: "nightly",
  TORCHELASTIC_USE_AGENT_STORE: "True",
  TORCHELASTIC_ERROR_FILE: "/tmp/torchelastic_x/none_y/attempt_2/1/error.json",
  OMP_NUM_THREADS: "1",
};
const RAY: Environment = {
  LOCAL_RANK: "0",
  RANK: "2",
  LOCAL_WORLD_SIZE: "2",
  WORLD_SIZE: "4",
  NODE_RANK: "1",
  MASTER_ADDR: "10.0.0.4",
  MASTER_PORT: "39229",
};
const SRUN: Environment = {
  SLURM_JOB_ID: "8012345",
  SLURM_JOB_NODELIST: "n[01-02,7]-ib",
  SLURM_STEP_ID: "0",
  SLURM_STEP_NODELIST: "n[01-02]-ib",
  SLURM_STEP_NUM_NODES: "2",
  SLURM_STEP_NUM_TASKS: "8",
  SLURM_STEP_TASKS_PER_NODE: "4(x2)",
  SLURM_NNODES: "3",
  SLURM_NTASKS: "8",
  SLURM_PROCID: "6",
  SLURM_LOCALID: "2",
  SLURM_NODEID: "1",
  SLURM_RESTART_COUNT: "1",
};
const KUBEFLOW: Environment = {
  PYTHONUNBUFFERED: "1",
  KUBERNETES_PORT: "tcp://10.96.0.1:443",
  MASTER_ADDR: "job-master-0",
  MASTER_PORT: "23456",
  RANK: "2",
  WORLD_SIZE: "3",
};
const TRAINER: Environment = {
  KUBERNETES_PORT: "tcp://10.96.0.1:443",
  PET_NNODES: "4",
  PET_NPROC_PER_NODE: "auto",
  PET_NODE_RANK: "3",
  PET_MASTER_ADDR: "job-node-0-0.job",
  PET_MASTER_PORT: "29500",
};
const OPEN_MPI: Environment = {
  OMPI_COMM_WORLD_RANK: "3",
  OMPI_COMM_WORLD_SIZE: "4",
  OMPI_COMM_WORLD_LOCAL_RANK: "1",
  OMPI_COMM_WORLD_LOCAL_SIZE: "2",
  PMIX_RANK: "3",
  MASTER_ADDR: "node-a",
};
const INTEL_MPI: Environment = { PMI_RANK: "1", PMI_SIZE: "2", MPI_LOCALRANKID: "1", MPI_LOCALNRANKS: "2" };

function place(env: Environment, gpus = 0, stdinIsTerminal = false): Place | undefined {
  return placeFromEnvironment(env, { gpus, stdinIsTerminal });
}

function mistake(env: Environment, gpus = 0): string {
  try {
    place(env, gpus);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  return "none";
}

describe("placeFromEnvironment", () => {
  it.each<[string, Environment, Partial<Place>]>([
    [
      "torchrun",
      TORCHRUN,
      {
        rank: 5,
        size: 8,
        localRank: 1,
        localSize: 4,
        nodes: 2,
        address: "gpu-01",
        port: 41_883,
        hostsStore: false,
      },
    ],
    [
      "torchrun's rank 0, whose agent hosts the store",
      { ...TORCHRUN, RANK: "0", LOCAL_RANK: "0", GROUP_RANK: "0" },
      { rank: 0, hostsStore: false },
    ],
    [
      "torchrun's rank 0 with a static rendezvous",
      {
        ...TORCHRUN,
        RANK: "0",
        LOCAL_RANK: "0",
        GROUP_RANK: "0",
        TORCHELASTIC_USE_AGENT_STORE: "False",
      },
      { rank: 0, hostsStore: true },
    ],
    ["Ray Train", RAY, { rank: 2, localRank: 0, localSize: 2, nodes: 2, hostsStore: false }],
    [
      "srun",
      SRUN,
      {
        rank: 6,
        size: 8,
        localRank: 2,
        localSize: 4,
        nodes: 2,
        address: "n01-ib",
        port: 20_000 + (8_012_345 % 12_000),
        hostsStore: false,
      },
    ],
    [
      "srun of an old version",
      {
        SLURM_JOBID: "8012345",
        SLURM_STEPID: "0",
        SLURM_NODELIST: "n[01-02]-ib",
        SLURM_NNODES: "2",
        SLURM_NTASKS: "8",
        SLURM_TASKS_PER_NODE: "4(x2)",
        SLURM_PROCID: "6",
        SLURM_LOCALID: "2",
        SLURM_NODEID: "1",
      },
      { rank: 6, size: 8, localRank: 2, address: "n01-ib", port: 28_345 },
    ],
    [
      "srun with a list that is none, and an address",
      { ...SRUN, SLURM_STEP_NODELIST: "n[01-", MASTER_ADDR: "n01" },
      { address: "n01", nodes: 2 },
    ],
    [
      "srun on one host",
      { ...SRUN, SLURM_STEP_NUM_NODES: "1", SLURM_NODEID: "0", SLURM_STEP_TASKS_PER_NODE: "8" },
      { nodes: 1, localSize: 8, address: "127.0.0.1" },
    ],
    [
      "srun in a script that exports an address and the numbers itself",
      { ...SRUN, MASTER_ADDR: "n01", MASTER_PORT: "1234", RANK: "6", WORLD_SIZE: "8" },
      { address: "n01", port: 1234, localRank: 2 },
    ],
    ["torchrun inside srun", { ...SRUN, ...TORCHRUN }, { rank: 5 }],
    [
      "mpirun inside a SLURM job, whose helpers srun started",
      { ...SRUN, SLURM_NTASKS: "2", SLURM_STEP_NUM_TASKS: "2", SLURM_PROCID: "1", ...OPEN_MPI },
      { rank: 3, size: 4 },
    ],
    ["srun --mpi=pmi2", { ...SRUN, PMI_RANK: "6", PMI_SIZE: "8" }, { rank: 6, localRank: 2 }],
    [
      "Kubeflow's PyTorchJob",
      KUBEFLOW,
      {
        rank: 2,
        size: 3,
        localRank: 0,
        localSize: 1,
        nodes: 3,
        address: "job-master-0",
        port: 23_456,
        hostsStore: false,
      },
    ],
    [
      "its newer version with a process a pod",
      { ...KUBEFLOW, PET_NPROC_PER_NODE: "auto", PET_NODE_RANK: "2", PET_NNODES: "3" },
      { rank: 2, size: 3 },
    ],
    ["PAI-DLC with a process a worker", { ...KUBEFLOW, NPROC_PER_NODE: "1" }, { rank: 2, size: 3 }],
    ["Kubeflow's Trainer", TRAINER, { rank: 3, size: 4, address: "job-node-0-0.job", port: 29_500 }],
    [
      "Open MPI",
      OPEN_MPI,
      {
        rank: 3,
        size: 4,
        localRank: 1,
        localSize: 2,
        nodes: 2,
        address: "node-a",
        port: 29_500,
      },
    ],
    ["Intel MPI on one host", INTEL_MPI, { rank: 1, size: 2, nodes: 1, address: "127.0.0.1" }],
    [
      "MVAPICH2",
      {
        MV2_COMM_WORLD_RANK: "0",
        MV2_COMM_WORLD_SIZE: "2",
        MV2_COMM_WORLD_LOCAL_RANK: "0",
        MV2_COMM_WORLD_LOCAL_SIZE: "2",
      },
      { rank: 0, size: 2, hostsStore: true },
    ],
  ])("reads the variables of %s", (_, env, expected) => {
    expect(place(env)).toMatchObject(expected);
  });

  it.each<[string, Environment]>([
    ["of a plain shell", {}],
    ["with empty variables", { RANK: "", WORLD_SIZE: "" }],
    [
      "of salloc's shell",
      { SLURM_JOB_ID: "1", SLURM_NTASKS: "8", SLURM_NNODES: "2", SLURM_JOB_NODELIST: "a,b" },
    ],
    ["of an sbatch script", { ...SRUN, SLURM_STEP_ID: "4294967291" }],
    [
      "of the only task of srun",
      { ...SRUN, SLURM_STEP_NUM_TASKS: "1", SLURM_PROCID: "0", SLURM_NODEID: "0" },
    ],
    [
      "of the only process of mpirun",
      { ...INTEL_MPI, PMI_RANK: "0", PMI_SIZE: "1", MPI_LOCALNRANKS: "1", MPI_LOCALRANKID: "0" },
    ],
    ["of the only pod", { ...TRAINER, PET_NNODES: "1", PET_NODE_RANK: "0" }],
  ])("finds a process alone in the environment %s", (_, env) => {
    expect(place(env)).toBeUndefined();
  });

  it("keeps a run at a terminal inside srun a plain one", () => {
    expect(place(SRUN, 0, true)).toBeUndefined();
    expect(place(TORCHRUN, 0, true)).toMatchObject({ rank: 5 });
  });

  it.each<[Environment, number, RegExp]>([
    [{ WORLD_SIZE: "2" }, 0, /^RANK must be set where WORLD_SIZE is, but is missing\. .*unset WORLD_SIZE/],
    [{ RANK: "0" }, 0, /^WORLD_SIZE must be set where RANK is, but is missing/],
    [{ LOCAL_RANK: "0" }, 0, /^RANK and WORLD_SIZE must be set where LOCAL_RANK is, but are missing/],
    [{ ...TORCHRUN, RANK: "8" }, 0, /^RANK must be below WORLD_SIZE, but is 8 of 8\. .* ranks 0 to 7/],
    [{ ...TORCHRUN, LOCAL_RANK: "4" }, 0, /^LOCAL_RANK must be below LOCAL_WORLD_SIZE, but is 4 of 4/],
    [{ ...TORCHRUN, GROUP_RANK: "2" }, 0, /^GROUP_RANK must be below GROUP_WORLD_SIZE, but is 2 of 2/],
    [
      { ...TORCHRUN, LOCAL_WORLD_SIZE: "9" },
      0,
      /^LOCAL_WORLD_SIZE must be at most WORLD_SIZE, but is 9 of 8/,
    ],
    [{ ...TORCHRUN, RANK: "two" }, 0, /^RANK must be a whole number from 0 to \d+, but is 'two'/],
    [{ ...TORCHRUN, RANK: "-1" }, 0, /^RANK must be a whole number/],
    [{ ...TORCHRUN, RANK: "1.5" }, 0, /^RANK must be a whole number/],
    [{ ...TORCHRUN, WORLD_SIZE: "0" }, 0, /^WORLD_SIZE must be a whole number from 1/],
    [
      { ...TORCHRUN, MASTER_PORT: "70000" },
      0,
      /^MASTER_PORT must be a whole number from 1 to 65535, but is '70000'/,
    ],
    [{ ...TORCHRUN, MASTER_ADDR: "" }, 0, /^MASTER_ADDR must be given where 2 hosts train together/],
    [KUBEFLOW, 4, /^LOCAL_RANK must say which of the 4 visible GPUs is this process's, .*wav2vec2 launch/],
    [{ ...KUBEFLOW, RANK: "3" }, 0, /^RANK must be below WORLD_SIZE, but is 3 of 3/],
    [
      // 3 pods of 4 processes in its newer version: RANK counts pods, WORLD_SIZE processes
      { ...KUBEFLOW, WORLD_SIZE: "12", PET_NPROC_PER_NODE: "4", PET_NODE_RANK: "2", PET_NNODES: "3" },
      0,
      /^LOCAL_RANK must be set where a pod has 4 processes, .*RANK counts pods here and WORLD_SIZE processes.*wav2vec2 launch/,
    ],
    [{ ...KUBEFLOW, NPROC_PER_NODE: "8" }, 0, /^LOCAL_RANK must be set where a pod has 8 processes/],
    [
      { ...TRAINER, PET_NPROC_PER_NODE: "4" },
      0,
      /^RANK must be set where PET_NNODES is 4, .*wav2vec2 launch/,
    ],
    [{ ...TRAINER, PET_NNODES: "2:4" }, 0, /^RANK must be set where PET_NNODES is 2:4/],
    [TRAINER, 8, /^RANK must be set where PET_NNODES is 4/],
    [{ ...TRAINER, PET_NODE_RANK: "4" }, 0, /^PET_NODE_RANK must be below PET_NNODES/],
    [
      { ...SRUN, WORLD_SIZE: "16" },
      0,
      /^WORLD_SIZE must be 8 as SLURM_NTASKS says, but is 16\. Unset WORLD_SIZE/,
    ],
    [{ ...SRUN, SLURM_PROCID: "8" }, 0, /^SLURM_PROCID must be below SLURM_NTASKS, but is 8 of 8/],
    [{ ...SRUN, SLURM_STEP_NODELIST: "n[01-" }, 0, /^SLURM_JOB_NODELIST must be a list such as/],
    [{ ...OPEN_MPI, MASTER_ADDR: "" }, 0, /^MASTER_ADDR must be given where 2 hosts/],
    [{ PMI_RANK: "0", PMI_SIZE: "2" }, 2, /^MPI_LOCALRANKID must say which of the 2 visible GPUs/],
  ])("refuses %j with %d GPUs", (env, gpus, message) => {
    expect(mistake(env, gpus)).toMatch(message);
  });

  it("says when srun started fewer tasks than there are GPUs, once a host", () => {
    const notes: string[] = [];
    const note = (env: Environment, gpus: number) =>
      placeFromEnvironment(env, { gpus, stdinIsTerminal: false, onNote: (text) => notes.push(text) });
    note(
      {
        ...SRUN,
        SLURM_STEP_NUM_TASKS: "1",
        SLURM_STEP_TASKS_PER_NODE: "1",
        SLURM_PROCID: "0",
        SLURM_LOCALID: "0",
        SLURM_NODEID: "0",
      },
      4,
    );
    expect(notes).toEqual([
      "srun started 1 task on this host, which uses as many of its 4 visible GPUs. Pass --ntasks-per-node 4 to srun, or let one task a host run wav2vec2 launch.",
    ]);
    note(SRUN, 8); // not its host's first task
    note({ ...SRUN, SLURM_PROCID: "4", SLURM_LOCALID: "0" }, 4); // as many as there are
    expect(notes).toHaveLength(1);
  });

  it("gives every task of any shape of job its own place", () => {
    for (const [nodes, each] of [
      [1, 2],
      [2, 1],
      [3, 4],
      [64, 8],
    ] as const) {
      const places = Array.from(
        { length: nodes * each },
        (_, rank) =>
          place({
            SLURM_JOB_ID: "77",
            SLURM_STEP_ID: "1",
            SLURM_STEP_NODELIST: `n[001-${String(nodes).padStart(3, "0")}]`,
            SLURM_STEP_NUM_NODES: String(nodes),
            SLURM_STEP_NUM_TASKS: String(nodes * each),
            SLURM_STEP_TASKS_PER_NODE: nodes > 1 ? `${each}(x${nodes})` : String(each),
            SLURM_PROCID: String(rank),
            SLURM_LOCALID: String(rank % each),
            SLURM_NODEID: String(Math.floor(rank / each)),
          })!,
      );
      expect(new Set(places.map(({ rank }) => rank)).size).toBe(nodes * each);
      expect(places.every(({ rank, localRank }) => localRank === rank % each)).toBe(true);
      expect(new Set(places.map(({ address, port }) => `${address}:${port}`)).size).toBe(1);
      expect(places.filter(({ hostsStore }) => hostsStore).map(({ rank }) => rank)).toEqual([0]);
      expect(places.every(({ localSize }) => localSize === each)).toBe(true);
    }
  });
});
