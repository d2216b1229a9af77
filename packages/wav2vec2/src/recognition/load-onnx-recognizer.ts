import { existsSync } from "node:fs";
import { join } from "node:path";
import { PATH, requireArguments, TEXT, whole } from "../argument-kinds.js";
import { UserError } from "../errors.js";
import { openEngine } from "../export/onnx/open-engine.js";
import { tellNote } from "../files/tell-note.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { DECODING_CHOICE_OPTIONS, type DecodingChoice, makeDecoder } from "./decoding-choice.js";
import { OnnxRecognizer, onnxScorer, readExported } from "./onnx-recognizer.js";
import { unusedLanguageModel } from "./unused-language-model.js";

export interface OnnxRecognizerOptions extends DecodingChoice {
  /** Of a multilingual vocabulary. */
  language?: string | undefined;
  /** CPU threads of onnxruntime. Default: its choice, one a core */
  threads?: number | undefined;
  /** Gets what is odd about the language model. */
  onNote?: ((text: string) => void) | undefined;
}

const OPTIONS = {
  ...DECODING_CHOICE_OPTIONS,
  language: TEXT,
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
  const { language, threads, onNote, ...choice } = options;
  const network = join(directory, "onnx/model.onnx");
  if (!existsSync(network))
    throw new UserError(
      `${directory} must be a directory that export wrote, but has no onnx/model.onnx. Run: npx wav2vec2 export MODEL --to ${directory}.`,
      { code: "ERR_MODEL_NOT_FOUND" },
    );
  const model = await readExported(directory, language);
  tellNote({ onNote }, await unusedLanguageModel(directory, choice.languageModel));
  const decoder = await makeDecoder(model.tokenizer, choice, onNote);
  const engine = await openEngine(network, threads === undefined ? {} : { intraOpNumThreads: threads });
  return new OnnxRecognizer(engine, onnxScorer(engine, model), model.tokenizer, decoder);
}
