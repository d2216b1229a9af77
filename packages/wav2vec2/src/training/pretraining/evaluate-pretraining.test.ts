import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, noGrad, scope, tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readAudio } from "../../audio/audio-file.js";
import { encodeFlac } from "../../audio/flac/flac-writer.js";
import { normalize } from "../../audio/normalize.js";
import { epochOfBatches, lengthBucketedBatches } from "../../data/batches/batches.js";
import { isEmpty } from "../../data/batches/load-batches.js";
import type { PreTrainingPreparation } from "../../data/batches/preparation.js";
import { Random } from "../../data/random.js";
import type { Utterance } from "../../data/utterance.js";
import { createConfig } from "../../model/configuration.js";
import { Wav2Vec2ForPreTraining } from "../../model/heads/pretraining/pretraining.js";
import { drawableWaveform } from "../../tracking/coded-clip.js";
import { evaluatePreTraining } from "./evaluate-pretraining.js";
import { forwardPreTraining, preTrainingBatches } from "./pretraining-batches.js";

const config = createConfig({
  convDim: [8, 8],
  convKernel: [20, 16],
  convStride: [10, 16], // 10 ms
  featExtractNorm: "layer",
  hiddenSize: 8,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 16,
  numConvPosEmbeddings: 4,
  numConvPosEmbeddingGroups: 2,
  codevectorDim: 8,
  projCodevectorDim: 8,
  numCodevectorsPerGroup: 6,
  numNegatives: 3,
  diversityLossWeight: 0.5,
  featurePenaltyWeight: 0.25,
  // Training shows: its outputs are others each time.
  hiddenDropout: 0.5,
  attentionDropout: 0.5,
  activationDropout: 0.5,
  featProjDropout: 0.5,
  featQuantizerDropout: 0.5,
  layerdrop: 0.5,
});
const { convKernel, convStride, numNegatives } = config;
const preparation: PreTrainingPreparation = {
  seed: 0,
  normalize: true,
  collation: {
    task: "pretraining",
    ...{ convKernel, convStride, numNegatives },
    maskTimeProb: 0.4,
    maskTimeLength: 3,
    maskTimeMinMasks: 1,
    padding: "pad",
  },
};
const limits = { batchSize: 3 };

let directory: string;
const utterances: Utterance[] = [];
/** In order of batches and rows. */
let order: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "evaluate-pretraining-"));
  const random = new Random(1, "clips");
  for (const [index, length] of [9000, 5200, 3100, 7700, 6100].entries()) {
    const id = `clip-${index}`;
    const path = join(directory, `${id}.flac`);
    // Noise of changing loudness, so that codes change too
    const samples = Float32Array.from(
      { length },
      (_, at) => (random.uniform() - 0.5) * (0.2 + 0.8 * Math.abs(Math.sin(at / 700))),
    );
    await writeFile(path, encodeFlac(samples, 16000));
    utterances.push({ id, path, samples: length, seconds: length / 16000 });
  }
  const plan = lengthBucketedBatches(utterances, { ...limits, seed: 0, epoch: 0 });
  expect(plan.map(({ length }) => length).sort()).toEqual([2, 3]);
  order = plan.flat().map((index) => utterances[index]!.id);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

let model: Wav2Vec2ForPreTraining;
beforeEach(() => {
  model = new Wav2Vec2ForPreTraining(config);
  const weights = new Random(5, "weights"); // the same whatever libtorch draws
  for (const parameter of model.parameters())
    scope(() => {
      const values = Float32Array.from({ length: parameter.numel }, () => 2 * (weights.uniform() - 0.5));
      parameter.detach().copy_(tensor(values, parameter.shape));
    });
  model.train();
});

const evaluate = (shown: string[] = [], changes = {}) =>
  evaluatePreTraining(model, utterances, { preparation, shown: new Set(shown), ...limits, ...changes });

interface Frame {
  codes: number[];
  masked: boolean;
  /** Of a masked frame: whether the own target is the nearest, and the cross-entropy of it. */
  found: boolean;
  cost: number;
}

/** What the model makes of each own frame of each clip, worked out frame by frame from its outputs. */
async function framesByHand(): Promise<Map<string, Frame[]>> {
  const clips = new Map<string, Frame[]>();
  const plan = epochOfBatches(utterances, { ...limits, seed: 0, epoch: 0 });
  model.eval();
  for await (const batch of preTrainingBatches(utterances, plan, preparation, {})) {
    if (isEmpty(batch)) continue;
    noGrad(() =>
      scope(() => {
        const { logits, codes } = forwardPreTraining(model, batch);
        const rows = Array.from({ length: logits.shape[0]! }, (_, row) =>
          logits.select(0, row).toArray().map(Number),
        ); // [masked frames][1 + negatives]
        const entries = codes.toArray().map(Number); // [batch * time * 2]
        for (const [row, id] of batch.ids.entries()) {
          const frames = Array.from({ length: batch.frames[row]! }, (_, time): Frame => {
            const place = row * batch.time + time;
            const own = [entries[2 * place]!, entries[2 * place + 1]!];
            if (batch.mask[place] === 0) return { codes: own, masked: false, found: false, cost: 0 };
            const [target, ...others] = rows.shift() as [number, ...number[]];
            const total = [target, ...others].reduce((sum, score) => sum + Math.exp(score), 0);
            return {
              codes: own,
              masked: true,
              found: others.every((score) => score < target),
              cost: Math.log(total) - target,
            };
          });
          clips.set(id, frames);
        }
        expect(rows).toHaveLength(0);
      }),
    );
  }
  model.train();
  return clips;
}

function perplexity(chosen: readonly number[]): number {
  const shares = [0, 1, 2, 3, 4, 5].map(
    (entry) => chosen.filter((code) => code === entry).length / chosen.length,
  );
  return Math.exp(-shares.reduce((sum, share) => sum + (share && share * Math.log(share)), 0));
}

describe("a validation of pre-training", () => {
  it("gives the same whenever it is done, and leaves the model in training", async () => {
    manualSeed(1);
    const first = await evaluate(order);
    expect([model.training, model.dropoutFeatures.training]).toEqual([true, true]);
    expect(await evaluate(order)).toEqual(first);
    manualSeed(2);
    expect(await evaluate(order)).toEqual(first);
    model.eval();
    expect(await evaluate(order)).toEqual(first);
    expect([model.training, model.dropoutFeatures.training]).toEqual([false, false]);
  });

  it("is of other masks and distractors with another seed", async () => {
    const { metrics, clips } = await evaluate(order);
    const other = await evaluate(order, { preparation: { ...preparation, seed: 1 } });
    expect(other.metrics.contrastive_loss).not.toBe(metrics.contrastive_loss);
    expect(other.clips.map(({ masked }) => masked)).not.toEqual(clips.map(({ masked }) => masked));
  });

  it("measures over all batches what can be counted frame by frame", async () => {
    const { metrics, codebooks } = await evaluate();
    const all = [...(await framesByHand()).values()].flat();
    const masked = all.filter((frame) => frame.masked);
    expect(masked.length).toBeLessThan(0.7 * all.length);

    for (const group of [0, 1]) {
      const counts = [0, 1, 2, 3, 4, 5].map(
        (entry) => all.filter(({ codes }) => codes[group] === entry).length,
      );
      expect(codebooks[group]).toEqual(counts);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all.length);
    }
    // (samples - 20) / 10 + 1 after the first convolution, (that - 16) / 16 + 1 after the second
    expect(all.length).toBe(56 + 32 + 19 + 48 + 38);

    const [first, second] = [0, 1].map((group) => perplexity(masked.map(({ codes }) => codes[group]!))) as [
      number,
      number,
    ];
    expect(perplexity(all.map(({ codes }) => codes[0]!))).not.toBeCloseTo(first, 3); // so that it can be told apart
    expect(metrics.codevector_perplexity_0).toBeCloseTo(first, 6);
    expect(metrics.codevector_perplexity_1).toBeCloseTo(second, 6);
    expect(metrics.codevector_perplexity).toBeCloseTo(first + second, 6);

    const contrastive = masked.reduce((sum, { cost }) => sum + cost, 0) / masked.length;
    const diversity = (12 - first - second) / 12;
    expect(metrics.contrastive_loss).toBeCloseTo(contrastive, 4);
    expect(metrics.diversity_loss).toBeCloseTo(diversity, 6);
    expect(metrics.feature_penalty).toBeGreaterThan(0.01);
    expect(metrics.loss).toBeCloseTo(contrastive + 0.5 * diversity + 0.25 * metrics.feature_penalty!, 4);
    expect(metrics.accuracy).toBeCloseTo(masked.filter(({ found }) => found).length / masked.length, 6);
    expect(metrics.mask_share).toBeCloseTo(masked.length / all.length, 6);
  });

  it("looks into the clips that are asked for", async () => {
    const byHand = await framesByHand();
    // Some with others before them in their batch that are shown, and some with others that are not
    for (const shown of [order, [order[1]!, order[2]!, order[4]!], [order[0]!, order[2]!], [order[3]!], []]) {
      const { clips } = await evaluate([...shown, "of another split"]);
      expect(clips.map(({ id }) => id)).toEqual(shown);
      for (const { id, seconds, waveform, masked, codes, found } of clips) {
        const frames = byHand.get(id)!;
        expect(codes).toEqual(frames.map((frame) => frame.codes));
        expect(found).toEqual(frames.map((frame) => frame.found));
        const hidden = frames.map((_, frame) =>
          masked.some(([from, behind]) => from <= frame && frame < behind),
        );
        expect(hidden).toEqual(frames.map((frame) => frame.masked));
        for (const [from, behind] of masked) expect(behind - from).toBeGreaterThanOrEqual(3); // a span
        const whole = utterances.find((utterance) => utterance.id === id)!;
        expect(seconds).toBe(whole.seconds);
        expect(waveform).toEqual(drawableWaveform(normalize(await readAudio(whole.path))));
      }
    }
    for (const frames of byHand.values()) {
      const found = frames.filter((frame) => frame.masked).map((frame) => frame.found);
      expect(new Set(found).size).toBe(2); // some and not all, or one's could pass for another's
    }
  });

  it("ends where it is aborted, with the model in training", async () => {
    const reason = new Error("enough");
    await expect(evaluate([], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect([model.training, model.dropoutFeatures.training]).toEqual([true, true]);
  });

  it("wants a clip that can be read", async () => {
    const missing = utterances.map((utterance) => ({ ...utterance, path: join(directory, "missing.flac") }));
    const bad: string[] = [];
    const options = { preparation, shown: new Set<string>(), ...limits };
    await expect(evaluatePreTraining(model, missing, options)).rejects.toThrow(/missing\.flac/);
    const skipping = {
      ...options,
      onBadAudio: "skip",
      onBad: ({ id }: { id: string }) => bad.push(id),
    } as const;
    await expect(evaluatePreTraining(model, missing, skipping)).rejects.toThrow(
      "The clips to validate on must be readable, but none is.",
    );
    expect(bad).toEqual(order);
    expect(model.training).toBe(true);
  });
});
