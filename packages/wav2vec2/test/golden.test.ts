import { fileURLToPath } from "node:url";
import { loadState, loadTensors, type Tensor } from "@wav2vec2/libtorch";
import { beforeAll, describe, expect, it } from "vitest";
import { configFromHuggingFace } from "../src/model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../src/model/ctc.js";

// Made by reference/golden_model.py with Hugging Face transformers in float64.

/** max |a - b| / max |b| */
function relativeError(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  const reference = expected.to({ dtype: "float64" });
  const scale = reference.abs().amax().item();
  return actual.detach().to({ dtype: "float64" }).sub(reference).abs().amax().item() / (scale || 1);
}

/** A key's bias shifts all scores alike, and a mask vector without masks is not used: 0 up to rounding. */
function vanishes(gradient: Tensor): boolean {
  return gradient.abs().amax().item() < 1e-9;
}

describe.each(["ctc-group-norm", "ctc-layer-norm"])("%s equals Hugging Face's", (name) => {
  const path = fileURLToPath(new URL(`golden/${name}.safetensors`, import.meta.url));
  let golden: Map<string, Tensor>;
  let model: Wav2Vec2ForCTC;
  let lengths: number[];
  const get = (key: string) => {
    const tensor = golden.get(key);
    if (!tensor) throw new Error(`the golden file has no ${key}`);
    return tensor;
  };
  /** The outputs' padding is 0 in the golden file and undefined here. */
  const own = (output: Tensor, frames: readonly number[]) => {
    const rows = frames.map((count, row) => output.select(0, row).narrow(0, 0, count));
    return rows;
  };
  const expectStage = (output: Tensor, key: string, frames: readonly number[]) => {
    const expected = own(get(key), frames);
    for (const [row, actual] of own(output, frames).entries()) {
      expect(relativeError(actual, expected[row]!), `${key}, clip ${row}`).toBeLessThan(1e-5);
    }
  };

  beforeAll(async () => {
    const { tensors, metadata } = await loadTensors(path);
    golden = tensors;
    model = new Wav2Vec2ForCTC(configFromHuggingFace(JSON.parse(metadata.config!), path));
    const mismatch = await loadState(model, path, {
      rename: (key) => (key.startsWith("state.") ? key.slice("state.".length) : undefined),
    });
    expect(mismatch).toEqual({ missing: [], unexpected: [], misshaped: [] });
    lengths = get("lengths").toArray();
  });

  it("in every stage of the forward pass", () => {
    model.eval();
    const input = get("input_values");
    const base = model.wav2vec2.forward({ input, lengths });
    expect(base.frames).toEqual(get("frame_lengths").toArray());
    expectStage(model.wav2vec2.featureExtractor.forward(input, lengths), "conv_features", base.frames);
    expectStage(base.extractFeatures, "extract_features", base.frames);
    expectStage(base.lastHiddenState, "last_hidden_state", base.frames);
    expectStage(model.forward({ input, lengths }).logits, "logits", base.frames);
  });

  it("with given masks", () => {
    model.eval();
    const { lastHiddenState, frames } = model.wav2vec2.forward({
      input: get("input_values"),
      lengths,
      maskTimeIndices: get("mask_time_indices"),
    });
    expectStage(lastHiddenState, "masked_last_hidden_state", frames);
  });

  it("in the CTC loss and the gradient of every parameter", () => {
    model.train();
    const rows = get("labels");
    const labels = rows.toArray().filter((label) => label >= 0);
    const labelLengths = rows.ge(0).sum(1).toArray();
    const targets = { labels: Int32Array.from(labels), labelLengths: Int32Array.from(labelLengths) };
    const { logits, frames } = model.forward({ input: get("input_values"), lengths });
    const reduction = model.config.ctcLossReduction;
    expect(relativeError(model.loss(logits, frames, targets), get(`loss_${reduction}`))).toBeLessThan(1e-5);

    Object.assign(model, { config: { ...model.config, ctcLossReduction: "mean" } });
    model.zeroGrad();
    model.loss(logits, frames, targets).backward();
    const worst = [...model.namedParameters()]
      .filter(([key]) => !vanishes(get(`grad.${key}`)))
      .map(([key, parameter]) => ({ key, error: relativeError(parameter.grad!, get(`grad.${key}`)) }))
      .sort((a, b) => b.error - a.error);
    expect(worst.length).toBeGreaterThan(40);
    expect(worst[0]!.error, worst[0]!.key).toBeLessThan(1e-5);
    for (const [key, parameter] of model.namedParameters()) {
      if (vanishes(get(`grad.${key}`)))
        expect(parameter.grad?.abs().amax().item() ?? 0, key).toBeLessThan(1e-6);
    }
  });
});
