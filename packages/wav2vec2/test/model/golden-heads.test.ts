import { scope, setThreads, type Tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Wav2Vec2ForAudioFrameClassification } from "../../src/model/heads/audio-frame-classification.js";
import { Wav2Vec2ForSequenceClassification } from "../../src/model/heads/sequence-classification.js";
import { Wav2Vec2ForXVector } from "../../src/model/heads/xvector.js";
import { EvidenceTable } from "../fixtures/evidence-table.js";
import { DEVICE, Golden, type GoldenRun, goldenFiles, gradientErrors, relativeError } from "./golden.js";

// Made by reference/golden_heads.py with Hugging Face transformers in float64.

/** Of max |a - b| / max |b| for each output and each parameter's gradient, in float32. */
const BOUND = DEVICE === "cpu" ? 1e-5 : 1e-4;

const CLASSES = {
  Wav2Vec2ForSequenceClassification,
  Wav2Vec2ForAudioFrameClassification,
  Wav2Vec2ForXVector,
};
type Model = InstanceType<(typeof CLASSES)[keyof typeof CLASSES]>;

const table = new EvidenceTable("heads", [
  "file",
  "model",
  "outputs",
  "gradients",
  "Hugging Face in float32",
]);
beforeAll(() => setThreads(1));
afterAll(() => table.write());

describe.each(goldenFiles("heads-"))("%s equals Hugging Face's", async (name) => {
  const golden = await Golden.load(name);
  let inputs: Golden;
  const worst = { outputs: 0, gradients: 0 };
  beforeAll(async () => {
    inputs = await Golden.load("inputs");
  });
  afterAll(() => {
    const reference = Math.max(...golden.runs.map((run) => run.float32_error));
    table.add(name, golden.metadata.description!, worst.outputs, worst.gradients, reference);
  });

  it.each(golden.runs)("in every output and gradient: $name", async (run) => {
    const modelClass = CLASSES[golden.metadata.head as keyof typeof CLASSES];
    const model = await golden.loadInto(new modelClass(golden.config(run.config)));
    expect(model.labels.slice(0, 2)).toEqual(["label a", "label b"]);
    scope(() => {
      const { outputs, loss, frames } = pass(model.train(run.train), golden, run, inputs);
      expect(frames).toEqual(golden.get(`${run.name}/frames`).toArray());
      const errors = new Map<string, number>();
      for (const [key, output] of Object.entries(outputs)) {
        const own = output.shape.length === 3 ? frames : undefined;
        errors.set(key, relativeError(output, golden.get(`${run.name}/${key}`), own));
      }
      const gradients = gradientErrors(golden, run, model, loss);
      worst.outputs = Math.max(worst.outputs, ...errors.values());
      worst.gradients = Math.max(worst.gradients, ...gradients.values());
      expect(gradients.size).toBeGreaterThan(40);
      const failed = [...errors, ...gradients].filter(([, error]) => !(error < BOUND));
      expect(Object.fromEntries(failed)).toEqual({});
    });
  });
});

function pass(model: Model, golden: Golden, run: GoldenRun, inputs: Golden) {
  const input = {
    input: inputs.given("input_values")!,
    lengths: run.lengths ? inputs.get("lengths").toArray() : undefined,
    maskTimeIndices: golden.given(`${run.name}/mask_time_indices`),
  };
  const labels = golden.get("labels").toArray();

  const result = model.forward(input);
  const loss =
    model instanceof Wav2Vec2ForAudioFrameClassification
      ? model.loss(result.logits, result.frames, Uint8Array.from(labels))
      : model.loss(result.logits, labels);

  const outputs: Record<string, Tensor> = { loss, logits: result.logits };
  if (model instanceof Wav2Vec2ForXVector) outputs.embeddings = model.forward(input).embeddings;
  return { outputs, loss, frames: result.frames };
}
