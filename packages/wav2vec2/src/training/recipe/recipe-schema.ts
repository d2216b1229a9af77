import type { ZodType } from "zod";
import { DEVICE_PATTERN, DEVICES } from "../../device-name.js";
import { WANTED_PRECISIONS } from "../../precision/precision-names.js";
import { SERVICES } from "../../tracking/services.js";
import type { Recipe, RecipeInput } from "./recipe-types.js";
import { z } from "./zod.js";

// Names and defaults follow Hugging Face's run_speech_recognition_ctc.py and run_wav2vec2_pretraining_no_trainer.py;
// where fairseq's or the paper's differ, the description says so. docs/recipes.md is generated from the descriptions (scripts/recipe-docs.mjs).
// Parts are functions, since zod is not loaded before a recipe is looked at.

type RecipeData = NonNullable<RecipeInput["data"]>;

const count = () => z.int().positive();
const amount = () => z.number().positive();

const share = () => z.number().min(0).max(1);

const noise = () =>
  z.strictObject({
    directory: z
      .string()
      .optional()
      .describe("Directory of recordings to add to clips in training, such as MUSAN. Default: none"),
    probability: share().default(0.5).describe("Share of clips that get noise"),
    snr_db: z
      .tuple([z.number(), z.number()])
      .default([5, 20])
      .describe("Lowest and highest signal-to-noise ratio in decibels; drawn evenly between"),
  });

const reverberation = () =>
  z.strictObject({
    directory: z
      .string()
      .optional()
      .describe("Directory of impulse responses of rooms, to put clips into in training. Default: none"),
    probability: share().default(0.5).describe("Share of clips that are put into a room"),
  });

const volume = () =>
  z.strictObject({
    db: z
      .tuple([z.number(), z.number()])
      .default([0, 0])
      .describe("Lowest and highest change of the volume in training, in decibels; drawn evenly between"),
  });

const data = () =>
  z.strictObject({
    root: z
      .string()
      .describe(
        "Corpus: a directory in LibriSpeech layout, of manifests or of folders of audio, or a manifest (docs/data.md)",
      ),
    train_split: z
      .string()
      .default("train")
      .describe("Split to train on; several are joined with +, such as train-clean-100+train-clean-360"),
    train_share: share()
      .positive()
      .default(1)
      .describe(
        "Share of the training split's clips to train on, drawn by the seed; 0.1 shows what a tenth of the labels does",
      ),
    eval_split: z
      .string()
      .default("dev")
      .describe("Split to validate on and to choose the best model by; pre-training needs no transcripts"),
    label: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Only for the tasks classify, frames and speaker: column of a manifest that holds the labels; with frames a list of segments or an " +
          "RTTM file. Default: label, segments and speaker",
      ),
    exclude: z
      .string()
      .optional()
      .describe("File with the ids of utterances to leave out, one a line, such as `data check` writes"),
    on_bad_data: z
      .enum(["error", "skip"])
      .default("error")
      .describe(
        "What becomes of clips that cannot be used (unreadable, corrupt, without text): error stops, skip leaves them " +
          "out and lists them in left-out.txt",
      ),
    batch_seconds: amount()
      .optional()
      .describe(
        "Seconds of audio in a batch, padding included; a step sees gradient_accumulation such batches. Default: 100, " +
          "or no limit with batch_size",
      ),
    batch_size: count()
      .optional()
      .describe("Clips in a batch at most. Default: as many as batch_seconds allows"),
    group_by_length: z
      .boolean()
      .default(true)
      .describe(
        "Put clips of similar length into a batch, so that little of it is padding; false puts any together, newly drawn " +
          "every epoch",
      ),
    min_seconds: z
      .number()
      .nonnegative()
      .default(0.1)
      .describe("Training leaves out utterances shorter than this"),
    max_seconds: amount()
      .default(20)
      .describe("Fine-tuning leaves out utterances longer than this; pre-training cuts or divides them"),
    normalize: z
      .boolean()
      .optional()
      .describe(
        "Bring each clip to zero mean and unit variance. Default: as init's directory says, true without (the paper's BASE: " +
          "false)",
      ),
    workers: z
      .int()
      .nonnegative()
      .max(64)
      .default(1)
      .describe("Threads that decode audio ahead of training; 0 decodes between the steps"),
    speed_perturbation: z
      .number()
      .min(0)
      .max(0.5)
      .default(0)
      .describe(
        "Training plays each clip up to this share faster or slower, newly drawn every epoch; 0.1 is usual",
      ),
    transforms: z
      .string()
      .optional()
      .describe(
        "Module of one's own that changes audio and transcripts, draws masks or makes batches (docs/experiments.md): a path or a " +
          "file: URL. Default: none",
      ),
    feature_cache: z
      .string()
      .optional()
      .describe(
        "Directory for what a frozen feature encoder makes of each clip: computed once, read from then on, also by later runs. Takes about " +
          "370 MB an hour of audio for BASE in float32; nothing may change the clips. Default: none",
      ),
    noise: noise().prefault({}),
    reverberation: reverberation().prefault({}),
    volume: volume().prefault({}),
  });

const optimizer = () =>
  z.strictObject({
    learning_rate: amount()
      .default(3e-4)
      .describe("Highest learning rate (the paper pre-trains with 5e-4 and fine-tunes with 2e-5 to 3e-5)"),
    head_learning_rate: amount()
      .optional()
      .describe(
        "Not for the task pretrain: highest learning rate of the output layer, which starts from random weights. Default: " +
          "learning_rate",
      ),
    layer_decay: amount()
      .max(1)
      .optional()
      .describe(
        "Not for the task pretrain: factor on the learning rate from each transformer layer to the one below; the top " +
          "layer has learning_rate itself, what lies below the layers one factor more. Default: 1",
      ),
    betas: z
      .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
      .default([0.9, 0.98])
      .describe("Decay rates of Adam's two moments"),
    eps: amount().default(1e-8).describe("Added to Adam's denominator"),
    weight_decay: z.number().nonnegative().default(0).describe("Decoupled weight decay (AdamW)"),
    decay_biases_and_norms: z
      .boolean()
      .default(false)
      .describe("Decay biases, norms and other vectors too, as fairseq does"),
    max_grad_norm: z
      .number()
      .nonnegative()
      .default(1)
      .describe(
        "Gradients are scaled down to this norm; 0 leaves them as they are, as fairseq and Hugging Face's pre-training do",
      ),
  });

const schedule = () =>
  z.strictObject({
    name: z
      .enum(["linear", "polynomial", "cosine", "cosine_with_restarts", "constant", "tri_stage"])
      .default("linear")
      .describe(
        "Course of the learning rate after its warm-up; linear is the paper's for pre-training, tri_stage for fine-tuning",
      ),
    warmup_steps: z
      .int()
      .nonnegative()
      .optional()
      .describe("Steps over which the learning rate rises from 0. Default: 500, or as warmup_ratio says"),
    warmup_ratio: share()
      .optional()
      .describe(
        "Instead of warmup_steps: share of all steps over which the learning rate rises. Default: none",
      ),
    hold_steps: z
      .int()
      .nonnegative()
      .optional()
      .describe("tri_stage: steps at the highest rate. Default: 40 % of max_steps"),
    decay_steps: count()
      .optional()
      .describe("tri_stage: steps of exponential decay. Default: all that are left"),
    final_scale: amount()
      .max(1)
      .optional()
      .describe(
        "tri_stage, polynomial: last learning rate as a share of the highest. Default: 0.05 and 0 (fairseq's)",
      ),
    power: amount().optional().describe("polynomial: 1 is linear. Default: 1"),
    num_cycles: count()
      .optional()
      .describe("cosine_with_restarts: how often it falls from the highest rate to 0. Default: 1"),
  });

const pretraining = () =>
  z.strictObject({
    max_gumbel_temperature: amount()
      .default(2)
      .describe("Temperature of the Gumbel softmax at the first step"),
    min_gumbel_temperature: amount().default(0.5).describe("Its lowest value (the paper's LARGE: 0.1)"),
    gumbel_temperature_decay: amount()
      .max(1)
      .default(0.999995)
      .describe(
        "Factor from step to step; 0.999995 reaches 0.5 after 277,259 steps, so shorter runs want less",
      ),
    padding: z
      .enum(["pad", "crop"])
      .default("pad")
      .describe(
        "What becomes of clips of different lengths: pad adds zeros as Hugging Face does, crop cuts all clips of a batch to " +
          "the shortest as fairseq does",
      ),
  });

const distributed = () =>
  z.strictObject({
    timeout: amount()
      .default(1800)
      .describe(
        "Seconds that an exchange between processes waits for one that does not answer, before the run ends with its name",
      ),
    gradient_compression: z
      .enum(["none", "bfloat16"])
      .default("none")
      .describe("What gradients are sent as: bfloat16 halves the bytes and rounds them and their sums"),
    zero_stage: z
      .literal([0, 1])
      .default(0)
      .describe(
        "What is divided among the processes instead of being in each: 1, the optimiser's moments (ZeRO, " +
          "docs/data-parallel.md); 0, nothing. The losses are the same to the bit",
      ),
  });

const wandb = () =>
  z.strictObject({
    project: z.string().optional().describe("Default: WANDB_PROJECT, or wav2vec2"),
    entity: z.string().optional().describe("User or team. Default: WANDB_ENTITY, or the key's own"),
    group: z.string().optional().describe("Default: WANDB_RUN_GROUP, or none"),
    job_type: z.string().optional().describe("Default: WANDB_JOB_TYPE, or the recipe's task"),
    tags: z.array(z.string()).optional().describe("Default: those of WANDB_TAGS, with commas between"),
    notes: z.string().optional().describe("Default: WANDB_NOTES, or none"),
    resume: z
      .enum(["append", "rewind"])
      .default("append")
      .describe(
        "What becomes of the steps behind the checkpoint that a run goes on from: append keeps them beside those that are done anew (train/global_step " +
          "tells them apart), rewind removes them",
      ),
  });

const mlflow = () =>
  z.strictObject({
    experiment: z.string().optional().describe("Default: MLFLOW_EXPERIMENT_NAME, or wav2vec2"),
  });

/** One name, or several. */
function services() {
  const service = z.enum([...SERVICES, "auto"]);
  return z
    .union(
      [
        z.array(service).transform((names) => [...new Set(names)]),
        z.enum([...service.options, "none"]).transform((name) => (name === "none" ? [] : [name])),
      ],
      {
        error: () => `must be some of ${service.options.join(", ")}, or none`,
      },
    )
    .prefault("auto");
}

const recipe = () =>
  z.strictObject({
    task: z
      .enum(["pretrain", "finetune", "classify", "frames", "speaker"])
      .default("finetune")
      .describe(
        "What to train: pretrain is self-supervised learning, finetune is speech recognition with CTC, classify a label for a clip, " +
          "frames labels for every frame, speaker a vector that tells speakers apart (docs/classification.md)",
      ),
    seed: z.int().nonnegative().default(1).describe("Seed of weights, order, masks and dropout"),
    max_steps: count().optional().describe("Optimiser steps. Default: 5000, or as many as max_epochs takes"),
    max_epochs: amount()
      .optional()
      .describe(
        "Instead of max_steps: how often training takes each clip, such as 20 or 0.5; the schedule is as long as the " +
          "batches of so many epochs take. Default: none",
      ),
    max_minutes: amount()
      .optional()
      .describe("Time limit: stop after this many minutes of training even if steps are left. Default: none"),
    output: z
      .string()
      .min(1)
      .describe("Run directory. Default: runs/ and the recipe file's name, or the task's without a file"),
    data: data().prefault({} as RecipeData),
    preset: z
      .enum(["base", "large", "large-lv60", "xlsr-300m"])
      .default("base")
      .describe("Published shape of the network where there is no init; model changes it"),
    model: z
      .record(z.string(), z.unknown())
      .default({})
      .describe(
        "Keys of Hugging Face's config.json: the network to train from scratch, or what differs from init's",
      ),
    init: z.string().optional().describe("Model directory or Hub id to start from. Default: random weights"),
    init_revision: z
      .string()
      .optional()
      .describe("Branch, tag or commit of a Hub model to start from. Default: main"),
    freeze_feature_encoder: z
      .boolean()
      .default(false)
      .describe(
        "Leave the convolutions as they are, as the paper does in fine-tuning. Default: true with init, but for pretrain, else " +
          "false",
      ),
    vocabulary: z
      .enum(["model", "transcripts", "phonemes"])
      .optional()
      .describe(
        "Only for the task finetune: transcripts makes a vocabulary of the transcripts' characters and a new output layer for it, " +
          "phonemes one of what stands between their spaces; model " +
          "takes init's. Default: model where init has an output layer, else whichever holds all characters",
      ),
    labels: z
      .enum(["model", "data"])
      .optional()
      .describe(
        "Only for the tasks classify, frames and speaker: data trains a new head for the labels of the clips, model goes on with init's " +
          "head. Default: model where init has a head of the task, else data",
      ),
    train: z
      .enum(["all", "adapters"])
      .optional()
      .describe(
        "Only for the task finetune: adapters trains new attention adapters (model.adapter_attn_dim), their norms and a new output " +
          "layer alone, as Hugging Face's adapter script does for a new language of a multilingual model. Default: all",
      ),
    adapter_language: z
      .string()
      .regex(/^[\w-]+$/)
      .optional()
      .describe(
        "With train: adapters, the code of their language, such as eng: what is trained is also written into " +
          "adapter.LANGUAGE.safetensors. Default: none",
      ),
    freeze_backbone_steps: z
      .int()
      .nonnegative()
      .optional()
      .describe(
        "Not for the task pretrain, with init: train the output layer alone (and attention adapters, where there are some) for " +
          "this many steps, then all that is not frozen otherwise (fairseq's freeze_finetune_updates; the paper: 10,000). Default: 0",
      ),
    freeze_layers: z
      .int()
      .nonnegative()
      .optional()
      .describe(
        "Not for the task pretrain, with init: leave this many of the lowest transformer layers and all below them as " +
          "they are. Default: 0",
      ),
    gradient_checkpointing: z
      .boolean()
      .default(false)
      .describe(
        "Keep only the input of each transformer layer and compute the rest again in the backward pass: less memory, " +
          "about a quarter more time",
      ),
    pretraining: pretraining().optional().describe("Only for the task pretrain"),
    optimizer: optimizer().prefault({}),
    schedule: schedule().prefault({}),
    ctc_loss_reduction: z
      .enum(["sum", "mean"])
      .optional()
      .describe(
        "Only for the task finetune: mean divides each utterance's loss by its labels and averages; sum adds up (Hugging Face's and " +
          "fairseq's loss). Default: mean",
      ),
    gradient_accumulation: count()
      .default(1)
      .describe(
        "Batches a step. Their losses count as one batch's: pre-training divides once by the masked frames of all",
      ),
    gradient_scaling: z
      .enum(["once", "every_batch"])
      .optional()
      .describe(
        "Only for the task pretrain: how a step's batches are averaged. Default: once. every_batch divides all gradients so far after each, as Hugging Face's " +
          "pre-training script does, so that earlier batches count less",
      ),
    logging_steps: count().default(50).describe("Steps between two lines of metrics"),
    eval_steps: count().default(500).describe("Steps between two validations"),
    save_steps: count().default(500).describe("Steps between two checkpoints to resume from"),
    metric_for_best_model: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Metric of the validation that the best model is chosen by, such as cer; lower is better unless greater_is_better. Default: WER, or " +
          "the loss of pre-training",
      ),
    greater_is_better: z
      .boolean()
      .optional()
      .describe(
        "Whether a greater metric_for_best_model is a better one. Default: for those that end in accuracy, f1, precision or recall",
      ),
    early_stopping_patience: count()
      .optional()
      .describe(
        "Stop behind this many validations in a row that were no better than the best before them, by WER, the loss of " +
          "pre-training, accuracy, macro F1 of frames, the equal error rate of speakers, or by metric_for_best_model. Default: never",
      ),
    early_stopping_threshold: z
      .number()
      .nonnegative()
      .optional()
      .describe(
        "By how much a validation must be better than the best to count for early_stopping_patience (0.001 is 0.1 % WER). " +
          "Default: 0",
      ),
    tracking: services().describe(
      "Where the run is shown beside its directory and the terminal: a list of wandb, tensorboard, mlflow and trackio, or none. auto takes those that " +
        "the environment names (WANDB_API_KEY, MLFLOW_TRACKING_URI and others: docs/tracking.md)",
    ),
    run_name: z
      .string()
      .min(1)
      .optional()
      .describe("What trackers call the run. Default: the run directory's name"),
    log_model: z
      .enum(["none", "final", "best"])
      .default("none")
      .describe("Which model wandb and mlflow get as an artifact at the end, with the report"),
    histogram_steps: count()
      .optional()
      .describe("Steps between two histograms of all weights and gradients. Default: never"),
    system_seconds: amount()
      .default(15)
      .describe("Seconds between two looks at processors, memory, disk, network and GPUs"),
    wandb: wandb().prefault({}),
    mlflow: mlflow().prefault({}),
    distributed: distributed().prefault({}),
    keep_checkpoints: count().default(2).describe("How many of the newest checkpoints to keep"),
    threads: count().max(256).optional().describe("CPU threads. Default: libtorch's choice, one a core"),
    device: z
      .string()
      .regex(DEVICE_PATTERN, { error: ({ input }) => `must be ${DEVICES}, but is ${String(input)}` })
      .default("auto")
      .describe(
        "Where the network computes: cpu, cuda (NVIDIA), cuda:N (the GPU of that number), mps (Apple), or auto, which takes " +
          "an NVIDIA GPU where libtorch finds one. It may change when a run goes on",
      ),
    precision: z
      .enum(WANTED_PRECISIONS)
      .default("auto")
      .describe(
        "Number format of the forward pass; weights stay in float32. auto takes bfloat16 where that is measured to be faster, and float32 " +
          "elsewhere (docs/devices.md). float16 scales the loss so that small gradients do not vanish",
      ),
  });

let schema: ZodType<Recipe, RecipeInput> | undefined;

/** What a recipe may hold. */
export function recipeSchema(): ZodType<Recipe, RecipeInput> {
  schema ??= recipe();
  return schema;
}
