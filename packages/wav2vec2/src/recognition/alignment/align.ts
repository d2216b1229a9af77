import { requireArguments } from "../../argument-kinds.js";
import { wrongType } from "../../errors.js";
import { requireOptions } from "../../known-options.js";
import {
  type CtcModel,
  findCtcModel,
  LOAD_CTC_OPTIONS,
  type LoadCtcOptions,
} from "../../pretrained/ctc-directory.js";
import { CTC_MODEL, isCtcModel } from "../../pretrained/ctc-model-kind.js";
import { torchScorer } from "../emissions/torch-scorer.js";
import { SpeechAligner } from "./speech-aligner.js";

export type { Alignment, AlignOptions } from "./speech-aligner.js";

/** A model that tells where in a recording the words of its text are. */
export class Aligner extends SpeechAligner {
  constructor(readonly ctc: CtcModel) {
    requireArguments("new Aligner", { ctc: [ctc, CTC_MODEL] });
    super(torchScorer(ctc), ctc.tokenizer);
    ctc.model.eval();
  }
}

/**
 * Loads a model once, to align many recordings.
 *
 * @param nameOrDirectory model directory or Hub id
 * @throws UserError when there is no such model or it is no recogniser
 */
export async function loadAligner(nameOrDirectory: string, options: LoadCtcOptions = {}): Promise<Aligner> {
  if (isCtcModel(nameOrDirectory))
    throw wrongType(
      "The model of loadAligner must be a directory or a Hub id, but is a model in memory. Call new Aligner(ctc).",
    );
  requireOptions("loadAligner", options, LOAD_CTC_OPTIONS);
  return new Aligner(await findCtcModel(nameOrDirectory, { ...options, device: options.device ?? "auto" }));
}
