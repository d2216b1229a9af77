import { appendFile, mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  FINITE,
  type Kind,
  PATH,
  PATHS,
  POSITIVE,
  requireArguments,
  TEXT,
  TEXTS,
} from "../argument-kinds.js";
import { readAudio, SAMPLE_RATE } from "../audio/audio-file.js";
import { readSplit } from "../data/corpus/read-split.js";
import type { TranscribedUtterance } from "../data/utterance.js";
import { ConfigurationError, UserError } from "../errors.js";
import { writeDirectoryAtomic } from "../files/atomic/atomic-directory.js";
import { fullDiskReason, unwritable } from "../files/atomic/atomic-file.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { minimumSamples } from "../model/lengths.js";
import { type CtcModel, type LoadCtcOptions, loadCtcModel } from "../pretrained/ctc-directory.js";
import { CTC_MODEL_OR_NAME } from "../pretrained/ctc-model-kind.js";
import { HUB_OPTIONS, refuseOtherFiles } from "../pretrained/model-directory.js";
import { type Accuracy, labelledClips, measureAccuracy } from "./onnx/accuracy.js";
import { chosenLayers } from "./onnx/chosen-layers.js";
import { COMPANIONS, writeCompanions } from "./onnx/companions.js";
import { type Dtype, dtypeNamed, networkFile } from "./onnx/dtypes.js";
import { layerCosts } from "./onnx/layer-costs.js";
import { ctcNetwork } from "./onnx/network/ctc-network.js";
import { formatOf, quantizationOf } from "./onnx/number-format.js";
import type { OnnxEngine } from "./onnx/onnx-engine.js";
import { metadataBytes, writeOnnx } from "./onnx/onnx-file.js";
import { openEngine } from "./onnx/open-engine.js";
import { type Comparison, compareEngines, type NamedClip } from "./onnx/verify.js";

export type { Accuracy } from "./onnx/accuracy.js";
export type { Dtype } from "./onnx/dtypes.js";
export type { Comparison } from "./onnx/verify.js";

export interface ExportOptions
  extends Pick<LoadCtcOptions, "language" | "revision" | "onNote" | "onDownload"> {
  /** In which numbers: `float32`, `float16`, `int8`, `q8`, `q4`, or several; `fp32` and `fp16` too. Default: float32 */
  dtype?: string | readonly string[] | undefined;
  /** Layers that are not quantised, such as `encoder.layers.0` or `encoder.layers.2.feed_forward`. */
  floatLayers?: readonly string[] | undefined;
  /** A corpus on which the word error rates of all files are measured. */
  data?: string | undefined;
  /** Its split; all of a manifest or folder when left out. */
  split?: string | undefined;
  /** How much more words a file in other numbers may get wrong than that in float32, in points of a hundred. Default: 0.2 */
  maxWerLoss?: number | undefined;
  /** Recordings to compare with besides made-up clips: paths. */
  audio?: readonly string[] | undefined;
  /** The largest difference of a logit in float32 at which the files are written. Default: 0.001 */
  maxDifference?: number | undefined;
  /** The longest made-up clip, seconds. Default: 60 */
  longest?: number | undefined;
  /** Gets each comparison as it is there. */
  onCompared?: ((result: Comparison, dtype: Dtype) => void) | undefined;
  /** Gets how many clips of `data` are recognised, or what else is being done. */
  onProgress?: ((text: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

const DTYPE_OR_SEVERAL: Kind = {
  must: "the name of a dtype, or several",
  holds: (value) => TEXT.holds(value) || TEXTS.holds(value),
};

const EXPORT_OPTIONS = {
  ...HUB_OPTIONS,
  language: TEXT,
  dtype: DTYPE_OR_SEVERAL,
  floatLayers: TEXTS,
  data: PATH,
  split: TEXT,
  maxWerLoss: FINITE,
  audio: PATHS,
  maxDifference: POSITIVE,
  longest: POSITIVE,
  onCompared: true,
  onProgress: true,
} satisfies KnownOptions<ExportOptions>;

/** A network's file that was written. */
export interface ExportedNetwork {
  dtype: Dtype;
  /** Below the directory. */
  file: string;
  /** With weights that lie beside it. */
  bytes: number;
  /** With the model in libtorch. */
  comparisons: Comparison[];
  /** On `data`, beside the network in float32; undefined without, and of that network itself. */
  accuracy?: Accuracy | undefined;
}

/** Clips on which layers are tried one by one. */
const TRIED_CLIPS = 4;
/** How many of the dearest layers are named. */
const NAMED_LAYERS = 3;

/**
 * Writes a recogniser as ONNX (opset 20): `onnx/model.onnx` in float32, `onnx/model_quantized.onnx` and others in the numbers that
 * `dtype` says, and beside them what transformers.js reads, `config.json`, `preprocessor_config.json` and the tokenizer's files, and
 * sherpa-onnx's `tokens.txt`. Weights above 1.9 GB lie in a file that ends in `.onnx_data`.
 *
 * The networks are compared with the model before the directory is put in its place: complete, or as it was before.
 *
 * @param model a directory, a Hub id or a model in memory
 * @returns a file each
 * @throws UserError where the model is no recogniser, the directory holds files that are no export's (such as the model's own
 * weights), no ONNX engine is installed, the network in float32 differs by more than `maxDifference` or spells another text, one in
 * other numbers gives no numbers, or loses more than `maxWerLoss` on `data`; the directory is then as it was
 * @throws ConfigurationError for other dtypes and layers than there are
 */
export async function exportOnnx(
  model: string | CtcModel,
  directory: string,
  options: ExportOptions = {},
): Promise<ExportedNetwork[]> {
  requireArguments("exportOnnx", { model: [model, CTC_MODEL_OR_NAME], directory: [directory, PATH] });
  requireOptions("exportOnnx", options, EXPORT_OPTIONS);
  const { dtype = "float32", data, split, audio = [] } = options;
  const dtypes = [...new Set([dtype].flat().map(dtypeNamed))];
  if (dtypes.length === 0) throw new ConfigurationError("dtype must name one at least, but names none.");
  if (data === undefined && (split !== undefined || options.maxWerLoss !== undefined))
    throw new ConfigurationError(
      `${split === undefined ? "maxWerLoss" : "split"} must stand with data, but stands without. Name a corpus.`,
    );
  const refuseLoss = () => refuseOtherFiles(directory, COMPANIONS, "an export");
  await refuseLoss(); // also of weights: the directory may be the model's own
  const { language, revision, onNote, onDownload, signal } = options;
  const loading = { language, revision, onNote, onDownload, signal };
  const ctc = typeof model === "string" ? await loadCtcModel(model, loading) : model;
  ctc.model.eval();
  const clips = await Promise.all(
    audio.map(async (path) => ({ name: path, samples: await readAudio(path) })),
  );
  requireLength(clips, minimumSamples(ctc.model.config));
  // What is wrong with the corpus is said before anything is computed.
  const utterances = data === undefined ? undefined : (await readSplit(data, split, {})).utterances;
  let results: ExportedNetwork[] = [];
  await writeDirectoryAtomic(directory, async (temporary) => {
    await mkdir(join(temporary, "onnx"));
    const networks = new Networks(ctc, temporary, options, utterances);
    try {
      results = await networks.write(dtypes, clips);
    } finally {
      await networks.close();
    }
    await writeCompanions(temporary, ctc, networks.written);
    await refuseLoss();
  }).catch((error: unknown) => {
    throw fullDiskReason(error) === undefined || error instanceof UserError
      ? error
      : unwritable(directory, error);
  });
  return results;
}

/** The files of one model, with the engines that run them. */
class Networks {
  readonly #engines = new Map<Dtype, OnnxEngine>();
  readonly #external = new Map<Dtype, boolean>();
  #layers: readonly string[] = [];

  constructor(
    private readonly ctc: CtcModel,
    private readonly directory: string,
    private readonly options: ExportOptions,
    private readonly utterances: readonly TranscribedUtterance[] | undefined,
  ) {}

  /** @returns the networks that were asked for */
  async write(dtypes: readonly Dtype[], clips: readonly NamedClip[]): Promise<ExportedNetwork[]> {
    const { maxDifference = 1e-3, data } = this.options;
    // Float32 first: what the others are measured against.
    const all: Dtype[] = ["float32", ...dtypes.filter((dtype) => dtype !== "float32")];
    const comparisons = new Map<Dtype, Comparison[]>();
    for (const dtype of all) {
      const compared = await this.#add(dtype, clips);
      comparisons.set(dtype, compared);
      if (dtype === "float32") requireEqual(compared, maxDifference);
      else requireNumbers(compared, dtype);
    }
    const accuracies = await this.#accuracies();
    for (const [dtype, accuracy] of accuracies) await this.#requireAccurate(dtype, accuracy);
    const networks: ExportedNetwork[] = [];
    for (const dtype of all) {
      const path = this.#path(dtype);
      if (!dtypes.includes(dtype)) {
        await rm(path);
        await rm(`${path}_data`, { force: true });
        this.#external.delete(dtype);
        continue;
      }
      const network = { dtype, comparisons: comparisons.get(dtype)!, accuracy: accuracies.get(dtype) };
      await appendFile(path, metadataBytes(metadata(this.ctc, network, data)), { flush: true });
      const outside = this.#external.get(dtype) ? (await stat(`${path}_data`)).size : 0;
      networks.push({ ...network, file: networkFile(dtype), bytes: (await stat(path)).size + outside });
    }
    return networks.sort((a, b) => dtypes.indexOf(a.dtype) - dtypes.indexOf(b.dtype));
  }

  get written(): { dtype: Dtype; external: boolean }[] {
    return Array.from(this.#external, ([dtype, external]) => ({ dtype, external }));
  }

  async close(): Promise<void> {
    for (const engine of this.#engines.values()) await engine.close();
  }

  #path(dtype: Dtype): string {
    return join(this.directory, networkFile(dtype));
  }

  async #add(dtype: Dtype, clips: readonly NamedClip[]): Promise<Comparison[]> {
    const { floatLayers = [], longest = 60, onCompared, onProgress, signal } = this.options;
    signal?.throwIfAborted();
    onProgress?.(`writing ${dtype}`);
    const keeps = dtype === "float32" ? undefined : chosenLayers(floatLayers, this.#layers);
    const graph = ctcNetwork(this.ctc.model, formatOf(dtype, keeps));
    this.#layers = [...graph.products];
    const { external } = await writeOnnx(this.#path(dtype), graph);
    this.#external.set(dtype, external);
    const engine = await openEngine(this.#path(dtype));
    this.#engines.set(dtype, engine);
    return await compareEngines(this.ctc, engine, clips, {
      longest,
      signal,
      ...(onCompared && { onCompared: (result) => onCompared(result, dtype) }),
    });
  }

  async #accuracies(): Promise<Map<Dtype, Accuracy>> {
    if (this.utterances === undefined) return new Map();
    const { signal, onProgress } = this.options;
    const [, ...others] = this.#engines.keys();
    const clips = labelledClips(this.ctc, this.utterances);
    const measured = await measureAccuracy(this.ctc, clips, [...this.#engines.values()], {
      signal,
      onProgress: (done, total) => onProgress?.(`${done} of ${total} clips`),
    });
    return new Map(others.map((dtype, index) => [dtype, measured[index]!]));
  }

  /** @throws UserError that names the layers which cost most */
  async #requireAccurate(dtype: Dtype, { wer, wer32, utterances, words }: Accuracy): Promise<void> {
    const { maxWerLoss = 0.2 } = this.options;
    if (100 * (wer - wer32) <= maxWerLoss) return;
    const loss =
      `${dtype} must lose at most ${maxWerLoss} points of the word error rate, but it goes from ${percent(wer32)} to ` +
      `${percent(wer)} % (${words} words of ${utterances} clips). Nothing is written.`;
    const dearest = await this.#dearestLayers(dtype);
    if (dearest.length === 0)
      throw new UserError(`${loss} Take another dtype, or allow more with maxWerLoss.`);
    const named = dearest.map(({ layer, error }) => `${layer} ${(100 * error).toFixed(1)} %`).join(", ");
    throw new UserError(
      `${loss} What quantising single layers changes of the logits: ${named}. Leave these in float32 ` +
        `(--float-layers ${dearest.map(({ layer }) => layer).join(" ")}), take another dtype, or allow more ` +
        "(--max-wer-loss).",
    );
  }

  async #dearestLayers(dtype: Dtype): Promise<{ layer: string; error: number }[]> {
    const { signal, onProgress, floatLayers = [] } = this.options;
    const quantization = quantizationOf(dtype);
    if (quantization === undefined) return [];
    const clips: Float32Array[] = [];
    for await (const { samples } of labelledClips(this.ctc, this.utterances!.slice(0, TRIED_CLIPS)))
      clips.push(samples);
    const { quantizationOf: of } = formatOf(dtype, chosenLayers(floatLayers, this.#layers));
    const costs = await layerCosts(this.ctc, this.#engines.get("float32")!, clips, {
      layers: this.#layers.filter((layer) => of(layer) !== undefined),
      quantization,
      directory: this.directory,
      signal,
      onLayer: (layer) => onProgress?.(`trying ${layer} alone`),
    });
    return costs.slice(0, NAMED_LAYERS).filter(({ error }) => error >= costs[0]!.error / 4);
  }
}

function percent(rate: number): string {
  return (100 * rate).toFixed(2);
}

function requireLength(clips: readonly NamedClip[], least: number): void {
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

function requireNumbers(results: readonly Comparison[], dtype: Dtype): void {
  const wrong = results.find(({ difference }) => !Number.isFinite(difference));
  if (wrong === undefined) return;
  throw new UserError(
    `The network in ${dtype} must give numbers, but gives none of ${wrong.name}: what it computes is too large for it. Nothing is ` +
      "written. Take another dtype.",
  );
}

/** sherpa-onnx reads the first four. */
function metadata(
  { model, tokenizer }: CtcModel,
  { dtype, comparisons, accuracy }: Pick<ExportedNetwork, "dtype" | "comparisons" | "accuracy">,
  data: string | undefined,
): Record<string, string> {
  return {
    model_type: "omnilingual-asr",
    vocab_size: String(model.config.vocabSize),
    sample_rate: String(SAMPLE_RATE),
    version: "1",
    blank_id: String(tokenizer.vocabulary.blankId),
    dtype,
    largest_difference: Math.max(...comparisons.map(({ difference }) => difference)).toPrecision(3),
    compared: comparisons.map(({ name, difference }) => `${name}: ${difference.toPrecision(3)}`).join("; "),
    ...(dtype === "float32" ? {} : { wer: accuracyText(accuracy, data) }),
  };
}

function accuracyText(accuracy: Accuracy | undefined, data: string | undefined): string {
  if (accuracy === undefined) return "not measured";
  const { wer, wer32, words } = accuracy;
  return `${percent(wer)} % (float32: ${percent(wer32)} %) of ${words} words in ${data}`;
}
