import { nearest } from "@wav2vec2/libtorch/nearest";
import { isObject, type Kind, OBJECT, requireArguments } from "../../argument-kinds.js";
import { ConfigurationError } from "../../errors.js";
import type { SpanSampler } from "../../model/span-mask.js";
import type { Random } from "../random.js";
import type { CtcBatch } from "./ctc-collator.js";
import type { ClipJob } from "./prepare-batch.js";
import type { PreTrainingBatch } from "./pretraining-collator.js";

/** Which clip is transformed, and when. */
export interface TransformContext {
  /** The utterance's id. */
  id: string;
  /** 0 is the first; it is 0 in validation. */
  epoch: number;
  /** Whether it is to train on. */
  training: boolean;
  /** Of this clip in this epoch alone: the result depends on no thread and no other clip. */
  random: Random;
}

/** A clip as a collator gets it. */
export interface TransformedClip {
  id: string;
  /** [samples] at 16 kHz, changed and normalised */
  samples: Float32Array;
  /** [labels]; empty where there are none */
  labels: Int32Array;
  /** What else is known of it, as it stands in the batch's job. */
  clip: ClipJob;
}

/** What a collator gets besides its clips. */
export interface CollateContext<Base = CtcBatch | PreTrainingBatch> {
  epoch: number;
  training: boolean;
  /** Of this batch in this epoch alone. */
  random: Random;
  /** The project's own collator for the task, to add to what it makes. */
  collate(clips: readonly TransformedClip[]): Base;
}

/** The least that a collator of one's own must make: plain values and typed arrays, which reach another thread. */
export interface CollatedBatch {
  ids: readonly string[];
  /** [batch], the clips' lengths in samples. */
  lengths: Int32Array;
}

/** What a module of transforms exports, by name or as one default export; each may be left out. */
export interface TransformHooks {
  /** Changes the samples of a clip to train on, [samples] at 16 kHz before they are normalised. Runs in worker threads. */
  audio?(samples: Float32Array, context: TransformContext): Float32Array | Promise<Float32Array>;
  /** Changes a transcript, before labels and a vocabulary are made of it; also those of validation. */
  text?(text: string, context: TransformContext): string;
  /** Draws the frames that are masked: in worker threads for pre-training, in the network for fine-tuning. */
  sampleMask?: SpanSampler;
  /** Makes a batch of clips. Runs in worker threads. */
  collate?(
    clips: readonly TransformedClip[],
    context: CollateContext,
  ): CollatedBatch | Promise<CollatedBatch>;
}

export type HookName = keyof TransformHooks;

export const HOOKS: readonly HookName[] = ["audio", "text", "sampleMask", "collate"];

/** The batch that the collator of such a module makes; undefined where it has none. */
export type CollatedBy<Module> = Module extends { default: infer Inner }
  ? CollatedBy<Inner>
  : Module extends { collate(...given: never): infer Made }
    ? Awaited<Made>
    : undefined;

/**
 * A module of transforms, as threads and recipes know it.
 *
 * @template Own the batch that its collator makes
 */
export interface Transforms<Own = unknown> {
  /** `file:` URL */
  module: string;
  /** Of the file alone, not of what it imports. */
  sha256: string;
  /** Which of the hooks it has. */
  hooks: readonly HookName[];
  /** Never there: it carries the type. */
  readonly batch?: Own;
}

/** Of an option. */
export const TRANSFORMS: Kind = {
  must: "what loadTransforms gives",
  holds: (value) => isObject(value) && typeof value.module === "string" && Array.isArray(value.hooks),
  advice: (value) =>
    typeof value === "string" ? `Load it: await loadTransforms(${JSON.stringify(value)}).` : undefined,
};

/** Types and checks the hooks of a module of transforms: `export default defineTransforms({ audio(samples) { … } })`. */
export function defineTransforms<Hooks extends TransformHooks>(hooks: Hooks): Hooks {
  requireArguments("defineTransforms", { hooks: [hooks, OBJECT] });
  requireHooks(hooks, "defineTransforms");
  return hooks;
}

/** @throws ConfigurationError where a module or object has no transforms, or something else */
export function requireHooks(hooks: object, name: string): asserts hooks is TransformHooks {
  for (const [key, value] of Object.entries(hooks)) {
    if (!HOOKS.some((hook) => hook === key)) {
      const guess = nearest(key, HOOKS);
      throw new ConfigurationError(
        `${name} must export transforms (${HOOKS.join(", ")}) alone, but exports '${key}'. ` +
          (guess ? `Did you mean '${guess}'?` : "Put helpers into another file."),
      );
    }
    if (value !== undefined && typeof value !== "function")
      throw new ConfigurationError(`${key} of ${name} must be a function, but is ${typeof value}.`);
  }
  if (HOOKS.some((hook) => Object.hasOwn(hooks, hook))) return;
  throw new ConfigurationError(`${name} must export a transform (${HOOKS.join(", ")}), but exports none.`);
}
