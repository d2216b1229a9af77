import type { Tensor } from "@wav2vec2/libtorch";
import { OBJECT, requireArguments } from "../../../argument-kinds.js";
import { TENSOR } from "../../../module-kinds.js";
import type { Wav2Vec2Config } from "../../configuration.js";
import { CONFIG } from "../../configuration-kind.js";
import { frameMask } from "../../masking.js";
import { type ContrastiveInput, contrastiveLogits, contrastiveLoss } from "./contrastive-loss.js";

/**
 * L = L_m + alpha L_d of the paper (section 3.2). Every part is a sum over masked frames: add up those of all batches
 * of an update and divide once by all their masked frames.
 */
export interface PreTrainingLoss {
  /** contrastiveLoss + diversityLossWeight * diversityLoss + featurePenaltyWeight * featurePenalty */
  loss: Tensor;
  /** Cross-entropy of finding the own target, in nats. */
  contrastiveLoss: Tensor;
  /** (all entries - perplexity) / all entries, for each masked frame. */
  diversityLoss: Tensor;
  /** The mean square of the convolutions' output, for each masked frame (fairseq); only where it has a weight. */
  featurePenalty?: Tensor | undefined;
  /** Similarity over temperature to the own target and the distractors, [masked frames, 1 + negatives] */
  logits: Tensor;
  maskedFrames: number;
}

export function pretrainingLoss(
  config: Wav2Vec2Config,
  compared: Omit<ContrastiveInput, "temperature">,
  codevectorPerplexity: Tensor,
  conv: { features: Tensor; frames: readonly number[] },
): PreTrainingLoss {
  requireArguments("pretrainingLoss", {
    config: [config, CONFIG],
    compared: [compared, OBJECT],
    codevectorPerplexity: [codevectorPerplexity, TENSOR],
    conv: [conv, OBJECT],
  });
  const logits = contrastiveLogits({ ...compared, temperature: config.contrastiveLogitsTemperature });
  const maskedFrames = logits.shape[0]!;
  const contrastive = contrastiveLoss(logits);
  const entries = config.numCodevectorGroups * config.numCodevectorsPerGroup;
  const diversityLoss = codevectorPerplexity
    .neg()
    .add(entries)
    .mul(maskedFrames / entries);
  const loss = contrastive.add(diversityLoss.mul(config.diversityLossWeight));
  const parts = { contrastiveLoss: contrastive, diversityLoss, logits, maskedFrames };
  if (config.featurePenaltyWeight === 0) return { loss, ...parts };
  const featurePenalty = meanSquare(conv.features, conv.frames).mul(maskedFrames);
  return { loss: loss.add(featurePenalty.mul(config.featurePenaltyWeight)), featurePenalty, ...parts };
}

/** Over each clip's own frames, in float32. */
function meanSquare(features: Tensor, frames: readonly number[]): Tensor {
  const [, time, channels] = features.shape as [number, number, number];
  const squares = features.to({ dtype: "float32" }).square(); // [batch, frames, channels]
  const own = squares.mul(frameMask(frames, time, features.device).unsqueeze(2));
  return own.sum().div(frames.reduce((sum, count) => sum + count, 0) * channels);
}
