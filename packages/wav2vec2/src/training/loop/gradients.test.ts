import { optim, rand, scope, type Tensor, tensor } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { collatePreTraining } from "../../data/batches/pretraining-collator.js";
import { Random } from "../../data/random.js";
import { createConfig, type Wav2Vec2Config } from "../../model/configuration.js";
import { Wav2Vec2ForPreTraining } from "../../model/heads/pretraining/pretraining.js";
import { gumbelNoise } from "../../model/heads/pretraining/quantizer.js";
import { Gradients } from "./gradients.js";

const config = createConfig({
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
  hiddenDropout: 0,
  attentionDropout: 0,
  activationDropout: 0,
  layerdrop: 0,
  diversityLossWeight: 0, // over a batch it is no sum: a batch's perplexity is not made of its parts' perplexities
});

const random = new Random(1, "clips");
/** Clips of different numbers of masked frames. */
const clips = [9000, 5000, 3000, 7000].map((length, index) => ({
  id: `clip-${index}`,
  samples: Float32Array.from({ length }, () => random.uniform() - 0.5),
}));

interface Rows {
  from: number;
  count: number;
}

/** Some rows of one batch of all clips, as a batch of its own. */
function rowsOf(
  { from, count }: Rows,
  batch: ReturnType<typeof collatePreTraining>,
  noise: Tensor,
  { numNegatives }: Wav2Vec2Config,
) {
  const { time, paddedLength } = batch;
  const negatives = batch.negatives
    .slice(from * time * numNegatives, (from + count) * time * numNegatives)
    .map((frame, index) =>
      batch.mask[from * time + Math.floor(index / numNegatives)] ? frame - from * time : 0,
    );
  return {
    input: tensor(batch.input.slice(from * paddedLength, (from + count) * paddedLength), [
      count,
      paddedLength,
    ]),
    lengths: Array.from(batch.lengths.slice(from, from + count)),
    maskTimeIndices: tensor(batch.mask.slice(from * time, (from + count) * time), [count, time], {
      dtype: "bool",
    }),
    sampledNegativeIndices: tensor(negatives, [count, time, numNegatives], { dtype: "int64" }),
    gumbelNoise: noise.narrow(0, from, count),
  };
}

/** Gradients of an update whose batches are those rows. */
async function gradientsOf(parts: Rows[]): Promise<number[]> {
  const model = new Wav2Vec2ForPreTraining(config);
  const weights = new Random(2, "weights");
  for (const parameter of model.parameters())
    scope(() => {
      const values = Float32Array.from({ length: parameter.numel }, () => 0.4 * (weights.uniform() - 0.5));
      parameter.detach().copy_(tensor(values, parameter.shape));
    });
  model.train();
  const draw = new Random(3, "masks");
  const batch = collatePreTraining(clips, { ...config, padding: "pad" }, () => draw.uniform());
  const noise = gumbelNoise(
    tensor(
      Float32Array.from({ length: clips.length * batch.time * 12 }, () => draw.uniform()),
      [clips.length, batch.time, 2, 6],
    ),
  );
  const gradients = new Gradients(model.parameters(), {
    gradient_accumulation: parts.length,
    gradient_scaling: "once",
    optimizer: { max_grad_norm: 1e9 } as never,
    precision: "float32",
  });
  for (const part of parts) {
    const { loss, maskedFrames } = model.forward(rowsOf(part, batch, noise, config));
    gradients.add(loss!, maskedFrames!, []);
  }
  await gradients.finish(1);
  return model
    .parameters()
    .flatMap(({ grad }) => grad?.toArray() ?? [])
    .map(Number);
}

const difference = (a: number[], b: number[]): number => {
  const largest = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((value, index) => Math.abs(value - b[index]!))) / largest;
};

describe("the gradients of an update", () => {
  it("of micro-batches are those of one batch, however the clips are divided", async () => {
    const whole = await gradientsOf([{ from: 0, count: 4 }]);
    expect(Math.max(...whole.map(Math.abs))).toBeGreaterThan(0);
    for (const counts of [
      [2, 2],
      [1, 3],
      [1, 1, 1, 1],
    ]) {
      const parts = counts.map((count, index) => ({
        from: counts.slice(0, index).reduce((sum, value) => sum + value, 0),
        count,
      }));
      expect(difference(await gradientsOf(parts), whole)).toBeLessThan(1e-5);
    }
  });

  it("can be divided after each batch, as Hugging Face's script does it", async () => {
    const weight = tensor(Float32Array.of(1), [1]);
    weight.requiresGrad = true;
    const gradients = new Gradients([weight], {
      gradient_accumulation: 2,
      gradient_scaling: "every_batch",
      precision: "float32",
      optimizer: { max_grad_norm: 0 } as never,
    });
    // loss / 2, backward, all gradients / masked frames: ((6 / 2) / 3 + 6 / 2) / 1
    gradients.add(weight.sum().mul(6), 3, ["a"]);
    gradients.add(weight.sum().mul(6), 1, ["b"]);
    gradients.add(weight.sum().mul(0), 0, ["without a masked frame"]);
    expect((await gradients.finish(1)).update!.norm.item()).toBeCloseTo(4);
    expect(weight.grad!.toArray()).toEqual([4]); // and a norm of 0 does not clip
  });

  const once = (accumulation: number) =>
    ({
      gradient_accumulation: accumulation,
      gradient_scaling: "once",
      optimizer: { max_grad_norm: 1 },
    }) as never;

  it("are refused where they are not finite, with the first step and the utterances to blame", async () => {
    const weight = rand([1]);
    weight.requiresGrad = true;
    const gradients = new Gradients([weight], once(2));
    const update = async (step: number, second: () => Tensor, id: string) => {
      gradients.add(weight.sum(), 1, ["good"]);
      gradients.add(second(), 1, [id]);
      const skip = (await gradients.finish(step)).update!.skip.item();
      weight.grad = undefined;
      return skip;
    };
    expect(await update(6, () => weight.sum(), "fine")).toBe(0);
    expect(await update(7, () => weight.sum().div(0), "bad")).toBe(1);
    expect(await update(8, () => weight.sum(), "later")).toBe(1); // until it is told
    expect(await update(9, () => weight.sum().mul(Number.NaN), "last")).toBe(1);
    expect(() => gradients.requireFinite()).toThrow(
      /loss of step 7 must be finite, but is Infinity.*utterances: bad\./,
    );
    expect(await update(10, () => weight.sum(), "new")).toBe(0);
    gradients.requireFinite();
    gradients.add(weight.sub(weight).abs().sqrt().sum(), 1, ["a", "b"]); // 0, and its gradient infinity times 0
    await gradients.finish(11);
    expect(() => gradients.requireFinite()).toThrow(
      /gradient norm of step 11 must be finite.*utterances: a, b\./,
    );
  });

  it("that are not finite leave weights and moments as they are, and so do those behind them", async () => {
    const train = async (broken: number) => {
      const weight = tensor(Float32Array.of(1, -2), [2]);
      weight.requiresGrad = true;
      const gradients = new Gradients([weight], once(1));
      const optimizer = new optim.AdamW([weight], { learningRate: 0.1 });
      const states: number[][][] = [];
      for (const step of [1, 2, 3, 4]) {
        const loss = weight.square().sum();
        gradients.add(step === broken ? loss.mul(Number.NaN) : loss, 1, []);
        optimizer.step((await gradients.finish(step)).update!.skip);
        optimizer.zeroGrad();
        const moments = Object.values(optimizer.state().moments).flatMap((each) => each[0]!);
        states.push([weight, ...moments].map((each) => each.toArray()));
      }
      return states;
    };
    const [whole, stopped] = [await train(0), await train(3)];
    expect(stopped.slice(0, 2)).toEqual(whole.slice(0, 2));
    expect(stopped.slice(2)).toEqual([whole[1], whole[1]]);
    expect(whole[3]).not.toEqual(whole[1]);
  });

  it("that are too large for float16 are left out, and scaled less from then on", async () => {
    const weight = tensor(Float32Array.of(2), [1]);
    weight.requiresGrad = true;
    const recipe = {
      gradient_accumulation: 1,
      gradient_scaling: "once",
      precision: "float16",
      optimizer: { max_grad_norm: 1e9 },
    } as never;
    const gradients = new Gradients([weight], recipe);
    gradients.add(weight.sum().mul(1e35), 2, ["loud"]); // times 65,536 it is too large for float32 as well
    expect((await gradients.finish(1)).update).toBeUndefined();
    expect(gradients.scaler!.state().scale).toBe(32768);
    weight.grad = undefined;
    gradients.add(weight.sum().mul(3), 2, ["fine"]);
    expect((await gradients.finish(2)).update!.norm.item()).toBeCloseTo(1.5);
    expect(weight.grad!.toArray()).toEqual([1.5]);
    const smallest = async () => {
      for (let step = 3; step < 60; step++) {
        gradients.add(weight.sum().div(0), 1, ["broken"]);
        await gradients.finish(step);
        weight.grad = undefined;
      }
    };
    await expect(smallest()).rejects.toThrow(
      /minimum loss scale reached[\s\S]*with these utterances: broken\./,
    );
  });

  it("of nothing, as where no frame was masked, are no update", async () => {
    const weight = rand([1]);
    weight.requiresGrad = true;
    const recipe = { gradient_accumulation: 1, gradient_scaling: "once", optimizer: { max_grad_norm: 1 } };
    const gradients = new Gradients([weight], recipe as never);
    gradients.add(weight.mul(0).sum(), 0, ["short"]);
    expect((await gradients.finish(1)).update).toBeUndefined();
  });
});
