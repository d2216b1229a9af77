import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, sep } from "node:path";
import { BOOLEAN, isObject, listOf, PATH, requireArguments } from "../argument-kinds.js";
import { UserError } from "../errors.js";
import { type Dtype, networkFile } from "../export/onnx/dtypes.js";
import { exportedDtype } from "../export/onnx/exported-dtypes.js";
import { quantizationOf } from "../export/onnx/number-format.js";
import { TRANSFORMERS_FILES } from "../files/hub/model-files.js";
import { unreadable } from "../files/unreadable.js";
import type { PageFile } from "../http/page-file.js";
import { type KnownOptions, requireOptions } from "../known-options.js";

export type { PageFile } from "../http/page-file.js";

/** A model that a page offers. */
export interface PageModel {
  /** As the page calls it. */
  name: string;
  /** Where `export` wrote it. */
  directory: string;
  /** Which of the networks there: `float32`, `float16`, `int8`, `q8` or `q4`. Default: float32, else what there is */
  dtype?: string | undefined;
  /** A language model for it: ARPA, gzipped or not, or a compiled one. */
  languageModel?: string | undefined;
  lmWeight?: number | undefined;
  wordScore?: number | undefined;
}

/** Headers that let a page run in several threads; without them its own service worker adds them from the second visit on. */
export const PAGE_HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
} as const;

/** Bytes of a network from which the page takes the GPU by itself. */
const LARGE = 100e6;
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
const WASM = ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"];
const WEBGPU = ["ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm"];
export interface PageFilesOptions {
  /** Whether the engine for GPUs is among them, 27 MB. Default: if a model is of 100 MB or more */
  webgpu?: boolean | undefined;
}

const OPTIONS = { webgpu: BOOLEAN } satisfies KnownOptions<PageFilesOptions>;
const MODELS = listOf(
  "models { name, directory }",
  (each) => isObject(each) && typeof each.name === "string" && PATH.holds(each.directory),
);

/**
 * The files of a page that recognises speech by some models in the browser: its own, onnxruntime's and the models'.
 *
 * @throws UserError where onnxruntime-web is not installed, the page is not built or a model is not there
 */
export async function pageFiles(
  models: readonly PageModel[],
  options: PageFilesOptions = {},
): Promise<PageFile[]> {
  requireArguments("pageFiles", { models: [models, MODELS] });
  requireOptions("pageFiles", options, OPTIONS);
  const { webgpu } = options;
  const listed = await Promise.all(models.map(modelFiles));
  const withGpu = webgpu ?? listed.some(({ entry }) => entry.runsOnGpu && entry.bytes >= LARGE);
  const site = { models: listed.map(({ entry }) => entry), webgpu: withGpu };
  const list: PageFile = {
    path: "models.json",
    type: TYPES[".json"]!,
    source: { text: `${JSON.stringify(site, null, 2)}\n` },
    isLasting: false,
  };
  const engine = engineDirectory();
  const names = withGpu ? [...WASM, ...WEBGPU] : WASM;
  return [
    ...(await ownFiles()),
    list,
    ...names.map((name) => fileAt(`ort/${name}`, join(engine, name))),
    ...listed.flatMap(({ files }) => files),
  ];
}

/** The page's own, as they were built. */
async function ownFiles(): Promise<PageFile[]> {
  const studio = createRequire(import.meta.url).resolve("@wav2vec2/studio/package.json");
  const directory = join(dirname(studio), "dist-speech");
  const names = await readdir(directory, { recursive: true, withFileTypes: true }).catch((cause) => {
    throw new UserError(`${directory} must hold the page, but is missing. Build it: npm run build.`, {
      cause,
    });
  });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = file.slice(directory.length + 1).replaceAll(sep, "/");
      return { ...fileAt(path, file), isLasting: path.startsWith("assets/") };
    });
}

function engineDirectory(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
  } catch (cause) {
    throw new UserError(
      "onnxruntime-web must be installed for a page, but is not. Run: npm install onnxruntime-web.",
      { cause },
    );
  }
}

interface ListedModel {
  entry: {
    name: string;
    directory: string;
    bytes: number;
    dtype: Dtype;
    runsOnGpu: boolean;
    languageModel?: { file: string; lmWeight?: number | undefined; wordScore?: number | undefined };
  };
  files: PageFile[];
}

async function modelFiles(model: PageModel): Promise<ListedModel> {
  const { name, directory, languageModel, lmWeight, wordScore } = model;
  const dtype = exportedDtype(directory, model.dtype);
  const network = networkFile(dtype);
  const there: string[] = [];
  let bytes = 0;
  for (const file of [...TRANSFORMERS_FILES, network, `${network}_data`]) {
    const status = await stat(join(directory, file)).catch(() => undefined);
    if (status?.isFile()) there.push(file);
    if (file.startsWith("onnx/")) bytes += status?.size ?? 0;
  }
  if (!there.includes("config.json"))
    throw new UserError(
      `${directory} must be a model that 'wav2vec2 export' wrote, but has no config.json. Export it again.`,
      { code: "ERR_MODEL_NOT_FOUND" },
    );
  const paths = there.map((file) => join(directory, file));
  const own = languageModel === undefined ? [] : [languageModel];
  // A name of its own for what it holds: browsers and the page's service worker keep it for good.
  const place = `models/${addressable(name)}-${await digestOf([...paths, ...own])}/`;
  const files = there.map((file, i) => ({ ...fileAt(place + file, paths[i]!), isLasting: true }));
  const entry: ListedModel["entry"] = {
    name,
    directory: place,
    bytes,
    dtype,
    runsOnGpu: quantizationOf(dtype) !== "int8",
  };
  if (languageModel !== undefined) {
    const file = `${place}${addressable(basename(languageModel))}`;
    files.push({ ...fileAt(file, languageModel), isLasting: true });
    entry.languageModel = { file, lmWeight, wordScore };
  }
  return { entry, files };
}

function addressable(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, "-") || "model";
}

async function digestOf(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    try {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
    } catch (error) {
      throw unreadable(path, "a readable file", error);
    }
  }
  return hash.digest("hex").slice(0, 12);
}

function fileAt(path: string, file: string): PageFile {
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  return { path, type, source: { file }, isLasting: false };
}
