import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { PATH, PATHS, POSITIVE, requireArguments, TEXT } from "../argument-kinds.js";
import { readAudio, SAMPLE_RATE } from "../audio/audio-file.js";
import { UserError } from "../errors.js";
import { writeDirectoryAtomic } from "../files/atomic-directory.js";
import { writeFileAtomic } from "../files/atomic-file.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { writeConfig } from "../model/configuration-file.js";
import { minimumSamples } from "../model/lengths.js";
import { type CtcModel, type LoadCtcOptions, loadCtcModel } from "../pretrained/ctc-directory.js";
import { CTC_MODEL_OR_NAME } from "../pretrained/ctc-model-kind.js";
import { HUB_OPTIONS, refuseOtherFiles } from "../pretrained/model-directory.js";
import { writePreprocessor } from "../pretrained/preprocessor.js";
import { modelClassOf } from "../pretrained/weights.js";
import { ctcNetwork } from "./onnx/network/ctc-network.js";
import { metadataBytes, writeOnnx } from "./onnx/onnx-file.js";
import { openEngine } from "./onnx/open-engine.js";
import { type Comparison, compareEngines } from "./onnx/verify.js";

export type { Comparison } from "./onnx/verify.js";

export interface ExportOptions
  extends Pick<LoadCtcOptions, "language" | "revision" | "onNote" | "onDownload"> {
  /** Recordings to compare with besides made-up clips: paths. */
  audio?: readonly string[] | undefined;
  /** The largest difference of a logit at which the files are written. Default: 0.001 */
  maxDifference?: number | undefined;
  /** The longest made-up clip, seconds. Default: 60 */
  longest?: number | undefined;
  /** Gets each comparison as it is there. */
  onCompared?: ((result: Comparison) => void) | undefined;
  signal?: AbortSignal | undefined;
}

const EXPORT_OPTIONS = {
  ...HUB_OPTIONS,
  language: TEXT,
  audio: PATHS,
  maxDifference: POSITIVE,
  longest: POSITIVE,
  onCompared: true,
} satisfies KnownOptions<ExportOptions>;

/** The file of the network below the directory, as transformers.js looks for it. */
const MODEL_FILE = "onnx/model.onnx";

/**
 * Writes a recogniser as ONNX (operators of the standard alone, opset 20, float32): `onnx/model.onnx`, and beside it what
 * transformers.js reads, `config.json`, `preprocessor_config.json` and the tokenizer's files, and sherpa-onnx's
 * `tokens.txt`. Weights above 1.9 GB lie in `onnx/model.onnx_data`.
 *
 * The network is compared with the model before the directory is put in its place: complete, or as it was before.
 *
 * @param model a directory, a Hub id or a model in memory
 * @returns what was compared
 * @throws UserError where the model is no recogniser, no ONNX engine is installed, or the two differ by more than
 * `maxDifference` or spell another text; the directory is then as it was
 */
export async function exportOnnx(
  model: string | CtcModel,
  directory: string,
  options: ExportOptions = {},
): Promise<Comparison[]> {
  requireArguments("exportOnnx", { model: [model, CTC_MODEL_OR_NAME], directory: [directory, PATH] });
  requireOptions("exportOnnx", options, EXPORT_OPTIONS);
  const { audio = [], maxDifference = 1e-3, longest = 60, onCompared, signal, ...loading } = options;
  const ctc = typeof model === "string" ? await loadCtcModel(model, { ...loading, signal }) : model;
  ctc.model.eval();
  const clips = await Promise.all(
    audio.map(async (path) => ({ name: path, samples: await readAudio(path) })),
  );
  requireLength(clips, minimumSamples(ctc.model.config));
  const graph = ctcNetwork(ctc.model);
  let results: Comparison[] = [];
  await writeDirectoryAtomic(directory, async (temporary) => {
    const path = join(temporary, MODEL_FILE);
    await mkdir(join(temporary, "onnx"));
    const { external } = await writeOnnx(path, graph);
    const engine = await openEngine(path);
    try {
      results = await compareEngines(ctc, engine, clips, {
        longest,
        signal,
        ...(onCompared && { onCompared }),
      });
    } finally {
      await engine.close();
    }
    requireEqual(results, maxDifference);
    await appendFile(path, metadataBytes(metadata(ctc, results)), { flush: true });
    await writeCompanions(temporary, ctc, external);
    await refuseOtherFiles(directory, [...COMPANIONS]);
  });
  return results;
}

function requireLength(clips: readonly { name: string; samples: Float32Array }[], least: number): void {
  for (const { name, samples } of clips)
    if (samples.length < least)
      throw new UserError(
        `${name} must have ${least} samples for a frame, but has ${samples.length}. Leave it out.`,
      );
}

function requireEqual(results: readonly Comparison[], bound: number): void {
  const wrong = results.find(({ difference, sameText }) => difference > bound || !sameText);
  if (wrong === undefined) return;
  const what = wrong.sameText ? "" : ", and spells another text";
  throw new UserError(
    `The exported network must give the model's logits to ${bound}, but differs by ${wrong.difference.toPrecision(2)} ` +
      `in ${wrong.name}${what}. Nothing is written. Report this with the model's config.json.`,
  );
}

/** sherpa-onnx reads the first four. */
function metadata({ model, tokenizer }: CtcModel, results: readonly Comparison[]): Record<string, string> {
  return {
    model_type: "omnilingual-asr",
    vocab_size: String(model.config.vocabSize),
    sample_rate: String(SAMPLE_RATE),
    version: "1",
    blank_id: String(tokenizer.vocabulary.blankId),
    largest_difference: Math.max(...results.map(({ difference }) => difference)).toPrecision(3),
    compared: results.map(({ name, difference }) => `${name}: ${difference.toPrecision(3)}`).join("; "),
  };
}

const COMPANIONS = [
  "onnx",
  "config.json",
  "preprocessor_config.json",
  "vocab.json",
  "special_tokens_map.json",
  "tokenizer_config.json",
  "tokenizer.json",
  "tokens.txt",
];

async function writeCompanions(
  directory: string,
  { model, tokenizer, normalize }: CtcModel,
  external: boolean,
): Promise<void> {
  const { config } = model;
  const forPages = { "transformers.js_config": { use_external_data_format: true } };
  const extra = external ? { ...config.extra, ...forPages } : config.extra;
  await writeConfig(directory, { ...config, extra }, [modelClassOf(model)]);
  await writePreprocessor(directory, config, normalize);
  await tokenizer.write(directory);
  const { tokens, delimiterId } = tokenizer.vocabulary;
  // A line with an id alone is a space.
  const lines = tokens.map((token, id) => (id === delimiterId ? `  ${id}` : `${token} ${id}`));
  await writeFileAtomic(join(directory, "tokens.txt"), `${lines.join("\n")}\n`);
}
