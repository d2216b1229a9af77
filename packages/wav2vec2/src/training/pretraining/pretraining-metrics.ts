import type { Tensor } from "@wav2vec2/libtorch";
import type { PreTrainingBatch } from "../../data/batches/pretraining-collator.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { isPerplexityOfCollapse } from "../../tracking/report/codebooks/collapse.js";
import type { BatchLoss } from "../task/task.js";
import type { ScoredBatch } from "./pretraining-batches.js";

/** A batch's share of an update: a sum over its masked frames. */
export function preTrainingLoss(scored: ScoredBatch, batch: PreTrainingBatch): BatchLoss {
  return { loss: scored.loss, count: scored.maskedFrames, sums: preTrainingSums(scored, batch) };
}

/** What a batch adds to the metrics of pre-training, each a sum over masked frames unless it says otherwise. */
export function preTrainingSums(
  { logits, contrastiveLoss, diversityLoss, featurePenalty, perplexities, maskedFrames }: ScoredBatch,
  { frames }: PreTrainingBatch,
): Record<string, Tensor | number> {
  const scores = logits.detach();
  const others = scores.narrow(1, 1, scores.shape[1]! - 1); // [masked, negatives]
  const counted = others.isfinite(); // a distractor with the target's own codes is none
  return {
    contrastive: contrastiveLoss,
    diversity: diversityLoss,
    ...(featurePenalty && { featurePenalty }),
    found: scores.argmax(-1).eq(0).sum(),
    positives: scores.select(1, 0).sum(),
    negatives: others.maskedFill(counted.logicalNot(), 0).sum(),
    /** Distractors, not masked frames. */
    distractors: counted.sum(),
    ...Object.fromEntries(
      Array.from({ length: perplexities.shape[0]! }, (_, group) => [
        `perplexity${group}`,
        perplexities.detach().select(0, group).mul(maskedFrames),
      ]),
    ),
    /** All frames of clips, masked or not. */
    frames: frames.reduce((sum, count) => sum + count, 0),
  };
}

/**
 * Metrics of pre-training from sums over batches (`preTrainingSums`), `loss` and the masked frames `count` among them.
 * The names are those of docs/pretraining.md.
 *
 * @param sums perplexities as sums over masked frames: `perplexity0` is the first codebook's
 */
export function preTrainingMetrics(
  sums: Readonly<Record<string, number>>,
  config: Pick<Wav2Vec2Config, "contrastiveLogitsTemperature" | "numCodevectorGroups" | "numNegatives">,
): Record<string, number> {
  const { count = 0, frames = 0, distractors = 0 } = sums;
  const mean = (name: string, over = count) => sums[name]! / Math.max(1, over);
  const similarity = (name: string, over: number) => mean(name, over) * config.contrastiveLogitsTemperature;
  const groups = Array.from({ length: config.numCodevectorGroups }, (_, group) => mean(`perplexity${group}`));
  const contrastive = mean("contrastive");
  return {
    loss: mean("loss"),
    contrastive_loss: contrastive,
    contrastive_loss_to_chance: contrastive / chanceLoss(config),
    diversity_loss: mean("diversity"),
    ...(sums.featurePenalty === undefined ? {} : { feature_penalty: mean("featurePenalty") }),
    accuracy: mean("found"),
    codevector_perplexity: groups.reduce((sum, value) => sum + value, 0),
    ...Object.fromEntries(groups.map((value, group) => [`codevector_perplexity_${group}`, value])),
    mask_share: mean("count", frames),
    positive_similarity: similarity("positives", count),
    negative_similarity: similarity("negatives", distractors),
  };
}

/** Whether loss and accuracy say nothing, as all frames get nearly the same codes. */
export function isCollapsed(
  metrics: Readonly<Record<string, number>>,
  { numCodevectorGroups, numCodevectorsPerGroup }: Wav2Vec2Config,
): boolean {
  return isPerplexityOfCollapse(metrics.codevector_perplexity!, numCodevectorGroups, numCodevectorsPerGroup);
}

/** The contrastive loss of guessing among the target and its distractors, in nats: 4.615 for the paper's 100. */
export function chanceLoss({ numNegatives }: Pick<Wav2Vec2Config, "numNegatives">): number {
  return Math.log(1 + numNegatives);
}
