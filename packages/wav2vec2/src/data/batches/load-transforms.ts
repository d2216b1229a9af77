import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isObject, type Kind, PATH, requireArguments } from "../../argument-kinds.js";
import { describeType } from "../../describe-type.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";
import { Random } from "../random.js";
import {
  type CollatedBatch,
  type CollatedBy,
  HOOKS,
  type HookName,
  requireHooks,
  type TransformContext,
  type TransformHooks,
  type Transforms,
} from "./transforms.js";

const PATH_OR_URL: Kind = {
  ...PATH,
  must: "a path or a file: URL",
  holds: (value) => value instanceof URL || PATH.holds(value),
};

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
  requireArguments("loadTransforms", { file: [file, PATH_OR_URL] });
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

/** Gives the transcript of a clip as it is in an epoch. */
export type TextOf = (clip: { id: string; text: string }, epoch: number) => string;

/**
 * What a transform makes of transcripts; what they are where there is none.
 *
 * @returns throws UserError naming the utterance where it fails or gives no text
 */
export async function textTransform(
  transforms: Transforms | undefined,
  { seed, training }: { seed: number; training: boolean },
): Promise<TextOf> {
  const hooks = transforms ? await hooksOf(transforms) : {};
  return ({ id, text }, epoch) => {
    if (!transforms || !hooks.text) return text;
    const random = new Random(seed, "text transform", epoch, id);
    return transformText(text, hooks, transforms, { id, epoch, training, random });
  };
}

function transformText(
  text: string,
  hooks: TransformHooks,
  transforms: Transforms,
  context: TransformContext,
): string {
  const at = `for utterance ${context.id} in epoch ${context.epoch}`;
  let changed: unknown;
  try {
    changed = hooks.text?.(text, context);
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
  if (isList && lengths instanceof Int32Array && lengths.length === ids.length) {
    requireCopyable(batch as object, "the batch");
    return batch as CollatedBatch;
  }
  throw new UserError(
    "it must return { ids, lengths, … } with a string and a number of samples (Int32Array) for each clip, but did not",
  );
}

const COPYABLE = [ArrayBuffer, SharedArrayBuffer, Map, Set, Date, RegExp, Error] as const;

/** @throws UserError naming what reaches no other thread, such as a function or a tensor */
function requireCopyable(value: unknown, name: string): void {
  const isPlain =
    isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object);
  if (isPlain || Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner !== "number" && typeof inner !== "string") requireCopyable(inner, `${key} of ${name}`);
    }
    return;
  }
  const isObjectOfOthers =
    isObject(value) && !ArrayBuffer.isView(value) && !COPYABLE.some((kind) => value instanceof kind);
  if (!isObjectOfOthers && typeof value !== "function" && typeof value !== "symbol") return;
  throw new UserError(
    `it must return plain values and typed arrays, which reach another thread, but ${name} is ${describeType(value)}`,
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
