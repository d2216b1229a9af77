// Written by scripts/recipe-docs.mjs from recipe-schema.ts, which does not compile where the two differ; change it there.

/** A resolved recipe: every key has its value. Paths are relative to the working directory. */
export interface Recipe {
  /** What to train: pretrain is self-supervised learning, finetune is speech recognition with CTC, classify a label for a clip, frames labels for every frame, speaker a vector that tells speakers apart (docs/classification.md). */
  task: "pretrain" | "finetune" | "classify" | "frames" | "speaker";
  /** Seed of weights, order, masks and dropout. */
  seed: number;
  /** Optimiser steps. Default: 5000, or as many as max_epochs takes. */
  max_steps?: number | undefined;
  /** Instead of max_steps: how often training takes each clip, such as 20 or 0.5; the schedule is as long as the batches of so many epochs take. Default: none. */
  max_epochs?: number | undefined;
  /** Time limit: stop after this many minutes of training even if steps are left. Default: none. */
  max_minutes?: number | undefined;
  /** Run directory. Default: runs/ and the recipe file's name, or the task's without a file. */
  output: string;
  data: {
    /** Corpus: a directory in LibriSpeech layout, of manifests or of folders of audio, or a manifest (docs/data.md). */
    root: string;
    /** Split to train on; several are joined with +, such as train-clean-100+train-clean-360. */
    train_split: string;
    /** Share of the training split's clips to train on, drawn by the seed; 0.1 shows what a tenth of the labels does. */
    train_share: number;
    /** Split to validate on and to choose the best model by; pre-training needs no transcripts. */
    eval_split: string;
    /** Only for the tasks classify, frames and speaker: column of a manifest that holds the labels; with frames a list of segments or an RTTM file. Default: label, segments and speaker. */
    label?: string | undefined;
    /** File with the ids of utterances to leave out, one a line, such as `data check` writes. */
    exclude?: string | undefined;
    /** What becomes of clips that cannot be used (unreadable, corrupt, without text): error stops, skip leaves them out and lists them in left-out.txt. */
    on_bad_data: "error" | "skip";
    /** Seconds of audio in a batch, padding included; a step sees gradient_accumulation such batches. Default: 100, or no limit with batch_size. */
    batch_seconds?: number | undefined;
    /** Clips in a batch at most. Default: as many as batch_seconds allows. */
    batch_size?: number | undefined;
    /** Put clips of similar length into a batch, so that little of it is padding; false puts any together, newly drawn every epoch. */
    group_by_length: boolean;
    /** Training leaves out utterances shorter than this. */
    min_seconds: number;
    /** Fine-tuning leaves out utterances longer than this; pre-training cuts or divides them. */
    max_seconds: number;
    /** Bring each clip to zero mean and unit variance. Default: as init's directory says, true without (the paper's BASE: false). */
    normalize?: boolean | undefined;
    /** Threads that decode audio ahead of training; 0 decodes between the steps. */
    workers: number;
    /** Training plays each clip up to this share faster or slower, newly drawn every epoch; 0.1 is usual. */
    speed_perturbation: number;
    /** Module of one's own that changes audio and transcripts, draws masks or makes batches (docs/experiments.md): a path or a file: URL. Default: none. */
    transforms?: string | undefined;
    /** Directory for what a frozen feature encoder makes of each clip: computed once, read from then on, also by later runs. Takes about 370 MB an hour of audio for BASE in float32; nothing may change the clips. Default: none. */
    feature_cache?: string | undefined;
    noise: {
      /** Directory of recordings to add to clips in training, such as MUSAN. Default: none. */
      directory?: string | undefined;
      /** Share of clips that get noise. */
      probability: number;
      /** Lowest and highest signal-to-noise ratio in decibels; drawn evenly between. */
      snr_db: [number, number];
    };
    reverberation: {
      /** Directory of impulse responses of rooms, to put clips into in training. Default: none. */
      directory?: string | undefined;
      /** Share of clips that are put into a room. */
      probability: number;
    };
    volume: {
      /** Lowest and highest change of the volume in training, in decibels; drawn evenly between. */
      db: [number, number];
    };
  };
  /** Published shape of the network where there is no init; model changes it. */
  preset: "base" | "large" | "large-lv60" | "xlsr-300m";
  /** Keys of Hugging Face's config.json: the network to train from scratch, or what differs from init's. */
  model: Record<string, unknown>;
  /** Model directory or Hub id to start from. Default: random weights. */
  init?: string | undefined;
  /** Branch, tag or commit of a Hub model to start from. Default: main. */
  init_revision?: string | undefined;
  /** Leave the convolutions as they are, as the paper does in fine-tuning. Default: true with init, but for pretrain, else false. */
  freeze_feature_encoder: boolean;
  /** Only for the task finetune: transcripts makes a vocabulary of the transcripts' characters and a new output layer for it, phonemes one of what stands between their spaces; model takes init's. Default: model where init has an output layer, else whichever holds all characters. */
  vocabulary?: "model" | "transcripts" | "phonemes" | undefined;
  /** Only for the tasks classify, frames and speaker: data trains a new head for the labels of the clips, model goes on with init's head. Default: model where init has a head of the task, else data. */
  labels?: "model" | "data" | undefined;
  /** Only for the task finetune: adapters trains new attention adapters (model.adapter_attn_dim), their norms and a new output layer alone, as Hugging Face's adapter script does for a new language of a multilingual model. Default: all. */
  train?: "all" | "adapters" | undefined;
  /** With train: adapters, the code of their language, such as eng: what is trained is also written into adapter.LANGUAGE.safetensors. Default: none. */
  adapter_language?: string | undefined;
  /** Not for the task pretrain, with init: train the output layer alone (and attention adapters, where there are some) for this many steps, then all that is not frozen otherwise (fairseq's freeze_finetune_updates; the paper: 10,000). Default: 0. */
  freeze_backbone_steps?: number | undefined;
  /** Not for the task pretrain, with init: leave this many of the lowest transformer layers and all below them as they are. Default: 0. */
  freeze_layers?: number | undefined;
  /** Keep only the input of each transformer layer and compute the rest again in the backward pass: less memory, about a quarter more time. */
  gradient_checkpointing: boolean;
  /** Only for the task pretrain. */
  pretraining?:
    | {
        /** Temperature of the Gumbel softmax at the first step. */
        max_gumbel_temperature: number;
        /** Its lowest value (the paper's LARGE: 0.1). */
        min_gumbel_temperature: number;
        /** Factor from step to step; 0.999995 reaches 0.5 after 277,259 steps, so shorter runs want less. */
        gumbel_temperature_decay: number;
        /** What becomes of clips of different lengths: pad adds zeros as Hugging Face does, crop cuts all clips of a batch to the shortest as fairseq does. */
        padding: "pad" | "crop";
      }
    | undefined;
  optimizer: {
    /** Highest learning rate (the paper pre-trains with 5e-4 and fine-tunes with 2e-5 to 3e-5). */
    learning_rate: number;
    /** Not for the task pretrain: highest learning rate of the output layer, which starts from random weights. Default: learning_rate. */
    head_learning_rate?: number | undefined;
    /** Not for the task pretrain: factor on the learning rate from each transformer layer to the one below; the top layer has learning_rate itself, what lies below the layers one factor more. Default: 1. */
    layer_decay?: number | undefined;
    /** Decay rates of Adam's two moments. */
    betas: [number, number];
    /** Added to Adam's denominator. */
    eps: number;
    /** Decoupled weight decay (AdamW). */
    weight_decay: number;
    /** Decay biases, norms and other vectors too, as fairseq does. */
    decay_biases_and_norms: boolean;
    /** Gradients are scaled down to this norm; 0 leaves them as they are, as fairseq and Hugging Face's pre-training do. */
    max_grad_norm: number;
  };
  schedule: {
    /** Course of the learning rate after its warm-up; linear is the paper's for pre-training, tri_stage for fine-tuning. */
    name: "linear" | "polynomial" | "cosine" | "cosine_with_restarts" | "constant" | "tri_stage";
    /** Steps over which the learning rate rises from 0. Default: 500, or as warmup_ratio says. */
    warmup_steps?: number | undefined;
    /** Instead of warmup_steps: share of all steps over which the learning rate rises. Default: none. */
    warmup_ratio?: number | undefined;
    /** tri_stage: steps at the highest rate. Default: 40 % of max_steps. */
    hold_steps?: number | undefined;
    /** tri_stage: steps of exponential decay. Default: all that are left. */
    decay_steps?: number | undefined;
    /** tri_stage, polynomial: last learning rate as a share of the highest. Default: 0.05 and 0 (fairseq's). */
    final_scale?: number | undefined;
    /** polynomial: 1 is linear. Default: 1. */
    power?: number | undefined;
    /** cosine_with_restarts: how often it falls from the highest rate to 0. Default: 1. */
    num_cycles?: number | undefined;
  };
  /** Only for the task finetune: mean divides each utterance's loss by its labels and averages; sum adds up (Hugging Face's and fairseq's loss). Default: mean. */
  ctc_loss_reduction?: "sum" | "mean" | undefined;
  /** Batches a step. Their losses count as one batch's: pre-training divides once by the masked frames of all. */
  gradient_accumulation: number;
  /** Only for the task pretrain: how a step's batches are averaged. Default: once. every_batch divides all gradients so far after each, as Hugging Face's pre-training script does, so that earlier batches count less. */
  gradient_scaling?: "once" | "every_batch" | undefined;
  /** Steps between two lines of metrics. */
  logging_steps: number;
  /** Steps between two validations. */
  eval_steps: number;
  /** Steps between two checkpoints to resume from. */
  save_steps: number;
  /** Metric of the validation that the best model is chosen by, such as cer; lower is better unless greater_is_better. Default: WER, or the loss of pre-training. */
  metric_for_best_model?: string | undefined;
  /** Whether a greater metric_for_best_model is a better one. Default: for those that end in accuracy, f1, precision or recall. */
  greater_is_better?: boolean | undefined;
  /** Stop behind this many validations in a row that were no better than the best before them, by WER, the loss of pre-training, accuracy, macro F1 of frames, the equal error rate of speakers, or by metric_for_best_model. Default: never. */
  early_stopping_patience?: number | undefined;
  /** By how much a validation must be better than the best to count for early_stopping_patience (0.001 is 0.1 % WER). Default: 0. */
  early_stopping_threshold?: number | undefined;
  /** Where the run is shown beside its directory and the terminal: a list of wandb, tensorboard, mlflow and trackio, or none. auto takes those that the environment names (WANDB_API_KEY, MLFLOW_TRACKING_URI and others: docs/tracking.md). */
  tracking: ("wandb" | "tensorboard" | "mlflow" | "trackio" | "auto")[];
  /** What trackers call the run. Default: the run directory's name. */
  run_name?: string | undefined;
  /** Which model wandb and mlflow get as an artifact at the end, with the report. */
  log_model: "none" | "final" | "best";
  /** Steps between two histograms of all weights and gradients. Default: never. */
  histogram_steps?: number | undefined;
  /** Seconds between two looks at processors, memory, disk, network and GPUs. */
  system_seconds: number;
  wandb: {
    /** Default: WANDB_PROJECT, or wav2vec2. */
    project?: string | undefined;
    /** User or team. Default: WANDB_ENTITY, or the key's own. */
    entity?: string | undefined;
    /** Default: WANDB_RUN_GROUP, or none. */
    group?: string | undefined;
    /** Default: WANDB_JOB_TYPE, or the recipe's task. */
    job_type?: string | undefined;
    /** Default: those of WANDB_TAGS, with commas between. */
    tags?: string[] | undefined;
    /** Default: WANDB_NOTES, or none. */
    notes?: string | undefined;
    /** What becomes of the steps behind the checkpoint that a run goes on from: append keeps them beside those that are done anew (train/global_step tells them apart), rewind removes them. */
    resume: "append" | "rewind";
  };
  mlflow: {
    /** Default: MLFLOW_EXPERIMENT_NAME, or wav2vec2. */
    experiment?: string | undefined;
  };
  distributed: {
    /** Seconds that an exchange between processes waits for one that does not answer, before the run ends with its name. */
    timeout: number;
    /** What gradients are sent as: bfloat16 halves the bytes and rounds them and their sums. */
    gradient_compression: "none" | "bfloat16";
    /** What is divided among the processes instead of being in each: 1, the optimiser's moments (ZeRO, docs/data-parallel.md); 0, nothing. The losses are the same to the bit. */
    zero_stage: 0 | 1;
  };
  /** How many of the newest checkpoints to keep. */
  keep_checkpoints: number;
  /** CPU threads. Default: libtorch's choice, one a core. */
  threads?: number | undefined;
  /** Where the network computes: cpu, cuda (NVIDIA), cuda:N (the GPU of that number), mps (Apple), or auto, which takes an NVIDIA GPU where libtorch finds one. It may change when a run goes on. */
  device: string;
  /** Number format of the forward pass; weights stay in float32. auto takes bfloat16 where that is measured to be faster, and float32 elsewhere (docs/devices.md). float16 scales the loss so that small gradients do not vanish. */
  precision: "auto" | "float32" | "bfloat16" | "float16";
}

/** A recipe of the task pretrain. */
export type PreTrainingRecipe = Recipe & { pretraining: NonNullable<Recipe["pretraining"]> };

/** What a recipe is made of: what has a default may be left out. */
export interface RecipeInput {
  /** What to train: pretrain is self-supervised learning, finetune is speech recognition with CTC, classify a label for a clip, frames labels for every frame, speaker a vector that tells speakers apart (docs/classification.md). */
  task?: "pretrain" | "finetune" | "classify" | "frames" | "speaker" | undefined;
  /** Seed of weights, order, masks and dropout. */
  seed?: number | undefined;
  /** Optimiser steps. Default: 5000, or as many as max_epochs takes. */
  max_steps?: number | undefined;
  /** Instead of max_steps: how often training takes each clip, such as 20 or 0.5; the schedule is as long as the batches of so many epochs take. Default: none. */
  max_epochs?: number | undefined;
  /** Time limit: stop after this many minutes of training even if steps are left. Default: none. */
  max_minutes?: number | undefined;
  /** Run directory. Default: runs/ and the recipe file's name, or the task's without a file. */
  output?: string | undefined;
  data?:
    | {
        /** Corpus: a directory in LibriSpeech layout, of manifests or of folders of audio, or a manifest (docs/data.md). */
        root: string;
        /** Split to train on; several are joined with +, such as train-clean-100+train-clean-360. */
        train_split?: string | undefined;
        /** Share of the training split's clips to train on, drawn by the seed; 0.1 shows what a tenth of the labels does. */
        train_share?: number | undefined;
        /** Split to validate on and to choose the best model by; pre-training needs no transcripts. */
        eval_split?: string | undefined;
        /** Only for the tasks classify, frames and speaker: column of a manifest that holds the labels; with frames a list of segments or an RTTM file. Default: label, segments and speaker. */
        label?: string | undefined;
        /** File with the ids of utterances to leave out, one a line, such as `data check` writes. */
        exclude?: string | undefined;
        /** What becomes of clips that cannot be used (unreadable, corrupt, without text): error stops, skip leaves them out and lists them in left-out.txt. */
        on_bad_data?: "error" | "skip" | undefined;
        /** Seconds of audio in a batch, padding included; a step sees gradient_accumulation such batches. Default: 100, or no limit with batch_size. */
        batch_seconds?: number | undefined;
        /** Clips in a batch at most. Default: as many as batch_seconds allows. */
        batch_size?: number | undefined;
        /** Put clips of similar length into a batch, so that little of it is padding; false puts any together, newly drawn every epoch. */
        group_by_length?: boolean | undefined;
        /** Training leaves out utterances shorter than this. */
        min_seconds?: number | undefined;
        /** Fine-tuning leaves out utterances longer than this; pre-training cuts or divides them. */
        max_seconds?: number | undefined;
        /** Bring each clip to zero mean and unit variance. Default: as init's directory says, true without (the paper's BASE: false). */
        normalize?: boolean | undefined;
        /** Threads that decode audio ahead of training; 0 decodes between the steps. */
        workers?: number | undefined;
        /** Training plays each clip up to this share faster or slower, newly drawn every epoch; 0.1 is usual. */
        speed_perturbation?: number | undefined;
        /** Module of one's own that changes audio and transcripts, draws masks or makes batches (docs/experiments.md): a path or a file: URL. Default: none. */
        transforms?: string | undefined;
        /** Directory for what a frozen feature encoder makes of each clip: computed once, read from then on, also by later runs. Takes about 370 MB an hour of audio for BASE in float32; nothing may change the clips. Default: none. */
        feature_cache?: string | undefined;
        noise?:
          | {
              /** Directory of recordings to add to clips in training, such as MUSAN. Default: none. */
              directory?: string | undefined;
              /** Share of clips that get noise. */
              probability?: number | undefined;
              /** Lowest and highest signal-to-noise ratio in decibels; drawn evenly between. */
              snr_db?: [number, number] | undefined;
            }
          | undefined;
        reverberation?:
          | {
              /** Directory of impulse responses of rooms, to put clips into in training. Default: none. */
              directory?: string | undefined;
              /** Share of clips that are put into a room. */
              probability?: number | undefined;
            }
          | undefined;
        volume?:
          | {
              /** Lowest and highest change of the volume in training, in decibels; drawn evenly between. */
              db?: [number, number] | undefined;
            }
          | undefined;
      }
    | undefined;
  /** Published shape of the network where there is no init; model changes it. */
  preset?: "base" | "large" | "large-lv60" | "xlsr-300m" | undefined;
  /** Keys of Hugging Face's config.json: the network to train from scratch, or what differs from init's. */
  model?: Record<string, unknown> | undefined;
  /** Model directory or Hub id to start from. Default: random weights. */
  init?: string | undefined;
  /** Branch, tag or commit of a Hub model to start from. Default: main. */
  init_revision?: string | undefined;
  /** Leave the convolutions as they are, as the paper does in fine-tuning. Default: true with init, but for pretrain, else false. */
  freeze_feature_encoder?: boolean | undefined;
  /** Only for the task finetune: transcripts makes a vocabulary of the transcripts' characters and a new output layer for it, phonemes one of what stands between their spaces; model takes init's. Default: model where init has an output layer, else whichever holds all characters. */
  vocabulary?: "model" | "transcripts" | "phonemes" | undefined;
  /** Only for the tasks classify, frames and speaker: data trains a new head for the labels of the clips, model goes on with init's head. Default: model where init has a head of the task, else data. */
  labels?: "model" | "data" | undefined;
  /** Only for the task finetune: adapters trains new attention adapters (model.adapter_attn_dim), their norms and a new output layer alone, as Hugging Face's adapter script does for a new language of a multilingual model. Default: all. */
  train?: "all" | "adapters" | undefined;
  /** With train: adapters, the code of their language, such as eng: what is trained is also written into adapter.LANGUAGE.safetensors. Default: none. */
  adapter_language?: string | undefined;
  /** Not for the task pretrain, with init: train the output layer alone (and attention adapters, where there are some) for this many steps, then all that is not frozen otherwise (fairseq's freeze_finetune_updates; the paper: 10,000). Default: 0. */
  freeze_backbone_steps?: number | undefined;
  /** Not for the task pretrain, with init: leave this many of the lowest transformer layers and all below them as they are. Default: 0. */
  freeze_layers?: number | undefined;
  /** Keep only the input of each transformer layer and compute the rest again in the backward pass: less memory, about a quarter more time. */
  gradient_checkpointing?: boolean | undefined;
  /** Only for the task pretrain. */
  pretraining?:
    | {
        /** Temperature of the Gumbel softmax at the first step. */
        max_gumbel_temperature?: number | undefined;
        /** Its lowest value (the paper's LARGE: 0.1). */
        min_gumbel_temperature?: number | undefined;
        /** Factor from step to step; 0.999995 reaches 0.5 after 277,259 steps, so shorter runs want less. */
        gumbel_temperature_decay?: number | undefined;
        /** What becomes of clips of different lengths: pad adds zeros as Hugging Face does, crop cuts all clips of a batch to the shortest as fairseq does. */
        padding?: "pad" | "crop" | undefined;
      }
    | undefined;
  optimizer?:
    | {
        /** Highest learning rate (the paper pre-trains with 5e-4 and fine-tunes with 2e-5 to 3e-5). */
        learning_rate?: number | undefined;
        /** Not for the task pretrain: highest learning rate of the output layer, which starts from random weights. Default: learning_rate. */
        head_learning_rate?: number | undefined;
        /** Not for the task pretrain: factor on the learning rate from each transformer layer to the one below; the top layer has learning_rate itself, what lies below the layers one factor more. Default: 1. */
        layer_decay?: number | undefined;
        /** Decay rates of Adam's two moments. */
        betas?: [number, number] | undefined;
        /** Added to Adam's denominator. */
        eps?: number | undefined;
        /** Decoupled weight decay (AdamW). */
        weight_decay?: number | undefined;
        /** Decay biases, norms and other vectors too, as fairseq does. */
        decay_biases_and_norms?: boolean | undefined;
        /** Gradients are scaled down to this norm; 0 leaves them as they are, as fairseq and Hugging Face's pre-training do. */
        max_grad_norm?: number | undefined;
      }
    | undefined;
  schedule?:
    | {
        /** Course of the learning rate after its warm-up; linear is the paper's for pre-training, tri_stage for fine-tuning. */
        name?:
          | "linear"
          | "polynomial"
          | "cosine"
          | "cosine_with_restarts"
          | "constant"
          | "tri_stage"
          | undefined;
        /** Steps over which the learning rate rises from 0. Default: 500, or as warmup_ratio says. */
        warmup_steps?: number | undefined;
        /** Instead of warmup_steps: share of all steps over which the learning rate rises. Default: none. */
        warmup_ratio?: number | undefined;
        /** tri_stage: steps at the highest rate. Default: 40 % of max_steps. */
        hold_steps?: number | undefined;
        /** tri_stage: steps of exponential decay. Default: all that are left. */
        decay_steps?: number | undefined;
        /** tri_stage, polynomial: last learning rate as a share of the highest. Default: 0.05 and 0 (fairseq's). */
        final_scale?: number | undefined;
        /** polynomial: 1 is linear. Default: 1. */
        power?: number | undefined;
        /** cosine_with_restarts: how often it falls from the highest rate to 0. Default: 1. */
        num_cycles?: number | undefined;
      }
    | undefined;
  /** Only for the task finetune: mean divides each utterance's loss by its labels and averages; sum adds up (Hugging Face's and fairseq's loss). Default: mean. */
  ctc_loss_reduction?: "sum" | "mean" | undefined;
  /** Batches a step. Their losses count as one batch's: pre-training divides once by the masked frames of all. */
  gradient_accumulation?: number | undefined;
  /** Only for the task pretrain: how a step's batches are averaged. Default: once. every_batch divides all gradients so far after each, as Hugging Face's pre-training script does, so that earlier batches count less. */
  gradient_scaling?: "once" | "every_batch" | undefined;
  /** Steps between two lines of metrics. */
  logging_steps?: number | undefined;
  /** Steps between two validations. */
  eval_steps?: number | undefined;
  /** Steps between two checkpoints to resume from. */
  save_steps?: number | undefined;
  /** Metric of the validation that the best model is chosen by, such as cer; lower is better unless greater_is_better. Default: WER, or the loss of pre-training. */
  metric_for_best_model?: string | undefined;
  /** Whether a greater metric_for_best_model is a better one. Default: for those that end in accuracy, f1, precision or recall. */
  greater_is_better?: boolean | undefined;
  /** Stop behind this many validations in a row that were no better than the best before them, by WER, the loss of pre-training, accuracy, macro F1 of frames, the equal error rate of speakers, or by metric_for_best_model. Default: never. */
  early_stopping_patience?: number | undefined;
  /** By how much a validation must be better than the best to count for early_stopping_patience (0.001 is 0.1 % WER). Default: 0. */
  early_stopping_threshold?: number | undefined;
  /** Where the run is shown beside its directory and the terminal: a list of wandb, tensorboard, mlflow and trackio, or none. auto takes those that the environment names (WANDB_API_KEY, MLFLOW_TRACKING_URI and others: docs/tracking.md). */
  tracking?:
    | ("wandb" | "tensorboard" | "mlflow" | "trackio" | "auto")[]
    | "wandb"
    | "tensorboard"
    | "mlflow"
    | "trackio"
    | "auto"
    | "none"
    | undefined;
  /** What trackers call the run. Default: the run directory's name. */
  run_name?: string | undefined;
  /** Which model wandb and mlflow get as an artifact at the end, with the report. */
  log_model?: "none" | "final" | "best" | undefined;
  /** Steps between two histograms of all weights and gradients. Default: never. */
  histogram_steps?: number | undefined;
  /** Seconds between two looks at processors, memory, disk, network and GPUs. */
  system_seconds?: number | undefined;
  wandb?:
    | {
        /** Default: WANDB_PROJECT, or wav2vec2. */
        project?: string | undefined;
        /** User or team. Default: WANDB_ENTITY, or the key's own. */
        entity?: string | undefined;
        /** Default: WANDB_RUN_GROUP, or none. */
        group?: string | undefined;
        /** Default: WANDB_JOB_TYPE, or the recipe's task. */
        job_type?: string | undefined;
        /** Default: those of WANDB_TAGS, with commas between. */
        tags?: string[] | undefined;
        /** Default: WANDB_NOTES, or none. */
        notes?: string | undefined;
        /** What becomes of the steps behind the checkpoint that a run goes on from: append keeps them beside those that are done anew (train/global_step tells them apart), rewind removes them. */
        resume?: "append" | "rewind" | undefined;
      }
    | undefined;
  mlflow?:
    | {
        /** Default: MLFLOW_EXPERIMENT_NAME, or wav2vec2. */
        experiment?: string | undefined;
      }
    | undefined;
  distributed?:
    | {
        /** Seconds that an exchange between processes waits for one that does not answer, before the run ends with its name. */
        timeout?: number | undefined;
        /** What gradients are sent as: bfloat16 halves the bytes and rounds them and their sums. */
        gradient_compression?: "none" | "bfloat16" | undefined;
        /** What is divided among the processes instead of being in each: 1, the optimiser's moments (ZeRO, docs/data-parallel.md); 0, nothing. The losses are the same to the bit. */
        zero_stage?: 0 | 1 | undefined;
      }
    | undefined;
  /** How many of the newest checkpoints to keep. */
  keep_checkpoints?: number | undefined;
  /** CPU threads. Default: libtorch's choice, one a core. */
  threads?: number | undefined;
  /** Where the network computes: cpu, cuda (NVIDIA), cuda:N (the GPU of that number), mps (Apple), or auto, which takes an NVIDIA GPU where libtorch finds one. It may change when a run goes on. */
  device?: string | undefined;
  /** Number format of the forward pass; weights stay in float32. auto takes bfloat16 where that is measured to be faster, and float32 elsewhere (docs/devices.md). float16 scales the loss so that small gradients do not vanish. */
  precision?: "auto" | "float32" | "bfloat16" | "float16" | undefined;
}
