import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ConfigurationError, UserError } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";
import type { SpanSampler } from "../../model/span-mask.js";
import { nearest } from "../../nearest.js";
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

type HookName = keyof TransformHooks;

const HOOKS: readonly HookName[] = ["audio", "text", "sampleMask", "collate"];

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

/** Types and checks the hooks of a module of transforms: `export default defineTransforms({ audio(samples) { … } })`. */
export function defineTransforms<Hooks extends TransformHooks>(hooks: Hooks): Hooks {
  requireHooks(hooks, "defineTransforms");
  return hooks;
}

/**
 * Finds a module of transforms and looks at what it exports. Threads import it again.
 *
 * @template Module `typeof import("./my-transforms.js")`, for the type of batches that its collator makes
 * @param file a path, relative to the working directory, or a `file:` URL
 * @throws UserError where the file cannot be read or imported
 * @throws ConfigurationError where it exports no hook, or something else
 */
export async function loadTransforms<Module = unknown>(
  file: string | URL,
): Promise<Transforms<CollatedBy<Module>>> {
  const url = urlOf(file);
  const name = fileURLToPath(url);
  const sha256 = await hashOf(name);
  const hooks = await importHooks(url.href);
  return { module: url.href, sha256, hooks: HOOKS.filter((hook) => hooks[hook] !== undefined) };
}

/** The modules that this thread has imported. */
const imported = new Map<string, Promise<TransformHooks>>();

/**
 * The hooks of a module of transforms in this thread.
 *
 * @throws UserError where the file has changed since it was looked at
 */
export function hooksOf({ module, sha256 }: Transforms): Promise<TransformHooks> {
  const known = imported.get(`${module} ${sha256}`);
  if (known) return known;
  const hooks = (async () => {
    const name = fileURLToPath(module);
    if ((await hashOf(name)) === sha256) return await importHooks(module);
    throw new UserError(`${name} must stay as it is while a run goes on, but has changed. Start again.`);
  })();
  imported.set(`${module} ${sha256}`, hooks);
  return hooks;
}

/** A sentence that tells which transform failed where. */
export function transformFault(hook: HookName, { module }: Transforms, at: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `The ${hook} transform of ${fileURLToPath(module)} failed ${at}: ${reason.replace(/\.$/, "")}.`;
}

/**
 * The transcript as a transform makes it.
 *
 * @throws UserError naming the utterance where it fails or gives no text
 */
export function transformText(
  text: string,
  hooks: TransformHooks,
  transforms: Transforms,
  context: TransformContext,
): string {
  if (!hooks.text) return text;
  const at = `for utterance ${context.id} in epoch ${context.epoch}`;
  let changed: unknown;
  try {
    changed = hooks.text(text, context);
  } catch (error) {
    throw new UserError(transformFault("text", transforms, at, error), { cause: error });
  }
  if (typeof changed === "string") return changed;
  throw new UserError(
    transformFault("text", transforms, at, `it must return a string, but returned ${typeof changed}`),
  );
}

/** @throws UserError where a transform gives no samples, or some that are no finite numbers */
export function requireSamples(samples: unknown): Float32Array {
  if (!(samples instanceof Float32Array))
    throw new UserError(
      `it must return a Float32Array, but returned ${samples === null ? "null" : typeof samples}`,
    );
  if (samples.length === 0) throw new UserError("it must return samples, but returned none");
  const bad = samples.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return samples;
  throw new UserError(`it must return finite samples, but sample ${bad} is ${samples[bad]}`);
}

/** @throws UserError where a collator makes no batch of these clips */
export function requireCollated(batch: unknown): CollatedBatch {
  const { ids, lengths } = (
    typeof batch === "object" && batch !== null ? batch : {}
  ) as Partial<CollatedBatch>;
  const isList = Array.isArray(ids) && ids.length > 0 && ids.every((id) => typeof id === "string");
  if (isList && lengths instanceof Int32Array && lengths.length === ids.length) return batch as CollatedBatch;
  throw new UserError(
    "it must return { ids, lengths, … } with a string and a number of samples (Int32Array) for each clip, but did not",
  );
}

function urlOf(file: string | URL): URL {
  const url = file instanceof URL || file.startsWith("file:") ? new URL(file) : pathToFileURL(resolve(file));
  if (url.protocol === "file:") return url;
  throw new ConfigurationError(`Transforms must be a file, but are ${url.href}. Give a path or a file: URL.`);
}

async function hashOf(path: string): Promise<string> {
  try {
    return createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  } catch (error) {
    throw unreadable(path, "a module of transforms that can be read", error);
  }
}

async function importHooks(url: string): Promise<TransformHooks> {
  const name = fileURLToPath(url);
  let module: Record<string, unknown>;
  try {
    module = (await import(url)) as Record<string, unknown>;
  } catch (error) {
    throw new UserError(
      `${name} must be a module of transforms, but cannot be imported: ${(error as Error).message}.`,
      { cause: error },
    );
  }
  const { default: whole, ...named } = module;
  const hooks = typeof whole === "object" && whole !== null ? { ...whole } : named;
  requireHooks(hooks, name);
  return hooks;
}

function requireHooks(hooks: object, name: string): asserts hooks is TransformHooks {
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
