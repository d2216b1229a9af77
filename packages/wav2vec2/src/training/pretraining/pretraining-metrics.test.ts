import { readFileSync } from "node:fs";
import { scope, type Tensor, tensor } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { collatePreTraining, type PreTrainingBatch } from "../../data/batches/pretraining-collator.js";
import { Random } from "../../data/random.js";
import { createConfig } from "../../model/configuration.js";
import { Wav2Vec2ForPreTraining } from "../../model/heads/pretraining/pretraining.js";
import { forwardPreTraining, type ScoredBatch } from "./pretraining-batches.js";
import {
  chanceLoss,
  isCollapsed,
  preTrainingLoss,
  preTrainingMetrics,
  preTrainingSums,
} from "./pretraining-metrics.js";

const NONE = Number.NEGATIVE_INFINITY; // a distractor with the target's own codes
const config = { contrastiveLogitsTemperature: 0.1, numCodevectorGroups: 2, numNegatives: 3 };

interface Parts {
  /** [masked frames][1 + distractors] */
  logits: number[][];
  perplexities: number[];
  contrastive: number;
  diversity: number;
  featurePenalty?: number;
  /** Own frames of each clip. */
  frames: number[];
  loss: number;
}

const LARGE: Parts = {
  logits: [
    [8, 2, NONE, 4], // found
    [1, 5, 3, -2],
    [6, NONE, NONE, NONE], // found, and no distractor counts
  ],
  perplexities: [4, 2],
  contrastive: 6,
  diversity: 1.2,
  featurePenalty: 9,
  frames: [4, 3],
  loss: 12,
};
const SMALL: Parts = {
  logits: [[-3, -4, NONE, 2]],
  perplexities: [8, 6],
  contrastive: 2,
  diversity: 0.8,
  featurePenalty: 3,
  frames: [5],
  loss: 4,
};

/** Sums over batches, as a training or a validation adds them up. */
function sumsOf(batches: readonly Parts[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { logits, perplexities, contrastive, diversity, featurePenalty, frames, loss } of batches) {
    const scalar = (value: number) => tensor(Float32Array.of(value)).sum();
    const scored = {
      logits: tensor(Float32Array.from(logits.flat()), [logits.length, 4]),
      contrastiveLoss: scalar(contrastive),
      diversityLoss: scalar(diversity),
      featurePenalty: featurePenalty === undefined ? undefined : scalar(featurePenalty),
      perplexities: tensor(Float32Array.from(perplexities)),
      maskedFrames: logits.length,
    } as ScoredBatch;
    const sums = preTrainingSums(scored, { frames: Int32Array.from(frames) } as PreTrainingBatch);
    for (const [name, value] of [["loss", loss], ["count", logits.length], ...Object.entries(sums)] as const)
      totals[name] = (totals[name] ?? 0) + (typeof value === "number" ? value : value.item());
  }
  return totals;
}

describe("the metrics of pre-training", () => {
  it("are means over masked frames, whatever the sizes of batches", () => {
    const metrics = preTrainingMetrics(sumsOf([LARGE, SMALL]), config);
    const expected = {
      loss: 16 / 4,
      contrastive_loss: 8 / 4,
      contrastive_loss_to_chance: 8 / 4 / Math.log(4),
      diversity_loss: 2 / 4,
      feature_penalty: 12 / 4,
      accuracy: 2 / 4,
      codevector_perplexity: (3 * 6 + 1 * 14) / 4,
      codevector_perplexity_0: (3 * 4 + 1 * 8) / 4,
      codevector_perplexity_1: (3 * 2 + 1 * 6) / 4,
      mask_share: 4 / 12,
      positive_similarity: (0.1 * (8 + 1 + 6 - 3)) / 4,
      negative_similarity: (0.1 * (2 + 4 + 5 + 3 - 2 - 4 + 2)) / 7, // over distractors that count
    };
    expect(Object.keys(metrics)).toEqual(Object.keys(expected));
    for (const [name, value] of Object.entries(expected)) expect(metrics[name], name).toBeCloseTo(value, 6);
  });

  it("are those of a batch alone where there is one", () => {
    const metrics = preTrainingMetrics(sumsOf([SMALL]), config);
    expect(metrics.accuracy).toBe(0);
    expect(metrics.mask_share).toBeCloseTo(1 / 5);
    expect(metrics.codevector_perplexity).toBeCloseTo(14);
    expect(metrics.positive_similarity).toBeCloseTo(-0.3);
    expect(metrics.negative_similarity).toBeCloseTo(-0.1);
  });

  it("know no penalty where it has no weight", () => {
    const { featurePenalty: _, ...parts } = LARGE;
    expect(preTrainingMetrics(sumsOf([parts]), config)).not.toHaveProperty("feature_penalty");
  });

  it("are numbers where nothing was masked or no distractor counted", () => {
    const alone = preTrainingMetrics(sumsOf([{ ...SMALL, logits: [[6, NONE, NONE, NONE]] }]), config);
    expect(alone).toMatchObject({ accuracy: 1, negative_similarity: 0 });
    const nothing = preTrainingMetrics(
      sumsOf([{ ...SMALL, logits: [], contrastive: 0, diversity: 0, featurePenalty: 0, loss: 0 }]),
      config,
    );
    expect(new Set(Object.values(nothing))).toEqual(new Set([0]));
  });

  it("are those that the documentation names", () => {
    const text = readFileSync(new URL("../../../../../docs/pretraining.md", import.meta.url), "utf8");
    for (const name of Object.keys(preTrainingMetrics(sumsOf([LARGE]), config)))
      expect(text, name).toContain(`\`${name.replace(/_1$/, "_0")}\``);
  });
});

it("guessing costs the logarithm of the choices", () => {
  expect(chanceLoss({ numNegatives: 100 })).toBeCloseTo(4.61512, 5);
});

it("codebooks have collapsed where each is down to two of many entries", () => {
  const shape = createConfig({ numCodevectorGroups: 2, numCodevectorsPerGroup: 20 });
  expect(isCollapsed({ codevector_perplexity: 4 }, shape)).toBe(true);
  expect(isCollapsed({ codevector_perplexity: 4.01 }, shape)).toBe(false);
  expect(isCollapsed({ codevector_perplexity: 4 }, { ...shape, numCodevectorsPerGroup: 19 })).toBe(false);
});

describe("a batch's share of an update", () => {
  const shape = createConfig({
    convDim: [8, 8],
    convKernel: [20, 16],
    convStride: [10, 16],
    featExtractNorm: "layer",
    hiddenSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 16,
    numConvPosEmbeddings: 4,
    numConvPosEmbeddingGroups: 2,
    codevectorDim: 8,
    projCodevectorDim: 8,
    numCodevectorsPerGroup: 6,
    numNegatives: 5,
    maskTimeProb: 0.5,
    maskTimeLength: 3,
    diversityLossWeight: 0.5,
    featurePenaltyWeight: 2,
  });
  const random = new Random(1, "clips");
  const clips = [9000, 5000].map((length, index) => ({
    id: `clip-${index}`,
    samples: Float32Array.from({ length }, () => random.uniform() - 0.5),
  }));

  it("is the sum over its masked frames, with what the metrics need", () => {
    const model = new Wav2Vec2ForPreTraining(shape).eval();
    const batch = collatePreTraining(clips, { ...shape, padding: "pad" }, () => random.uniform());
    scope(() => {
      const value = (part: Tensor | number | undefined) => (typeof part === "number" ? part : part!.item());
      const { loss, count, sums } = preTrainingLoss(forwardPreTraining(model, batch), batch);
      const masked = batch.mask.reduce((sum, frame) => sum + frame, 0);
      expect(count).toBe(masked);
      expect(loss.requiresGrad).toBe(true);

      const { logits } = forwardPreTraining(model, batch);
      const scores = logits.toArray().map(Number);
      let contrastive = 0;
      let found = 0;
      for (let frame = 0; frame < masked; frame++) {
        const own = scores.slice(6 * frame, 6 * frame + 6);
        contrastive += Math.log(own.reduce((sum, score) => sum + Math.exp(score), 0)) - own[0]!;
        found += Number(own[0] === Math.max(...own));
      }
      expect(value(sums!.contrastive)).toBeCloseTo(contrastive, 2);
      expect(value(sums!.found)).toBe(found);
      expect(value(sums!.frames)).toBe(56 + 31);
      const [diversity, penalty] = [value(sums!.diversity), value(sums!.featurePenalty)];
      const perplexity = (value(sums!.perplexity0) + value(sums!.perplexity1)) / masked;
      expect(diversity).toBeCloseTo((masked * (12 - perplexity)) / 12, 3);
      expect(loss.item()).toBeCloseTo(contrastive + 0.5 * diversity + 2 * penalty, 2);
    });
  });
});
