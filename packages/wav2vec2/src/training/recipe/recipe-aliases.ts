import { isDeepStrictEqual } from "node:util";

/**
 * Names that Hugging Face's run_speech_recognition_ctc.py, its adapter and pre-training scripts and TrainingArguments
 * have for what a recipe calls otherwise. They are taken at the edge and mean nothing inside.
 * https://github.com/huggingface/transformers/tree/main/examples/pytorch/speech-recognition
 */
interface Alias {
  /** The recipe's own key, with dots. */
  key: string;
  /** What is given on the command line; that of the key where left out. */
  type?: "boolean" | "string";
  /** The value in the recipe's terms; undefined says nothing. What it does not know it leaves, for the recipe's own check. */
  convert?: (value: unknown) => unknown;
}

const flagFor =
  (meaning: string) =>
  (value: unknown): unknown =>
    value === true ? meaning : value === false ? undefined : value;

/** Keys of the network that those scripts have as options of their own. */
const MODEL_KEYS = [
  "activation_dropout",
  "adapter_attn_dim",
  "add_adapter",
  "attention_dropout",
  "ctc_zero_infinity",
  "feat_proj_dropout",
  "final_dropout",
  "hidden_dropout",
  "layerdrop",
  "mask_feature_length",
  "mask_feature_prob",
  "mask_time_length",
  "mask_time_prob",
];

export const ALIASES: Readonly<Record<string, Alias>> = {
  adam_epsilon: { key: "optimizer.eps" },
  bf16: { key: "precision", type: "boolean", convert: flagFor("bfloat16") },
  dataloader_num_workers: { key: "data.workers" },
  eval_split_name: { key: "data.eval_split" },
  fp16: { key: "precision", type: "boolean", convert: flagFor("float16") },
  freeze_feature_extractor: { key: "freeze_feature_encoder" },
  freeze_finetune_updates: { key: "freeze_backbone_steps" },
  gradient_accumulation_steps: { key: "gradient_accumulation" },
  group_by_length: { key: "data.group_by_length" },
  gumbel_temperature_decay: { key: "pretraining.gumbel_temperature_decay" },
  learning_rate: { key: "optimizer.learning_rate" },
  lr_scheduler_type: {
    key: "schedule.name",
    type: "string",
    convert: (value) => (value === "constant_with_warmup" ? "constant" : value),
  },
  max_duration_in_seconds: { key: "data.max_seconds" },
  max_grad_norm: { key: "optimizer.max_grad_norm" },
  max_gumbel_temperature: { key: "pretraining.max_gumbel_temperature" },
  max_train_steps: { key: "max_steps" },
  min_duration_in_seconds: { key: "data.min_seconds" },
  min_gumbel_temperature: { key: "pretraining.min_gumbel_temperature" },
  model_name_or_path: { key: "init" },
  model_revision: { key: "init_revision" },
  num_train_epochs: { key: "max_epochs" },
  num_warmup_steps: { key: "schedule.warmup_steps" },
  output_dir: { key: "output" },
  per_device_batch_size: { key: "data.batch_size" },
  per_device_train_batch_size: { key: "data.batch_size" },
  report_to: {
    key: "tracking",
    type: "string",
    convert: (value) => (value === "all" || isDeepStrictEqual(value, ["all"]) ? "auto" : value),
  },
  save_total_limit: { key: "keep_checkpoints" },
  saving_steps: { key: "save_steps" },
  target_language: { key: "adapter_language" },
  train_split_name: { key: "data.train_split" },
  warmup_ratio: { key: "schedule.warmup_ratio" },
  warmup_steps: { key: "schedule.warmup_steps" },
  weight_decay: { key: "optimizer.weight_decay" },
  zero_stage: { key: "distributed.zero_stage" },
  ...Object.fromEntries(MODEL_KEYS.map((name) => [name, { key: `model.${name}` }])),
};

const BETAS = "Adam's two rates are one key here: give optimizer.betas, such as [0.9, 0.98]";
const ALWAYS_STEPS = "validations and checkpoints come by steps here: give eval_steps and save_steps";
const NO_UPLOAD = "nothing is sent anywhere: copy best/ from the run directory";
const NO_DATASETS = "corpora are read from disk: give data.root (--data DIR)";

/** Names without a meaning here, and why. */
export const REFUSED: Readonly<Record<string, string>> = {
  adam_beta1: BETAS,
  adam_beta2: BETAS,
  audio_column_name: NO_DATASETS,
  chars_to_ignore: "transcripts are taken as they are: leave characters out where the corpus is made",
  dataset_config_name: NO_DATASETS,
  dataset_name: NO_DATASETS,
  ddp_find_unused_parameters: "parameters without a gradient need no setting here",
  do_eval: "fine-tuning validates every eval_steps; the command evaluate measures a model",
  do_train: "the commands finetune and pretrain train; evaluate measures",
  eval_metrics: "validation always gives WER and CER",
  eval_strategy: ALWAYS_STEPS,
  evaluation_strategy: ALWAYS_STEPS,
  hub_model_id: NO_UPLOAD,
  load_best_model_at_end: "the best model always lies in best/, the last in final/",
  max_eval_samples: "validation takes all of data.eval_split: make a split of fewer clips",
  max_train_samples: "give data.train_share, a share of the clips",
  optim: "the optimiser is AdamW",
  overwrite_output_dir: "a run directory is never overwritten: give another output, or --resume",
  per_device_eval_batch_size: "validation takes batches of data.batch_size or data.batch_seconds",
  preprocessing_num_workers: "nothing is prepared beforehand: data.workers decode during training",
  push_to_hub: NO_UPLOAD,
  resume_from_checkpoint: "give --resume with the same output",
  save_strategy: ALWAYS_STEPS,
  text_column_name: NO_DATASETS,
  tokenizer_name_or_path: "the vocabulary is init's, or the characters of the transcripts",
  trust_remote_code: "models run no code of their own",
};

/** Says why a value of a name with another meaning has none here; undefined where it has. */
function whyNot(name: string, value: unknown): string | undefined {
  if (Object.hasOwn(REFUSED, name)) return REFUSED[name];
  if (name === "lr_scheduler_type" && value === "constant")
    return "Hugging Face's 'constant' has no warm-up: give constant_with_warmup, or schedule.name constant with schedule.warmup_steps 0";
  return undefined;
}

/** What becomes of a name: another key, or none and why; undefined where it is no name of others. */
export type Translated = { key: string; value: unknown } | { reason: string } | undefined;

export function translate(name: string, given: unknown): Translated {
  const reason = whyNot(name, given);
  if (reason !== undefined) return { reason: `${name} has no meaning here: ${reason}.` };
  const alias = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
  if (!alias) return undefined;
  return { key: alias.key, value: alias.convert ? alias.convert(given) : given };
}
