import { scope, setThreads } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../../src/model/heads/pretraining/pretraining.js";
import type { ModelInput } from "../../src/model/wav2vec2-model.js";
import { EvidenceTable } from "../fixtures/evidence-table.js";
import { DEVICE, Golden, goldenFiles, relativeDistance } from "./golden.js";

// Made by reference/golden_bfloat16.py with Hugging Face transformers' model.to(torch.bfloat16).

/** Of |a - b| / |b|. The largest of some hundred differences, each of 8 bits, would say more of chance. */
const BOUND = 2e-2;

const table = new EvidenceTable("bfloat16", [
  "model",
  "output",
  "beside Hugging Face's bfloat16",
  "beside float64",
  "Hugging Face's beside float64",
]);
beforeAll(() => setThreads(1));
afterAll(() => table.write());

describe.each(goldenFiles("bfloat16-"))("%s", async (name) => {
  const golden = await Golden.load(name);

  it(`is within 2 % of Hugging Face's bfloat16: ${golden.metadata.description}`, async () => {
    const { tensors } = await Golden.load("inputs");
    const make = golden.metadata.head === "Wav2Vec2ForCTC" ? Wav2Vec2ForCTC : Wav2Vec2ForPreTraining;
    const model = (await golden.loadInto(new make(golden.config()))).to({ dtype: "bfloat16" });
    model.eval();
    scope(() => {
      const input = tensors.get("input_values")!.to({ device: DEVICE, dtype: "bfloat16" });
      const given = { input, lengths: tensors.get("lengths")!.toArray() };
      const { outputs, frames } =
        model instanceof Wav2Vec2ForCTC ? ctcPass(model, golden, given) : pretrainingPass(model, given);
      for (const [key, output] of Object.entries(outputs)) {
        const [rounded, exact] = [golden.get(`run/${key}`), golden.get(`run/exact.${key}`)];
        const own = key === "loss" ? undefined : frames;
        const [error, ...others] = [
          relativeDistance(output, rounded, own),
          relativeDistance(output, exact, own),
          relativeDistance(rounded, exact, own),
        ] as const;
        table.add(golden.metadata.description!, key, error, ...others);
        if (key !== "loss") expect(output.dtype).toBe("bfloat16");
        expect(error, key).toBeLessThan(BOUND);
      }
    });
  });
});

function ctcPass(model: Wav2Vec2ForCTC, golden: Golden, given: ModelInput) {
  const { logits, frames } = model.forward(given);
  const integers = (key: string) => Int32Array.from(golden.get(`run/${key}`).toArray());
  const targets = { labels: integers("labels"), labelLengths: integers("label_lengths") };
  return { outputs: { logits, loss: model.loss(logits, frames, targets) }, frames };
}

function pretrainingPass(model: Wav2Vec2ForPreTraining, given: ModelInput) {
  const { projectedStates, projectedQuantizedStates, frames } = model.forward(given);
  const outputs = {
    projected_states: projectedStates,
    projected_quantized_states: projectedQuantizedStates,
  };
  return { outputs, frames };
}
