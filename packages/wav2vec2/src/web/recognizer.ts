import type { InferenceSession } from "onnxruntime-common";
import { join } from "#platform/paths";
import { FUNCTION, isObject, type Kind, OBJECT, requireArguments, TEXT } from "../argument-kinds.js";
import { UserError, withCode } from "../errors.js";
import { type Dtype, dtypeNamed, networkFile } from "../export/onnx/dtypes.js";
import { OnnxEngine, type OnnxRuntime } from "../export/onnx/onnx-engine.js";
import { inTurns } from "../in-turns.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { OnnxRecognizer, onnxScorer, readExported } from "../recognition/onnx-recognizer.js";
import { CtcDecoder } from "../text/decoding/ctc-decoder.js";
import type { DecodingOptions } from "../text/decoding/decoding-options.js";
import { download, type OnDownload } from "./download.js";
import { endingSession, gpuOf, hasHalf } from "./gpu-session.js";

export { OnnxRecognizer };

export interface LoadOptions {
  /** onnxruntime, whichever build of it: `import * as ort from "onnxruntime-web"`. */
  ort: OnnxRuntime;
  /** Of the decoder. Default: a beam search of 16 prefixes, as `transcribe` has it */
  decoding?: DecodingOptions | undefined;
  /** onnxruntime's own, for example `{ executionProviders: ["webgpu"] }`. */
  session?: InferenceSession.SessionOptions | undefined;
  /**
   * Which file of the directory: `float32`, `float16`, `int8`, `q8` or `q4`. Default: float32, or the one that config.json names where
   * there is none
   */
  dtype?: string | undefined;
  /** Of a multilingual vocabulary. */
  language?: string | undefined;
  /** Gets bytes of the network that have come, and all of them where the server says so. */
  onDownload?: OnDownload | undefined;
  /** Ends the loading; its reason is then thrown. */
  signal?: AbortSignal | undefined;
}

const RUNTIME: Kind = {
  must: "onnxruntime's module",
  holds: (value) => isObject(value) && "InferenceSession" in value && "Tensor" in value,
  advice: () => 'Import it: import * as ort from "onnxruntime-web".',
};

const OPTIONS = {
  ort: RUNTIME,
  decoding: OBJECT,
  session: OBJECT,
  language: TEXT,
  dtype: TEXT,
  onDownload: FUNCTION,
  signal: true,
} satisfies KnownOptions<LoadOptions>;

const ADDRESS: Kind = {
  must: "the address of a model's directory",
  holds: (value) => (typeof value === "string" && value !== "") || value instanceof URL,
};

/**
 * Loads a recogniser from where `wav2vec2 export` wrote it; a page's server gives its files.
 *
 * @param directory its address, as the page's other addresses are
 * @throws UserError where a file is missing or damaged, does not fit the others, or the network cannot be run
 */
export async function loadRecognizer(directory: string | URL, options: LoadOptions): Promise<OnnxRecognizer> {
  requireArguments("loadRecognizer", { directory: [directory, ADDRESS], options: [options, OBJECT] });
  requireOptions("loadRecognizer", options, OPTIONS);
  requireArguments("loadRecognizer", { ort: [options.ort, RUNTIME] });
  return await withCode("ERR_MODEL_INVALID", () => readRecognizer(String(directory), options));
}

async function readRecognizer(
  directory: string,
  { ort, decoding = {}, session, language, dtype, onDownload, signal }: LoadOptions,
): Promise<OnnxRecognizer> {
  const known = dtype === undefined ? undefined : networkFile(dtypeNamed(dtype));
  // At once where its name is known.
  const begun = known === undefined ? undefined : download(join(directory, known), onDownload, signal);
  begun?.catch(() => {}); // what is wrong with the small files is told first
  const model = await readExported(directory, language);
  const settings = model.json["transformers.js_config"];
  const file = known ?? networkFile(ownDtype(settings));
  const network = begun ?? download(join(directory, file), onDownload, signal);
  network.catch(() => {});
  const decoder = await inTurns(CtcDecoder.inSteps(model.tokenizer, decoding), signal);
  const engine = await openSession(ort, join(directory, file), await network, {
    ...session,
    ...(await externalData(directory, file, settings, signal)),
  });
  return new OnnxRecognizer(engine, onnxScorer(engine, model), model.tokenizer, decoder);
}

/** What a directory without a network in float32 has. */
function ownDtype(settings: unknown): Dtype {
  return isObject(settings) && typeof settings.dtype === "string" ? dtypeNamed(settings.dtype) : "float32";
}

/** Weights of models above 1.9 GB. */
async function externalData(
  directory: string,
  file: string,
  settings: unknown,
  signal: AbortSignal | undefined,
): Promise<InferenceSession.SessionOptions> {
  const outside = isObject(settings) ? settings.use_external_data_format : undefined;
  const name = file.slice(file.indexOf("/") + 1);
  if (outside !== true && !(isObject(outside) && name in outside)) return {};
  const data = await download(join(directory, `${file}_data`), undefined, signal);
  return { externalData: [{ path: `${name}_data`, data }] };
}

async function openSession(
  ort: OnnxRuntime,
  address: string,
  network: Uint8Array,
  session: InferenceSession.SessionOptions,
): Promise<OnnxEngine> {
  try {
    const made = await ort.InferenceSession.create(network, { logSeverityLevel: 3, ...session });
    const gpu = await gpuOf(ort, session);
    if (gpu && address.endsWith(networkFile("float16")) && !hasHalf(gpu)) {
      await made.release();
      throw new Error(
        "it computes in float16, which this GPU does not (shader-f16). Take float32, q4 or the processor.",
      );
    }
    return new OnnxEngine(ort, gpu ? endingSession(made, gpu) : made);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`${address} must be a network that runs here, but is not: ${reason}`, {
      cause,
    });
  }
}
