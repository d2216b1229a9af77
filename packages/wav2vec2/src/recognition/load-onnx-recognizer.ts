import { join } from "node:path";
import { PATH, requireArguments, TEXT, whole } from "../argument-kinds.js";
import { networkFile } from "../export/onnx/dtypes.js";
import { exportedDtype } from "../export/onnx/exported-dtypes.js";
import { openEngine } from "../export/onnx/open-engine.js";
import { tellNote } from "../files/tell-note.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { OnnxRecognizer, onnxScorer, readExported } from "./onnx-recognizer.js";
import { DECODING_CHOICE_OPTIONS, type DecodingChoice, makeDecoder } from "./transcript/decoding-choice.js";
import { unusedLanguageModel } from "./unused-language-model.js";

export interface OnnxRecognizerOptions extends DecodingChoice {
  /** Of a multilingual vocabulary. */
  language?: string | undefined;
  /** Which file of the directory: `float32`, `float16`, `int8`, `q8` or `q4`. Default: float32, else what there is */
  dtype?: string | undefined;
  /** CPU threads of onnxruntime. Default: its choice, one a core */
  threads?: number | undefined;
  /** Gets what is odd about the language model. */
  onNote?: ((text: string) => void) | undefined;
}

const OPTIONS = {
  ...DECODING_CHOICE_OPTIONS,
  language: TEXT,
  dtype: TEXT,
  threads: whole(1, 256),
  onNote: true,
} satisfies KnownOptions<OnnxRecognizerOptions>;

/**
 * Loads a recogniser that `wav2vec2 export` wrote, to run it by onnxruntime: libtorch is not needed. One of the packages
 * onnxruntime-node and onnxruntime-web must be installed.
 *
 * @param directory as of `--to`
 * @throws UserError where a file is missing or damaged, does not fit the others, or onnxruntime is not installed
 */
export async function loadOnnxRecognizer(
  directory: string,
  options: OnnxRecognizerOptions = {},
): Promise<OnnxRecognizer> {
  requireArguments("loadOnnxRecognizer", { directory: [directory, PATH] });
  requireOptions("loadOnnxRecognizer", options, OPTIONS);
  const { language, dtype, threads, onNote, ...choice } = options;
  const network = join(directory, networkFile(exportedDtype(directory, dtype)));
  const model = await readExported(directory, language);
  tellNote({ onNote }, await unusedLanguageModel(directory, choice.languageModel));
  const decoder = await makeDecoder(model.tokenizer, choice, onNote);
  const engine = await openEngine(network, threads === undefined ? {} : { intraOpNumThreads: threads });
  return new OnnxRecognizer(engine, onnxScorer(engine, model), model.tokenizer, decoder);
}
