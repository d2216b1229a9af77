import type { nn, optim, Tensor } from "@wav2vec2/libtorch";
import type { BatchPosition } from "../../data/batches/batches.js";
import type { EmptyBatch } from "../../data/batches/load-batches.js";
import type { Recipe } from "../recipe/recipe.js";

/** What the loop needs to know of one batch. */
export interface TrainingBatch {
  /** Utterance ids, for messages. */
  ids: readonly string[];
  /** Samples of audio at 16 kHz, without padding. */
  lengths: Int32Array;
  /** Where it stands in the plan of all batches. */
  place: BatchPosition;
  /** Where what comes behind it stands. */
  next: BatchPosition;
}

/** A batch's share of an update. */
export interface BatchLoss {
  /** A sum over `count` parts, such as masked frames; an update divides once by the parts of all its batches. */
  loss: Tensor;
  count: number;
  /** What else to add up for {@link Task.metrics}, scalars; the same names for each batch. */
  sums?: Readonly<Record<string, Tensor | number>>;
}

/** What a validation found. */
export interface Validation {
  metrics: Record<string, number>;
  /** What the best model is chosen by: lower is better, infinite is never the best. {@link Task.criterion} goes before it. */
  criterion?: number;
}

/** Where training stands when a hook before or after a step is called. */
export interface StepContext {
  /** Updates that are done: 0 before the first step, 1 after it. Hugging Face: `state.global_step` */
  step: number;
  /** Of the batch that comes next, from 0. */
  epoch: number;
  module: nn.Module;
  optimizer: optim.Optimizer;
  /** This process among those that train together; rank 0 writes. */
  rank: number;
  size: number;
  /** Adds metrics of one's own to those that the run logs at this step; in rank 0 alone they are kept. */
  log(metrics: Readonly<Record<string, number>>): void;
  /** A remark for people, in the log and on the terminal. */
  note(text: string): void;
  /** Ends training behind this step, or with several processes behind the next one, as if all steps were done. */
  stop(reason: string): void;
}

/**
 * What is trained, and how: what differs between kinds of training. `finetune` and `pretrain` have theirs, which their
 * option `task` may change; `trainTask` takes one of one's own. What is optional has a default that the recipe describes.
 */
export interface Task<Batch extends TrainingBatch = TrainingBatch> {
  module: nn.Module;
  /** Tells the clips to train on from others: in a position, the batches of others are meant. */
  data: string;
  /** Endless batches from `position`, in an order that only the seed decides; each is valid until the next. */
  batches(position: BatchPosition): AsyncIterator<Batch | EmptyBatch>;
  /** The optimiser of what is trained. Default: AdamW by the recipe's `optimizer` */
  optimizer?(groups: optim.ParameterGroup[], recipe: Recipe): optim.Optimizer;
  /** The highest learning rate of an update (0 is the first). Default: by the recipe's `schedule` */
  learningRate?(step: number): number;
  /** Sets what depends on the step (0 is the first), such as temperatures; the same in all processes. */
  anneal?(step: number): void;
  /** Parameters that have no gradient in the update that comes, in any process, such as those of dropped layers. */
  idle?(): Iterable<Tensor>;
  /** Called before the batches of an update, in all processes. */
  beforeStep?(context: StepContext): void | Promise<void>;
  /** Called inside a scope. */
  loss(batch: Batch): BatchLoss;
  /** Called when an update's gradients are summed, divided and clipped, before the optimiser takes them; in all processes. */
  beforeUpdate?(context: StepContext): void | Promise<void>;
  /** Called behind an update, when the weights are new and before anything is logged, validated or saved; in all processes. */
  afterStep?(context: StepContext): void | Promise<void>;
  /** Metrics from the sums over all batches since they were last logged, the loss and its parts (`count`) among them. */
  metrics(sums: Readonly<Record<string, number>>): Record<string, number>;
  /**
   * Validates: metrics, and what the best model is chosen by.
   *
   * @throws the signal's reason where it is aborted meanwhile
   * @throws Interrupted where another process is asked to stop
   */
  evaluate(step: number, signal: AbortSignal): Promise<Validation>;
  /**
   * What the best model is chosen by instead of `evaluate`'s criterion: the name of a metric, or a function of the metrics.
   * Hugging Face: `metric_for_best_model`
   */
  criterion?: string | ((metrics: Readonly<Record<string, number>>) => number);
  /** Whether a greater criterion is a better one. Default: for metrics that end in accuracy, f1, precision or recall */
  greaterIsBetter?: boolean;
  /** Writes the model where people look for it; called in one process. */
  save(kind: "best" | "final"): Promise<void>;
  /** What else a checkpoint holds, such as that of a schedule: values of JSON. */
  state?(): unknown;
  /** Goes on from such a state, in all processes. It is what `JSON.parse` gives, so it has the same type. */
  // biome-ignore lint/suspicious/noExplicitAny: only the task knows what its `state` returned
  loadState?(state: any): void;
}
