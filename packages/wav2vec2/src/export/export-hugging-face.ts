import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  loadTensors,
  type Dtype as NumberType,
  noGrad,
  saveTensors,
  scope,
  type Tensor,
  tensor,
} from "@wav2vec2/libtorch";
import { PATH, requireArguments, TEXT } from "../argument-kinds.js";
import { SAMPLE_RATE } from "../audio/audio-file.js";
import { normalize } from "../audio/normalize.js";
import { Random } from "../data/random.js";
import { ConfigurationError, UserError } from "../errors.js";
import { writeDirectoryAtomic } from "../files/atomic/atomic-directory.js";
import { fullDiskReason, unwritable, writeFileAtomic } from "../files/atomic/atomic-file.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import {
  type CtcModel,
  type LoadCtcOptions,
  loadCtcModel,
  saveCtcModel,
} from "../pretrained/ctc-directory.js";
import { CTC_MODEL_OR_NAME } from "../pretrained/ctc-model-kind.js";
import { HUB_OPTIONS, refuseOtherFiles } from "../pretrained/model-directory.js";
import { type Dtype, dtypeNamed } from "./onnx/dtypes.js";
import { largestDifference } from "./onnx/verify.js";

export interface HuggingFaceExportOptions
  extends Pick<LoadCtcOptions, "language" | "revision" | "onNote" | "onDownload"> {
  /** Of the weights: `float32` or `float16`. Default: float32 */
  dtype?: string | undefined;
  signal?: AbortSignal | undefined;
}

const WEIGHTS = "model.safetensors";
const FLOATS: readonly NumberType[] = ["float64", "float32", "bfloat16"];
const LARGEST_HALF = 65504;

const OPTIONS = {
  ...HUB_OPTIONS,
  language: TEXT,
  dtype: TEXT,
} satisfies KnownOptions<HuggingFaceExportOptions>;

/** A directory that was written. */
export interface HuggingFaceExport {
  dtype: Dtype;
  /** Of `model.safetensors`. */
  bytes: number;
  /** The largest difference of a logit, between the model and what its directory gives when it is loaded again: of noise, 3 s. */
  difference: number;
}

/**
 * Writes a recogniser as a directory that Hugging Face transformers reads (`config.json`, `model.safetensors`, the tokenizer's
 * files), from any that is read here: PyTorch's files, fairseq's names, the Hub. With float16, half as large.
 *
 * It is loaded again before it is put in its place: each weight must be the model's, rounded to `dtype`.
 *
 * @param model a directory, a Hub id or a model in memory
 * @throws UserError where the model is no recogniser, a weight is too large for float16 or comes back as another; the directory
 * is then as it was
 * @throws ConfigurationError where the directory is the model's own
 */
export async function exportHuggingFace(
  model: string | CtcModel,
  directory: string,
  options: HuggingFaceExportOptions = {},
): Promise<HuggingFaceExport> {
  requireArguments("exportHuggingFace", { model: [model, CTC_MODEL_OR_NAME], directory: [directory, PATH] });
  requireOptions("exportHuggingFace", options, OPTIONS);
  const { language, dtype: wanted = "float32", ...hub } = options;
  const dtype = dtypeNamed(wanted);
  if (dtype !== "float32" && dtype !== "float16")
    throw new ConfigurationError(
      `dtype of a Hugging Face directory must be float32 or float16, but is ${dtype}. Export it as ONNX instead.`,
    );
  if (typeof model === "string") await refuseSame(model, directory);
  const ctc = typeof model === "string" ? await loadCtcModel(model, { language, ...hub }) : model;
  ctc.model.eval();
  let written: HuggingFaceExport | undefined;
  await writeDirectoryAtomic(directory, async (temporary) => {
    hub.signal?.throwIfAborted();
    await saveCtcModel(temporary, ctc, { language });
    if (dtype === "float16") await halve(temporary);
    const again = await loadCtcModel(temporary, { language });
    requireSame(ctc.model.stateDict(), again.model.stateDict(), dtype);
    const difference = largestDifference(logits(ctc), logits(again));
    written = { dtype, bytes: (await stat(join(temporary, WEIGHTS))).size, difference };
    await refuseOtherFiles(directory, await readdir(temporary));
  }).catch((error: unknown) => {
    throw fullDiskReason(error) === undefined || error instanceof UserError
      ? error
      : unwritable(directory, error);
  });
  return written!;
}

/** @throws ConfigurationError where a model would be written over itself */
async function refuseSame(model: string, directory: string): Promise<void> {
  const [from, to] = await Promise.all(
    [model, directory].map((path) => realpath(path).catch(() => undefined)),
  );
  if (from !== undefined && from === to)
    throw new ConfigurationError(
      `The directory to write must be another than the model's, but both are ${directory}, whose weights would be replaced. Give another.`,
    );
}

/** Writes the weights of a directory anew, in half precision, and says so in its configuration. */
async function halve(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".safetensors"));
  for (const path of names.map((name) => join(directory, name))) {
    const { tensors, metadata } = await loadTensors(path);
    const halves = Array.from(tensors, ([key, values]): [string, Tensor] => [key, inHalf(key, values)]);
    await saveTensors(path, halves, { ...metadata });
  }
  const path = join(directory, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFileAtomic(path, `${JSON.stringify({ ...config, torch_dtype: "float16" }, null, 2)}\n`);
}

/** @throws UserError where a number is too large, which would become infinite */
function inHalf(key: string, values: Tensor): Tensor {
  if (!FLOATS.includes(values.dtype)) return values;
  const halves = values.to({ dtype: "float16" });
  const largest = values.abs().amax().item();
  if (largest <= LARGEST_HALF) return halves;
  throw new UserError(
    `Weights must be at most ${LARGEST_HALF} in float16, but ${key} has one of ${largest}. Nothing is written. Take float32.`,
  );
}

/** @throws UserError for the first weight that came back as another */
function requireSame(
  model: ReadonlyMap<string, Tensor>,
  again: ReadonlyMap<string, Tensor>,
  dtype: Dtype,
): void {
  for (const [key, values] of model) {
    const expected = dtype === "float16" && FLOATS.includes(values.dtype) ? inHalf(key, values) : values;
    const there = again.get(key);
    if (there !== undefined && expected.to({ dtype: "float32" }).equal(there.to({ dtype: "float32" })))
      continue;
    throw new UserError(
      `${key} must come back as it was written, but ${there === undefined ? "is missing" : "differs"}. Nothing is written. Report this ` +
        "with the model's config.json.",
    );
  }
}

/** [frames * vocabulary] of a made-up clip. */
function logits({ model, normalize: normalizes }: CtcModel): Float32Array {
  const random = new Random(1, "export");
  const noise = Float32Array.from({ length: 3 * SAMPLE_RATE }, () => random.uniform() - 0.5);
  const samples = normalizes ? normalize(noise) : noise;
  return noGrad(() =>
    scope(() =>
      model
        .forward({ input: tensor(samples, [1, samples.length]), lengths: [samples.length] })
        .logits.toFloat32Array(),
    ),
  );
}
