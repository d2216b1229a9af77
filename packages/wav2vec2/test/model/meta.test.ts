import {
  bridgeCounters,
  libtorchInfo,
  optim,
  resetBridgeCounters,
  scope,
  type Tensor,
  zeros,
} from "@wav2vec2/libtorch";
import { beforeAll, describe, expect, it } from "vitest";
import { native } from "../../../libtorch/src/native.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../../src/model/heads/pretraining/pretraining.js";
import { Gradients } from "../../src/training/loop/gradients.js";
import { Meter } from "../../src/training/loop/meter.js";
import { Golden, type GoldenRun, goldenFiles } from "./golden.js";

// libtorch's device `meta` has shapes and no values. What a network computes there shows what it would do on a GPU: a
// tensor that was left on the CPU is an error, and so is the reading of a value.

/** Operators without a kernel for `meta` in C++; they get one that computes the CPU's on zeros. */
const WITHOUT_KERNEL = [
  "_ctc_loss_backward",
  "_weight_norm_interface",
  "_weight_norm_interface_backward",
  "abs.out",
  "convolution",
  "convolution_backward",
  "glu_backward",
  "index_select",
  "logical_and.out",
  "logical_not.out",
  "logical_or.out",
  "native_batch_norm",
  "native_group_norm_backward",
  "native_layer_norm_backward",
  "relu",
  "var_mean.correction",
  "where.self",
  "where.self_out",
];

const META = { device: "meta" };

describe.skipIf(libtorchInfo().version.startsWith("1."))("on a device that is not the CPU", () => {
  let inputs: Golden;
  beforeAll(async () => {
    native.defineMetaKernels(WITHOUT_KERNEL);
    inputs = await Golden.load("inputs");
  });

  it("a tensor of the CPU and a read are errors", () => {
    const there = zeros([3], META);
    expect(() => there.add(zeros([3]))).toThrow(/same device/);
    expect(() => there.indexSelect(0, zeros([1], { dtype: "int64" }))).toThrow(/same device/);
    expect(() => there.sum().item()).toThrow();
  });

  describe.each(goldenFiles("ctc-0", "ctc-1", "ctc-2", "pretraining-", "randomness-"))("%s", async (name) => {
    const golden = await Golden.load(name);
    it.each(golden.runs)("runs forward, backward, clips and steps: $name", async (run) => {
      const config = golden.config(run.config);
      const isCtc = golden.metadata.head === "Wav2Vec2ForCTC";
      const model = new (isCtc ? Wav2Vec2ForCTC : Wav2Vec2ForPreTraining)(config).to(META).train(run.train);
      expect(model.device).toBe("meta");
      const optimizer = new optim.AdamW(model.parameters(), { learningRate: 0.1 });
      const gradients = new Gradients(optimizer.parameters, {
        gradient_accumulation: 1,
        gradient_scaling: "once",
        precision: "float32",
        optimizer: { max_grad_norm: 1 } as never,
      });
      const meter = new Meter();
      const given = hostInputs(golden, run, inputs);
      for (let step = 1; step <= 2; step++) {
        resetBridgeCounters();
        const part = scope(() => {
          const part = isCtc
            ? ctcLoss(model as Wav2Vec2ForCTC, given)
            : pretrainingLoss(model as Wav2Vec2ForPreTraining, run, given);
          gradients.add(part.loss, part.count, []);
          meter.add(part);
          return part;
        });
        const { update } = await gradients.finish(step);
        meter.updated(update?.norm);
        expect(update?.norm.device).toBe("meta");
        optimizer.step(update!.skip);
        expect(part.loss.device).toBe("meta");
        expect(bridgeCounters().reads).toBe(0);
        const learned = model.parameters().filter(({ grad }) => grad?.device === "meta");
        expect(learned.length).toBeGreaterThan(10); // fewer where LayerDrop leaves all layers out
        optimizer.zeroGrad();
      }
    });
  });
});

/** What a run is given, on the host. */
function hostInputs(golden: Golden, run: GoldenRun, inputs: Golden) {
  const mask = golden.find(`${run.name}/mask_time_indices`);
  const negatives = golden.find(`${run.name}/sampled_negative_indices`);
  const noise = golden.find(`${run.name}/gumbel_noise`);
  const integers = (key: string) =>
    Int32Array.from((golden.find(`${run.name}/${key}`) ?? golden.find(key))?.toArray() ?? []);
  return {
    shape: inputs.get("input_values").shape,
    lengths: run.lengths ? inputs.get("lengths").toArray() : undefined,
    maskTimeIndices: mask?.toBytes(),
    sampledNegativeIndices: negatives && Int32Array.from(negatives.toArray()),
    noise: noise?.shape,
    targets: { labels: integers("labels"), labelLengths: integers("label_lengths") },
  };
}

type Given = ReturnType<typeof hostInputs>;

function ctcLoss(model: Wav2Vec2ForCTC, given: Given) {
  const { shape, lengths, maskTimeIndices, targets } = given;
  const { logits, frames } = model.forward({ input: zeros(shape, META), lengths, maskTimeIndices });
  return { loss: model.loss(logits, frames, targets), count: 1 };
}

function pretrainingLoss(model: Wav2Vec2ForPreTraining, run: GoldenRun, given: Given) {
  const { shape, noise, lengths, maskTimeIndices, sampledNegativeIndices } = given;
  model.setGumbelTemperature(run.temperature!);
  const output = model.forward({
    lengths,
    maskTimeIndices,
    sampledNegativeIndices,
    input: zeros(shape, META),
    gumbelNoise: noise && zeros(noise, META),
  });
  const sums: Record<string, Tensor> = { perplexity: output.codevectorPerplexity };
  return { loss: output.loss!, count: output.maskedFrames!, sums };
}
