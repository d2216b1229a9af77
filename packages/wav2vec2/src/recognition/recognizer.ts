import type { Kind } from "../argument-kinds.js";
import { requireArguments } from "../argument-kinds.js";
import { wrongType } from "../errors.js";
import { tellNote } from "../files/tell-note.js";
import type { KnownOptions } from "../known-options.js";
import { requireOptions } from "../known-options.js";
import {
  type CtcModel,
  findCtcModel,
  LOAD_CTC_OPTIONS,
  type LoadCtcOptions,
} from "../pretrained/ctc-directory.js";
import { CTC_MODEL, isCtcModel } from "../pretrained/ctc-model-kind.js";
import { CtcDecoder } from "../text/decoding/ctc-decoder.js";
import type { DecodingOptions } from "../text/decoding/decoding-options.js";
import { torchScorer } from "./emissions/torch-scorer.js";
import { SpeechRecognizer } from "./speech-recognizer.js";
import { DECODING_CHOICE_OPTIONS, type DecodingChoice, makeDecoder } from "./transcript/decoding-choice.js";
import { unusedLanguageModel } from "./unused-language-model.js";

export { TRANSCRIBE_OPTIONS, type TranscribeOptions } from "./speech-recognizer.js";

export interface RecognizerOptions extends LoadCtcOptions, DecodingChoice {
  /** Gets what is odd about the model or the language model. */
  onNote?: ((text: string) => void) | undefined;
}

const RECOGNIZED: Kind = {
  ...CTC_MODEL,
  advice(value) {
    return typeof value === "string"
      ? `Load it: await loadRecognizer(${JSON.stringify(value)}).`
      : CTC_MODEL.advice?.(value);
  },
};

/** A model and a way to decode: speech to text. */
export class Recognizer extends SpeechRecognizer {
  /**
   * A recogniser of a model in memory, such as one that was just trained.
   *
   * @param ctc is set to evaluation
   * @param decoding default: a beam search of 16 prefixes
   * @throws ConfigurationError where an option of decoding is out of range
   */
  constructor(
    readonly ctc: CtcModel,
    decoding: CtcDecoder | DecodingOptions = {},
  ) {
    requireArguments("new Recognizer", { ctc: [ctc, RECOGNIZED] });
    const { tokenizer, model } = ctc;
    super(
      torchScorer(ctc),
      tokenizer,
      decoding instanceof CtcDecoder ? decoding : new CtcDecoder(tokenizer, decoding),
    );
    model.eval();
  }
}

export const RECOGNIZER_OPTIONS = {
  ...LOAD_CTC_OPTIONS,
  ...DECODING_CHOICE_OPTIONS,
} satisfies KnownOptions<RecognizerOptions>;

/**
 * Loads a model once, to transcribe many clips.
 *
 * @param nameOrDirectory model directory or Hub id
 * @param options.device a GPU where there is one, when left out
 * @throws UserError when there is no such model, it is no recogniser, or the language model cannot be used
 */
export async function loadRecognizer(
  nameOrDirectory: string,
  options: RecognizerOptions = {},
): Promise<Recognizer> {
  if (isCtcModel(nameOrDirectory))
    throw wrongType(
      "The model of loadRecognizer must be a directory or a Hub id, but is a model in memory. Call new Recognizer(ctc, decoding).",
    );
  requireOptions("loadRecognizer", options, RECOGNIZER_OPTIONS);
  const { onNote, ...choice } = options;
  const ctc = await findCtcModel(nameOrDirectory, { ...choice, onNote, device: choice.device ?? "auto" });
  tellNote({ onNote }, await unusedLanguageModel(nameOrDirectory, choice.languageModel));
  return new Recognizer(ctc, await makeDecoder(ctc.tokenizer, choice, onNote));
}
