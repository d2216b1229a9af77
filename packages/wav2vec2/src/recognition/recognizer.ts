import { noGrad, scope } from "@wav2vec2/libtorch";
import { collateCtc } from "../data/batches/ctc-collator.js";
import { minimumSamples } from "../model/lengths.js";
import { type LoadCtcOptions, loadCtcModel } from "../pretrained/ctc-directory.js";
import { decodeCtc } from "../text/decoding/decode.js";
import { clipSamples } from "./clip-samples.js";
import { scoreBatch } from "./ctc-batches.js";

export interface Recognizer {
  /** @param samples mono at 16 kHz @param name the clip's name, for messages */
  transcribe(samples: Float32Array, name?: string): Promise<string>;
}

export interface RecognizerOptions extends LoadCtcOptions {
  /** Prefixes of the beam search, 16 when left out; 1 decodes greedily. */
  beamWidth?: number | undefined;
}

/**
 * Loads a model once, to transcribe many clips.
 *
 * @param nameOrDirectory model directory or Hub id
 * @throws UserError when there is no such model, or it is no recogniser
 */
export async function loadRecognizer(
  nameOrDirectory: string,
  { beamWidth, ...options }: RecognizerOptions = {},
): Promise<Recognizer> {
  const { model, tokenizer, normalize } = await loadCtcModel(nameOrDirectory, options);
  const { padTokenId, vocabSize } = model.config;
  const shortest = minimumSamples(model.config);
  model.eval();
  return {
    async transcribe(samples, name = "the clip") {
      const clip = clipSamples(samples, name, normalize);
      const item = { id: name, samples: clip, labels: new Int32Array(0) };
      const batch = collateCtc([item], { minimumSamples: shortest });
      return noGrad(() =>
        scope(() => {
          const { logits, frames } = scoreBatch(model, batch);
          const { labels } = decodeCtc(logits.toFloat32Array(), frames[0]!, vocabSize, padTokenId, beamWidth);
          return tokenizer.decode(labels, { groupTokens: false });
        }),
      );
    },
  };
}
