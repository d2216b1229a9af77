import { type Tensor, tensor } from "@wav2vec2/libtorch";
import { normalize as normalizeSamples } from "../audio/normalize.js";
import { changeSpeed } from "../audio/speed.js";
import { lengthBucketedBatches } from "../data/batches.js";
import type { ClipCache } from "../data/clip-cache.js";
import { type CtcBatch, collateCtc } from "../data/ctc-collator.js";
import { Random } from "../data/random.js";
import type { TranscribedUtterance } from "../data/utterance.js";
import { adapterFrames, featureFrames, type Wav2Vec2Config } from "../model/configuration.js";
import type { Wav2Vec2ForCTC } from "../model/ctc.js";
import { minimumSamples } from "../model/lengths.js";
import type { CtcTokenizer } from "../text/tokenizer.js";
import { requireFiniteWeights } from "./finite-weights.js";

/** What turns utterances into batches a CTC model can take. */
export interface CtcPreparation {
  tokenizer: CtcTokenizer;
  normalize: boolean;
  config: Wav2Vec2Config;
  /** What a character outside the vocabulary becomes in labels. */
  unknown: "error" | "token";
  clips: ClipCache;
}

/** Decodes, normalises and pads the clips of one batch. */
export async function prepareBatch(
  utterances: readonly TranscribedUtterance[],
  { tokenizer, normalize, config, unknown, clips }: CtcPreparation,
  augment: (samples: Float32Array, utterance: string) => Float32Array = (samples) => samples,
): Promise<CtcBatch> {
  const items = await Promise.all(
    utterances.map(async ({ id, path, text }) => {
      const samples = augment(await clips.read(path), id);
      return {
        id,
        samples: normalize ? normalizeSamples(samples) : samples,
        labels: tokenizer.encode(text, { utterance: id, unknown }),
      };
    }),
  );
  return collateCtc(items, { minimumSamples: minimumSamples(config) });
}

/** Scores of a batch's clips, [batch, frames, vocabulary], and each clip's own frames. */
export function forwardBatch(model: Wav2Vec2ForCTC, batch: CtcBatch): { logits: Tensor; frames: number[] } {
  const input = tensor(batch.input, [batch.ids.length, batch.paddedLength]);
  return model.forward({ input, lengths: Array.from(batch.lengths) });
}

/**
 * {@link forwardBatch} for decoding.
 *
 * @throws UserError where the scores are no numbers, naming the weights that are to blame
 */
export function scoreBatch(model: Wav2Vec2ForCTC, batch: CtcBatch): { logits: Tensor; frames: number[] } {
  const scores = forwardBatch(model, batch);
  if (Number.isFinite(scores.logits.sum().item())) return scores;
  requireFiniteWeights(model);
  return scores; // the decoder looks at each frame
}

export interface TrainingOrder {
  batchSeconds: number;
  seed: number;
  /** Batches already taken. */
  position: number;
  /** The largest share by which clips are played faster or slower. */
  speedPerturbation: number;
}

/**
 * Endless training batches, grouped by length and shuffled anew every epoch; the same seed gives the same
 * batches. Starting at `position` (batches already taken) continues the sequence exactly.
 */
export async function* trainingBatches(
  utterances: readonly TranscribedUtterance[],
  preparation: CtcPreparation,
  { batchSeconds, seed, position, speedPerturbation }: TrainingOrder,
): AsyncGenerator<CtcBatch> {
  let skipped = 0;
  for (let epoch = 0; ; epoch++) {
    for (const indices of lengthBucketedBatches(utterances, { batchSeconds, seed, epoch })) {
      if (skipped++ < position) continue;
      yield await prepareBatch(
        indices.map((index) => utterances[index]!),
        preparation,
        (samples, utterance) => {
          if (speedPerturbation === 0) return samples;
          const draw = new Random(seed, "speed", epoch, utterance).uniform();
          return changeSpeed(samples, 1 + speedPerturbation * (2 * draw - 1));
        },
      );
    }
  }
}

/** Frames that labels can be aligned to; clips too short for one are padded to it. */
export function paddedFrames(config: Wav2Vec2Config, samples: number): number {
  return adapterFrames(config, featureFrames(config, Math.max(samples, minimumSamples(config))));
}
