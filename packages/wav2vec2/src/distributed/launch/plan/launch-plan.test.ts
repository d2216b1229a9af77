import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../errors.js";
import type { Environment } from "../../environment.js";
import type { GivenOptions } from "./launch-options.js";
import { type LaunchPlan, type Machine, planLaunch } from "./launch-plan.js";

const CPU: Machine = { gpus: () => 0, cores: 8, libtorchHasCuda: false, stdinIsTerminal: false };
const GPUS: Machine = {
  ...CPU,
  gpus: ({ CUDA_VISIBLE_DEVICES: ids }) => ids?.split(",").length ?? 4,
  libtorchHasCuda: true,
};

interface Given {
  command?: string[];
  env?: Environment;
  machine?: Machine;
  notes?: string[];
}

function plan(options: Record<string, string>, given: Given = {}): LaunchPlan {
  const { command = ["pretrain"], env = {}, machine = CPU, notes = [] } = given;
  const map: GivenOptions = new Map(
    Object.entries(options).map(([name, value]) => [name, { value, from: `--${name}` }]),
  );
  return planLaunch(command, map, env, machine, (text) => notes.push(text));
}

function mistake(options: Record<string, string>, given: Given = {}): string {
  try {
    plan(options, given);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  return "none";
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "launch-plan-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function file(text: string, name = "accelerate.yaml"): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe("planLaunch", () => {
  it("takes all visible GPUs, or one process, and says so", () => {
    const notes: string[] = [];
    expect(plan({}, { machine: GPUS, notes }).localSize).toBe(4);
    expect(plan({}, { notes }).localSize).toBe(1);
    expect(plan({}, { machine: { ...GPUS, libtorchHasCuda: false }, notes }).localSize).toBe(1);
    expect(notes).toEqual([
      "A process for each of 4 visible GPUs; --nproc-per-node takes fewer.",
      "One process, as there is no GPU to use; --nproc-per-node starts more.",
      "One process: 4 GPUs are visible, but the libtorch here has no CUDA ('npm run setup -- --libtorch cuda').",
    ]);
    expect(plan({}, { machine: GPUS, command: ["pretrain", "--device", "cpu"] }).localSize).toBe(1);
    const config = file("device: cpu\nmax_steps: 3\n", "recipe.yaml");
    expect(plan({}, { machine: GPUS, command: ["pretrain", `--config=${config}`] }).localSize).toBe(1);
    expect(plan({ "nproc-per-node": "gpu" }, { machine: GPUS }).localSize).toBe(4);
    expect(plan({ "nproc-per-node": "cpu" }).localSize).toBe(8);
    expect(plan({ "nproc-per-node": "auto" }).localSize).toBe(1);
  });

  it("divides the cores, unless somebody else has", () => {
    expect(plan({ "nproc-per-node": "3" }).env).toEqual({ OMP_NUM_THREADS: "2" });
    expect(plan({ "nproc-per-node": "16" }).env).toEqual({ OMP_NUM_THREADS: "1" });
    expect(plan({ "nproc-per-node": "1" }).env).toEqual({});
    expect(plan({ "nproc-per-node": "3" }, { env: { OMP_NUM_THREADS: "5" } }).env).toEqual({});
    expect(plan({ "num-cpu-threads-per-process": "7" }).env).toEqual({ OMP_NUM_THREADS: "7" });
  });

  it("reads PET_ variables behind options", () => {
    const env = {
      PET_NNODES: "2:4",
      PET_NPROC_PER_NODE: "3",
      PET_RDZV_ENDPOINT: "[fd00::1]:4000",
      PET_RDZV_ID: "job/7",
      PET_MAX_RESTARTS: "5",
      PET_RDZV_CONF: "join_timeout=7,last_call_timeout=2",
      TORCH_ELASTIC_SHUTDOWN_TIMEOUT: "50",
    };
    expect(plan({ "max-restarts": "1" }, { env })).toMatchObject({
      localSize: 3,
      maxRestarts: 1,
      runId: "job_7",
      hosts: { min: 2, max: 4, address: "fd00::1", port: 4_000, joinTimeout: 7, lastCall: 2 },
      patience: { signal: 50, failure: 50 },
    });
    const ranked = { ...env, PET_NODE_RANK: "3" };
    expect(plan({ "machine-rank": "1" }, { env: ranked }).hosts.rank).toBe(1);
    expect(plan({ "machine-rank": "1", "node-rank": "2" }, { env }).hosts.rank).toBe(2);
    expect(plan({ standalone: "true" }, { env }).hosts).toMatchObject({
      min: 1,
      max: 1,
      address: "127.0.0.1",
    });
  });

  it("finds the hosts in what Kubernetes sets", () => {
    const trainer = {
      PET_NNODES: "4",
      PET_NPROC_PER_NODE: "auto",
      PET_NODE_RANK: "3",
      PET_MASTER_ADDR: "job-node-0-0.job",
      PET_MASTER_PORT: "29500",
    };
    const hosts = { min: 4, max: 4, rank: 3, address: "job-node-0-0.job", port: 29_500 };
    expect(plan({}, { env: trainer })).toMatchObject({ localSize: 1, hosts });
    const v1 = { MASTER_ADDR: "job-master-0", MASTER_PORT: "23456", RANK: "2", WORLD_SIZE: "3" };
    const pods = { min: 3, max: 3, rank: 2, address: "job-master-0", port: 23_456 };
    expect(plan({}, { env: v1, machine: GPUS })).toMatchObject({ localSize: 4, hosts: pods });
    expect(plan({}, { env: { ...v1, NPROC_PER_NODE: "2" } })).toMatchObject({ localSize: 2, hosts: pods });
    // Newer: 3 pods of 4 processes; WORLD_SIZE counts processes.
    const newer = { ...v1, WORLD_SIZE: "12", PET_NNODES: "3", PET_NPROC_PER_NODE: "4", PET_NODE_RANK: "2" };
    expect(plan({}, { env: { ...newer, PET_MASTER_ADDR: "m" } })).toMatchObject({
      localSize: 4,
      hosts: { ...pods, address: "m", port: 29_500 },
    });
    expect(plan({}, { env: newer })).toMatchObject({ localSize: 4, hosts: pods });
  });

  it("finds the hosts in what srun sets where it starts one task on each", () => {
    const env = {
      SLURM_JOB_ID: "77",
      SLURM_STEP_ID: "0",
      SLURM_STEP_NODELIST: "n[01-02]",
      SLURM_STEP_NUM_NODES: "2",
      SLURM_STEP_NUM_TASKS: "2",
      SLURM_PROCID: "1",
      SLURM_NODEID: "1",
    };
    const notes: string[] = [];
    expect(plan({}, { env, notes })).toMatchObject({
      runId: "77",
      hosts: { min: 2, max: 2, rank: 1, address: "n01", port: 20_077 },
    });
    expect(notes[0]).toBe("srun started this on 2 hosts: taken as --nnodes 2 --node-rank 1.");
    const old = {
      SLURM_JOBID: "77",
      SLURM_STEPID: "0",
      SLURM_NODELIST: "n[01-02]",
      SLURM_NNODES: "2",
      SLURM_NTASKS: "2",
      SLURM_PROCID: "1",
      SLURM_NODEID: "1",
    };
    expect(plan({}, { env: old })).toEqual(plan({}, { env }));
    const broken = { ...env, SLURM_STEP_NODELIST: "n[01-" };
    expect(mistake({}, { env: broken })).toMatch(/Set MASTER_ADDR to the host of rank 0 instead/);
    expect(plan({}, { env: { ...broken, MASTER_ADDR: "n01" } }).hosts.address).toBe("n01");
    const said = { "main-process-ip": "mine", "main-process-port": "1234", "machine-rank": "0" };
    expect(plan(said, { env, notes }).hosts).toMatchObject({ max: 2, rank: 0, address: "mine", port: 1_234 });
    expect(notes).toContain("srun started this on 2 hosts: taken as --nnodes 2 --node-rank 0.");
    expect(plan({ nnodes: "1" }, { env }).hosts.max).toBe(1);
    expect(plan({ "num-machines": "1" }, { env }).hosts.max).toBe(1);
    expect(plan({}, { env, machine: { ...CPU, stdinIsTerminal: true } }).hosts.max).toBe(1);
    expect(mistake({}, { env: { ...env, SLURM_STEP_NUM_TASKS: "8" } })).toMatch(
      /^launch must be started once a host, but srun started 8 tasks on 2 hosts\. Pass --ntasks-per-node 1/,
    );
  });

  it("maps what accelerate config wrote", () => {
    const path = file(`compute_environment: LOCAL_MACHINE
debug: false
distributed_type: MULTI_GPU
downcast_bf16: 'no'
dynamo_config:
  dynamo_backend: 'NO'
fsdp_config: {}
enable_cpu_affinity: false
gpu_ids: 0,2
machine_rank: 1
main_process_ip: 10.0.0.1
main_process_port: 3000
main_training_function: main
mixed_precision: bf16
num_machines: 2
num_processes: 4
rdzv_backend: static
same_network: true
tpu_env: []
tpu_use_cluster: false
use_cpu: false
`);
    const made = plan({ "config-file": path }, { machine: GPUS });
    expect(made).toMatchObject({
      command: ["pretrain", "--precision", "bfloat16"],
      localSize: 2,
      env: { CUDA_VISIBLE_DEVICES: "0,2" },
      hosts: { min: 2, max: 2, rank: 1, address: "10.0.0.1", port: 3_000 },
    });
    const options = { "config-file": path, "num-processes": "2", "machine-rank": "0" };
    const over = plan(options, { machine: GPUS, command: ["finetune", "--precision", "float16"] });
    expect(over).toMatchObject({
      command: ["finetune", "--precision", "float16"],
      localSize: 1,
      hosts: { rank: 0 },
    });
    const cpu = file("distributed_type: MULTI_CPU\nnum_processes: 2\nmixed_precision: 'no'\nuse_cpu: true\n");
    expect(plan({ "config-file": cpu }, { machine: GPUS })).toMatchObject({
      command: ["pretrain", "--device", "cpu"],
      localSize: 2,
    });
    const home = join(directory, "accelerate");
    rmSync(path);
    expect(mistake({ "config-file": "default" }, { env: { HF_HOME: directory } })).toMatch(
      new RegExp(
        `^${home}/default_config.yaml must be a file that 'accelerate config' wrote, but does not exist`,
      ),
    );
  });

  it.each<[string, string]>([
    [
      "distributed_type: FSDP\n",
      "1:1: distributed_type must be NO, MULTI_CPU or MULTI_GPU, but is FSDP. FSDP does not run here: set MULTI_GPU. Every process keeps the whole model.",
    ],
    [
      "distributed_type: DEEPSPEED\n",
      "1:1: distributed_type must be NO, MULTI_CPU or MULTI_GPU, but is DEEPSPEED. DeepSpeed does not run here: set MULTI_GPU. Every process keeps the whole model.",
    ],
    [
      "distributed_type: MEGATRON_LM\n",
      "1:1: distributed_type must be NO, MULTI_CPU or MULTI_GPU, but is MEGATRON_LM. Megatron-LM does not run here: set MULTI_GPU. Every process keeps the whole model.",
    ],
    [
      "distributed_type: XLA\n",
      "1:1: distributed_type must be NO, MULTI_CPU or MULTI_GPU, but is XLA. TPUs do not run here: use GPUs or the CPU.",
    ],
    [
      "num_machines: 1\nfsdp_config:\n  fsdp_version: 2\n",
      "2:1: fsdp_config must be left out. FSDP does not run here: remove it. Every process keeps the whole model.",
    ],
    [
      "dynamo_config: {dynamo_backend: INDUCTOR}\n",
      "1:1: dynamo_config must be left out. Nothing is compiled by dynamo here: remove it.",
    ],
    ["num_procesess: 2\n", "1:1: unknown key 'num_procesess'. Did you mean 'num_processes'?"],
    ["whatever: 2\n", "1:1: unknown key 'whatever'. accelerate has no such key."],
    [
      "compute_environment: AMAZON_SAGEMAKER\n",
      "1:1: compute_environment must be LOCAL_MACHINE, but is AMAZON_SAGEMAKER. Start the program on the machines themselves.",
    ],
    [
      "debug: true\n",
      "1:1: debug must be left out. Set TORCH_DISTRIBUTED_DEBUG=DETAIL instead, and it to false.",
    ],
    ["- 1\n", "1:1: It must be a map of keys, as 'accelerate config' writes it."],
    ["a: 1\na: 2\n", "2:1: Map keys must be unique."],
    [
      "mixed_precision: fp8\n",
      "1:1: mixed_precision must be no, fp16 or bf16, but is 'fp8'. fp8 does not run here: use bf16.",
    ],
    ["num_processes: few\n", "1:1: num_processes must be a whole number from 1 to 1000000, but is 'few'."],
  ])("refuses %j of accelerate's", (text, message) => {
    const path = file(text);
    expect(mistake({ "config-file": path }, { machine: GPUS })).toBe(`${path}:${message}`);
  });

  it("names the line of accelerate's file that stands for GPUs where there are none", () => {
    const path = file("num_processes: 1\ndistributed_type: MULTI_GPU\n");
    expect(mistake({ "config-file": path })).toBe(
      `${path}:2:1: distributed_type means a process for each GPU, but no GPU is visible. Run 'wav2vec2 doctor', which says what is missing, or remove it to use the CPU.`,
    );
  });

  it.each<[Record<string, string>, Given, RegExp]>([
    [
      { "nproc-per-node": "5" },
      { machine: GPUS },
      /^--nproc-per-node must be at most the 4 visible GPUs, but is 5\./,
    ],
    [
      { "nproc-per-node": "2" },
      { command: ["pretrain", "--device", "cuda"] },
      /^--nproc-per-node must be at most the 0 visible GPUs/,
    ],
    [
      { "nproc-per-node": "2" },
      { machine: { ...GPUS, libtorchHasCuda: false }, command: ["pretrain", "--device=cuda"] },
      /libtorch here has no CUDA\. Run 'npm run setup -- --libtorch cuda'/,
    ],
    [
      { "nproc-per-node": "2" },
      { machine: GPUS, command: ["pretrain", "--device", "cuda:1"] },
      /^device must be cuda where 2 processes train, but is cuda:1/,
    ],
    [{ "nproc-per-node": "2", "gpu-ids": "1" }, { machine: GPUS }, /at most the 1 visible GPUs, but is 2/],
    [{ "nproc-per-node": "gpu" }, {}, /^--nproc-per-node must be a number where there is no GPU/],
    [{ "nproc-per-node": "0" }, {}, /^--nproc-per-node must be a whole number from 1 to 4096, but is '0'/],
    [{ "nproc-per-node": "many" }, {}, /^--nproc-per-node must be a whole number/],
    [
      { "multi-gpu": "true" },
      {},
      /^--multi-gpu means a process for each GPU, but no GPU is visible\. Run 'wav2vec2 doctor'/,
    ],
    [{ "multi-gpu": "true", "num-processes": "2" }, {}, /^--multi-gpu means .*, but no GPU is visible\./],
    [
      { "multi-gpu": "true" },
      { machine: { ...GPUS, libtorchHasCuda: false } },
      /^--multi-gpu means .*, but the libtorch here has no CUDA\. Run 'npm run setup -- --libtorch cuda'/,
    ],
    [
      { "multi-gpu": "true" },
      { machine: GPUS, command: ["pretrain", "--device", "cpu"] },
      /^--multi-gpu means .*, but the command's device is cpu\. Remove one of them\.$/,
    ],
    [{ "multi-gpu": "true", cpu: "true" }, {}, /^--cpu and --multi-gpu contradict each other/],
    [
      { cpu: "true" },
      { command: ["pretrain", "--device", "cuda"] },
      /^--cpu means --device cpu, but the command has --device cuda/,
    ],
    [{ nnodes: "2" }, {}, /^--rdzv-endpoint must be given for 2 hosts, but is missing/],
    [{ nnodes: "3:2" }, {}, /^--nnodes must be a number of hosts or MIN:MAX, but is '3:2'/],
    [
      { nnodes: "2", "master-addr": "a", "rdzv-backend": "static" },
      {},
      /^--node-rank must be given with --rdzv-backend static/,
    ],
    [
      { nnodes: "2", "master-addr": "a", "node-rank": "2" },
      {},
      /^--node-rank must be below the number of hosts, but is 2 of 2/,
    ],
    [
      { "num-machines": "2", "main-process-ip": "a", "machine-rank": "2" },
      {},
      /^--machine-rank must be below the number of hosts, but is 2 of 2/,
    ],
    [
      { "node-rank": "1" },
      {},
      /^--node-rank must be below the number of hosts, but is 1 of 1\. .*pass --nnodes/,
    ],
    [
      { "rdzv-backend": "etcd" },
      {},
      /^--rdzv-backend must be static or c10d, but is 'etcd'\. No etcd is needed/,
    ],
    [
      { "rdzv-endpoint": "a:b:c" },
      {},
      /^--rdzv-endpoint must be HOST:PORT with a port from 1 to 65535, but is 'a:b:c'/,
    ],
    [{ "rdzv-endpoint": "a:70000" }, {}, /^--rdzv-endpoint must be HOST:PORT/],
    [
      { "rdzv-conf": "is_host=1" },
      {},
      /^--rdzv-conf must be join_timeout=SECONDS or last_call_timeout=SECONDS/,
    ],
    [
      { "num-processes": "3", "num-machines": "2", "main-process-ip": "a" },
      {},
      /^--num-processes counts the processes of all 2 hosts together and must be a multiple/,
    ],
    [{ tee: "4" }, {}, /^--tee must be 0, 1, 2 or 3/],
    [
      { "nproc-per-node": "2", redirects: "0:3,2:1" },
      {},
      /^--redirects must be .*for some of the 2 processes/,
    ],
    [{ "local-ranks-filter": "a" }, {}, /^--local-ranks-filter must be local ranks such as 0,1/],
    [{ "signals-to-handle": "SIGTERM,SIGNOT" }, {}, /^--signals-to-handle must be names such as/],
    [{ "shutdown-timeout": "-1" }, {}, /^--shutdown-timeout must be a number of seconds above 0/],
    [{ "max-restarts": "-1" }, {}, /^--max-restarts must be a whole number from 0/],
    [{}, { command: [] }, /^The command must be given/],
    [{}, { command: ["launch", "doctor"] }, /^launch must not launch itself/],
    [
      {},
      { env: { RANK: "0", LOCAL_RANK: "0", WORLD_SIZE: "2" } },
      /^launch must be started once a host, but RANK, LOCAL_RANK and WORLD_SIZE/,
    ],
    [{}, { env: { PET_NNODES: "two" } }, /^PET_NNODES must be a number of hosts or MIN:MAX, but is 'two'/],
  ])("refuses %j with %j", (options, given, message) => {
    expect(mistake(options, given)).toMatch(message);
  });
});
