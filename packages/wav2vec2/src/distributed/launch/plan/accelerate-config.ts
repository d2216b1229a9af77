import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nearest } from "@wav2vec2/libtorch/nearest";
import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import { ConfigurationError } from "../../../errors.js";
import { homeDirectory } from "../../../files/home-directory.js";
import { unreadable } from "../../../files/unreadable.js";
import type { Environment } from "../../environment.js";
import type { GivenOptions } from "./launch-options.js";

/** Keys that become options of the same meaning. */
const OPTIONS: Readonly<Record<string, string>> = {
  num_processes: "num-processes",
  num_machines: "nnodes",
  machine_rank: "node-rank",
  main_process_ip: "master-addr",
  main_process_port: "master-port",
  mixed_precision: "mixed-precision",
  gpu_ids: "gpu-ids",
  rdzv_backend: "rdzv-backend",
};

/** Keys without a meaning here that change nothing either. */
const WITHOUT_EFFECT = ["main_training_function", "same_network", "tpu_env", "downcast_bf16"];

/** Keys that stand for something that is not here unless they are off, and what to do. */
const REFUSED: Readonly<Record<string, string>> = {
  fsdp_config: "FSDP does not run here: remove it. Every process keeps the whole model.",
  deepspeed_config: "DeepSpeed does not run here: remove it. Every process keeps the whole model.",
  deepspeed_fields_from_accelerate_config: "DeepSpeed does not run here: remove it.",
  megatron_lm_config: "Megatron-LM does not run here: remove it. Every process keeps the whole model.",
  parallelism_config: "The processes share the data only: remove it.",
  fp8_config: "fp8 does not run here: remove it, and set mixed_precision to bf16.",
  dynamo_config: "Nothing is compiled by dynamo here: remove it.",
  dynamo_backend: "Nothing is compiled by dynamo here: remove it.",
  ipex_config: "Intel's extension does not run here: remove it.",
  mpirun_config: "Start 'wav2vec2 pretrain …' by mpirun itself, without launch: it reads MPI's variables.",
  enable_cpu_affinity: "Start the program under numactl instead, and set it to false.",
  debug: "Set TORCH_DISTRIBUTED_DEBUG=DETAIL instead, and it to false.",
  tpu_use_cluster: "TPUs do not run here: use GPUs or the CPU.",
  tpu_use_sudo: "TPUs do not run here: use GPUs or the CPU.",
  tpu_name: "TPUs do not run here: use GPUs or the CPU.",
  tpu_zone: "TPUs do not run here: use GPUs or the CPU.",
  tpu_vm: "TPUs do not run here: use GPUs or the CPU.",
  command_file: "TPU pods do not run here: remove it.",
  commands: "TPU pods do not run here: remove it.",
};

const DISTRIBUTED_TYPES: Readonly<Record<string, string>> = {
  FSDP: "FSDP does not run here: set MULTI_GPU. Every process keeps the whole model.",
  DEEPSPEED: "DeepSpeed does not run here: set MULTI_GPU. Every process keeps the whole model.",
  MEGATRON_LM: "Megatron-LM does not run here: set MULTI_GPU. Every process keeps the whole model.",
  TP: "The processes share the data only: set MULTI_GPU.",
  XLA: "TPUs do not run here: use GPUs or the CPU.",
  TPU: "TPUs do not run here: use GPUs or the CPU.",
  MULTI_XPU: "Intel's GPUs do not run here: use NVIDIA's or the CPU.",
  XPU: "Intel's GPUs do not run here: use NVIDIA's or the CPU.",
  MULTI_NPU: "NPUs do not run here: use GPUs or the CPU.",
  MULTI_MLU: "MLUs do not run here: use GPUs or the CPU.",
  MULTI_HPU: "HPUs do not run here: use GPUs or the CPU.",
};

/**
 * Reads what `accelerate config` wrote into options of the launcher; what is given already stands. `default` is the file that
 * accelerate takes by itself, in `$HF_HOME/accelerate`.
 *
 * @throws ConfigurationError with a line "file:line:column: mistake" for each key that is unknown or not possible here
 */
export function addAccelerateConfig(given: GivenOptions, path: string, env: Environment): void {
  const file = path === "default" ? defaultPath(env) : path;
  const { entries, at } = readMap(file);
  const mistakes: string[] = [];
  const known = [
    "compute_environment",
    "distributed_type",
    "use_cpu",
    ...Object.keys(OPTIONS),
    ...WITHOUT_EFFECT,
  ];
  const add = (option: string, value: string, key: string): void => {
    if (!given.has(option)) given.set(option, { value, from: `${at(key)}${key}` });
  };
  for (const [key, value] of entries) {
    const wrong = (text: string): unknown => mistakes.push(`${at(key)}${text}`);
    const text = String(value);
    if (value === null || value === undefined) continue;
    const option = OPTIONS[key];
    if (option !== undefined) add(option, text, key);
    else if (key === "compute_environment") {
      if (text !== "LOCAL_MACHINE")
        wrong(`${key} must be LOCAL_MACHINE, but is ${text}. Start the program on the machines themselves.`);
    } else if (key === "distributed_type") {
      const reason = DISTRIBUTED_TYPES[text];
      if (reason !== undefined) wrong(`${key} must be NO, MULTI_CPU or MULTI_GPU, but is ${text}. ${reason}`);
      else if (text === "MULTI_CPU") add("cpu", "true", key);
      else if (text === "MULTI_GPU") add("multi-gpu", "true", key);
      else if (text !== "NO") wrong(`${key} must be NO, MULTI_CPU or MULTI_GPU, but is ${text}.`);
    } else if (key === "use_cpu") {
      if (value === true) add("cpu", "true", key);
    } else if (Object.hasOwn(REFUSED, key)) {
      if (!isOff(value)) wrong(`${key} must be left out. ${REFUSED[key]}`);
    } else if (!WITHOUT_EFFECT.includes(key)) {
      const guess = nearest(key, [...known, ...Object.keys(REFUSED)]);
      wrong(
        `unknown key '${key}'.${guess === undefined ? " accelerate has no such key." : ` Did you mean '${guess}'?`}`,
      );
    }
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes.join("\n"));
}

/** As accelerate writes what is not used: false, `NO`, an empty map, `{dynamo_backend: 'NO'}`. */
function isOff(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return /^(no|false|)$/i.test(String(value));
  const { dynamo_backend: backend, ...others } = value as Record<string, unknown>;
  return backend === undefined ? Object.keys(others).length === 0 : isOff(backend);
}

function defaultPath(env: Environment): string {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homeDirectory(), ".cache");
  return join(env.HF_HOME || join(cache, "huggingface"), "accelerate", "default_config.yaml");
}

function readMap(file: string): { entries: [string, unknown][]; at: (key: string) => string } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { message } = unreadable(file, "a file that 'accelerate config' wrote", error);
    throw new ConfigurationError(message, { cause: error });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}: `;
  };
  if (document.errors.length > 0)
    throw new ConfigurationError(
      document.errors.map(({ pos, message }) => `${place(pos[0])}${message}.`).join("\n"),
    );
  const { contents } = document;
  if (!isMap(contents))
    throw new ConfigurationError(`${place(0)}It must be a map of keys, as 'accelerate config' writes it.`);
  const at = (key: string): string => {
    const name = contents.items
      .map((pair) => pair.key)
      .find((node) => isScalar(node) && String(node.value) === key);
    return place((isScalar(name) && name.range?.[0]) || 0);
  };
  return { entries: Object.entries(document.toJS() as Record<string, unknown>), at };
}
