import type { InferenceSession } from "onnxruntime-common";
import { join } from "#platform/paths";
import { FUNCTION, isObject, type Kind, OBJECT, requireArguments, TEXT } from "../argument-kinds.js";
import { UserError, withCode } from "../errors.js";
import { OnnxEngine, type OnnxRuntime } from "../export/onnx/onnx-engine.js";
import type { JsonObject } from "../files/json-file.js";
import { inTurns } from "../in-turns.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { OnnxRecognizer, onnxScorer, readExported } from "../recognition/onnx-recognizer.js";
import { CtcDecoder } from "../text/decoding/ctc-decoder.js";
import type { DecodingOptions } from "../text/decoding/decoding-options.js";
import { download, type OnDownload } from "./download.js";

export { OnnxRecognizer };

export interface LoadOptions {
  /** onnxruntime, whichever build of it: `import * as ort from "onnxruntime-web"`. */
  ort: OnnxRuntime;
  /** Of the decoder. Default: a beam search of 16 prefixes, as `transcribe` has it */
  decoding?: DecodingOptions | undefined;
  /** onnxruntime's own, for example `{ executionProviders: ["webgpu"] }`. */
  session?: InferenceSession.SessionOptions | undefined;
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
  onDownload: FUNCTION,
  signal: true,
} satisfies KnownOptions<LoadOptions>;

const ADDRESS: Kind = {
  must: "the address of a model's directory",
  holds: (value) => (typeof value === "string" && value !== "") || value instanceof URL,
};

const NETWORK = "onnx/model.onnx";

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
  { ort, decoding = {}, session, language, onDownload, signal }: LoadOptions,
): Promise<OnnxRecognizer> {
  const network = downloadNetwork(directory, onDownload, signal);
  network.catch(() => {}); // what is wrong with the small files is told first
  const model = await readExported(directory, language);
  const decoder = await inTurns(CtcDecoder.inSteps(model.tokenizer, decoding), signal);
  const engine = await openSession(ort, directory, await network, {
    ...session,
    ...(await externalData(directory, model.json, signal)),
  });
  return new OnnxRecognizer(engine, onnxScorer(engine, model), model.tokenizer, decoder);
}

async function downloadNetwork(
  directory: string,
  onDownload: OnDownload | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  return await download(join(directory, NETWORK), onDownload, signal);
}

/** Weights of models above 1.9 GB. */
async function externalData(
  directory: string,
  json: JsonObject,
  signal: AbortSignal | undefined,
): Promise<InferenceSession.SessionOptions> {
  const settings = json["transformers.js_config"];
  if (!isObject(settings) || settings.use_external_data_format !== true) return {};
  const data = await download(join(directory, `${NETWORK}_data`), undefined, signal);
  return { externalData: [{ path: "model.onnx_data", data }] };
}

async function openSession(
  ort: OnnxRuntime,
  directory: string,
  network: Uint8Array,
  session: InferenceSession.SessionOptions,
): Promise<OnnxEngine> {
  try {
    return new OnnxEngine(
      ort,
      await ort.InferenceSession.create(network, { logSeverityLevel: 3, ...session }),
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(
      `${join(directory, NETWORK)} must be a network that runs here, but is not: ${reason}`,
      {
        cause,
      },
    );
  }
}
