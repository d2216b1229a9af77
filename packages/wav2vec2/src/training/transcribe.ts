import { noGrad, scope } from "@wav2vec2/libtorch";
import { normalize } from "../audio/normalize.js";
import { collateCtc } from "../data/ctc-collator.js";
import { UserError } from "../errors.js";
import { minimumSamples } from "../model/lengths.js";
import { decodeCtc } from "../text/ctc-decode.js";
import { forwardBatch } from "./ctc-batches.js";
import { loadCtcModel } from "./model-directory.js";

export interface Recognizer {
  /** @param samples mono at 16 kHz @param name the clip's name, for messages */
  transcribe(samples: Float32Array, name?: string): Promise<string>;
}

/**
 * Loads a model directory once, to transcribe many clips.
 *
 * @param options.beamWidth prefixes of the beam search, 16 when left out; 1 decodes greedily
 * @throws UserError when the directory does not hold a recogniser
 */
export async function loadRecognizer(
  modelDirectory: string,
  { beamWidth }: { beamWidth?: number | undefined } = {},
): Promise<Recognizer> {
  const { model, tokenizer, normalize: normalizes } = await loadCtcModel(modelDirectory);
  const { padTokenId, vocabSize } = model.config;
  const shortest = minimumSamples(model.config);
  model.eval();
  return {
    async transcribe(samples, name = "the clip") {
      if (samples.length === 0) throw new UserError(`${name} must hold audio, but is empty.`);
      const clip = normalizes ? normalize(samples) : samples;
      const item = { id: name, samples: clip, labels: new Int32Array(0) };
      const batch = collateCtc([item], { minimumSamples: shortest });
      return noGrad(() =>
        scope(() => {
          const { logits, frames } = forwardBatch(model, batch);
          const { labels } = decodeCtc(logits.toFloat32Array(), frames[0]!, vocabSize, padTokenId, beamWidth);
          return tokenizer.decode(labels, { groupTokens: false });
        }),
      );
    },
  };
}
