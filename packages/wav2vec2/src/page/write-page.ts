import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { BOOLEAN, FINITE, FUNCTION, PATH, requireArguments, TEXT, TEXTS } from "../argument-kinds.js";
import { UserError } from "../errors.js";
import type { ExportOptions } from "../export/export-onnx.js";
import { exportedDtypes } from "../export/onnx/exported-dtypes.js";
import { writeDirectoryAtomic } from "../files/atomic/atomic-directory.js";
import { unwritable } from "../files/atomic/atomic-file.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { type PageFile, type PageModel, pageFiles } from "./page-files.js";

export interface PageOptions extends Pick<ExportOptions, "revision" | "onDownload" | "signal"> {
  /** Of multilingual models. */
  language?: string | undefined;
  /** In which numbers the networks are: `float32`, `float16`, `int8`, `q8` or `q4`. Default: float32, or what was exported before */
  dtype?: string | undefined;
  /** A language model for all models: ARPA, gzipped or not, or a compiled one. */
  languageModel?: string | undefined;
  lmWeight?: number | undefined;
  wordScore?: number | undefined;
  /** Whether the engine for GPUs is among the files, 27 MB. Default: if a model is of 100 MB or more */
  webgpu?: boolean | undefined;
  /** Gets what is being done, for example `exporting NAME`. */
  onStep?: ((text: string) => void) | undefined;
}

const OPTIONS = {
  revision: TEXT,
  onDownload: FUNCTION,
  signal: true,
  language: TEXT,
  dtype: TEXT,
  languageModel: PATH,
  lmWeight: FINITE,
  wordScore: FINITE,
  webgpu: BOOLEAN,
  onStep: true,
} satisfies KnownOptions<PageOptions>;

/** A page that was written. */
export interface WrittenPage {
  models: string[];
  /** Bytes of the page's own files, of onnxruntime's and of the models'. */
  bytes: { page: number; engine: number; models: number };
}

/** Directories within a run, whose own names say nothing. */
const UNTOLD = ["best", "final", "onnx"];

/**
 * Writes a static site that recognises speech in the browser, for any web server: complete, or as it was before.
 *
 * @param models directories or Hub ids, each exported first, or what `export` wrote
 * @throws UserError where a model cannot be exported or read, or `directory` holds other files
 */
export async function writePage(
  models: readonly string[],
  directory: string,
  options: PageOptions = {},
): Promise<WrittenPage> {
  requireArguments("writePage", { models: [models, TEXTS], directory: [directory, PATH] });
  requireOptions("writePage", options, OPTIONS);
  if (models.length === 0) throw new UserError("A page must have a model, but none is named. Name one.");
  const { webgpu, signal, dtype, languageModel, lmWeight, wordScore } = options;
  const exports = await mkdtemp(join(tmpdir(), "wav2vec2-page-"));
  try {
    const names = namesOf(models);
    const ready: PageModel[] = [];
    for (const [i, model] of models.entries()) {
      signal?.throwIfAborted();
      const exported = await exportedModel(model, names[i]!, join(exports, String(i)), options);
      ready.push({ name: names[i]!, directory: exported, dtype, languageModel, lmWeight, wordScore });
    }
    const files = await pageFiles(ready, { webgpu });
    await requirePage(directory, files);
    await writeDirectoryAtomic(directory, (temporary) => copyAll(files, temporary, signal));
    return { models: names, bytes: await sizes(files) };
  } finally {
    await rm(exports, { recursive: true, force: true });
  }
}

/** The model as it is, where it was exported before. */
async function exportedModel(
  model: string,
  name: string,
  directory: string,
  { language, revision, dtype, onDownload, signal, onStep }: PageOptions,
): Promise<string> {
  if (exportedDtypes(model).length > 0) return model;
  onStep?.(`exporting ${name}`);
  const { exportOnnx } = await import("../export/export-onnx.js");
  await exportOnnx(model, directory, { longest: 20, dtype, language, revision, onDownload, signal });
  return directory;
}

/** What the page calls the models: the last of each path that says something, with a number where two are alike. */
function namesOf(models: readonly string[]): string[] {
  const taken = new Map<string, number>();
  return models.map((model) => {
    const path = existsSync(model) ? resolve(model) : model;
    const name = basename(UNTOLD.includes(basename(path)) ? dirname(path) : path) || "model";
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? name : `${name} ${count}`;
  });
}

/** @throws UserError where a directory holds what no page has, and would be lost */
async function requirePage(directory: string, files: readonly PageFile[]): Promise<void> {
  const there = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw unwritable(directory, error);
  });
  const own = new Set(files.map(({ path }) => path.split("/")[0]!));
  const others = there.filter((name) => !own.has(name));
  if (others.length === 0) return;
  throw new UserError(
    `${directory} must be a new directory or that of a page, but holds other files, which would be lost: ` +
      `${others.slice(0, 5).join(", ")}${others.length > 5 ? ", …" : ""}. Give another directory.`,
  );
}

async function copyAll(
  files: readonly PageFile[],
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { path, source } of files) {
    signal?.throwIfAborted();
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    if ("text" in source) await writeFile(target, source.text, { flush: true });
    else await copyFile(source.file, target);
  }
}

async function sizes(files: readonly PageFile[]): Promise<WrittenPage["bytes"]> {
  const bytes = { page: 0, engine: 0, models: 0 };
  for (const { path, source } of files) {
    const kind = path.startsWith("ort/") ? "engine" : path.startsWith("models/") ? "models" : "page";
    bytes[kind] += "text" in source ? source.text.length : (await stat(source.file)).size;
  }
  return bytes;
}
