import { fromHost, noGrad, scope, type Tensor } from "@wav2vec2/libtorch";
import { OBJECT, requireArguments } from "../../argument-kinds.js";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import type { Wav2Vec2ForPreTraining } from "../../model/heads/pretraining/pretraining.js";
import { minimumSamples } from "../../model/lengths.js";
import { type LoadPreTrainingOptions, loadPreTrainingModel } from "../../pretrained/pretraining-directory.js";
import { clipSamples } from "../../recognition/clip-samples.js";
import { requireFiniteWeights } from "../../recognition/emissions/finite-weights.js";

/** The discrete units of a clip. */
export interface ClipCodes {
  /** The clip's length. */
  seconds: number;
  /** From a frame to the next; 0.02 for the published models. */
  frameSeconds: number;
  /** The entry of every codebook for each frame, [frames][codebooks] */
  codes: number[][];
}

export interface Coder {
  /** @param samples mono at 16 kHz @param name the clip's name, for messages */
  codesOf(samples: Float32Array, name?: string): Promise<ClipCodes>;
}

/**
 * Loads a pre-trained model once, to turn clips into the codes that its quantizer chooses for their frames: the
 * targets of pre-training (paper, section 2), which tell apart speech sounds (appendix D).
 *
 * @param nameOrDirectory model directory or Hub id
 * @throws UserError when there is no such model, or it has no quantizer
 */
export async function loadCoder(
  nameOrDirectory: string,
  options: LoadPreTrainingOptions = {},
): Promise<Coder> {
  requireArguments("loadCoder", { options: [options, OBJECT] });
  const { model, normalize } = await loadPreTrainingModel(nameOrDirectory, {
    ...options,
    device: options.device ?? "auto",
  });
  requireFiniteWeights(model); // the best of scores that are no numbers would be a code like any other
  const shortest = minimumSamples(model.config);
  const frameSeconds = model.config.convStride.reduce((product, stride) => product * stride) / SAMPLE_RATE;
  model.eval();
  return {
    async codesOf(samples, name = "the clip") {
      const clip = clipSamples(samples, name, normalize);
      const padded = clip.length < shortest ? new Float32Array(shortest) : clip;
      if (padded !== clip) padded.set(clip);
      const codes = noGrad(() =>
        scope(() => chosenEntries(model, fromHost(padded, [1, padded.length], model.device))),
      );
      return { seconds: samples.length / SAMPLE_RATE, frameSeconds, codes };
    },
  };
}

/** As the model's `forward` chooses them, without the transformer, which they do not depend on. */
function chosenEntries({ wav2vec2, quantizer }: Wav2Vec2ForPreTraining, input: Tensor): number[][] {
  const features = wav2vec2.featureExtractor.forward(input, [input.shape[1]!]); // [1, frames, channels]
  const { codes } = quantizer.forward(wav2vec2.featureProjection.normalize(features)); // [1, frames, codebooks]
  const groups = codes.shape[2]!;
  const entries = codes.toArray().map(Number);
  return Array.from({ length: codes.shape[1]! }, (_, frame) =>
    entries.slice(frame * groups, (frame + 1) * groups),
  );
}
