import { scope, type Tensor, tensor } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { Golden, goldenFiles, relativeError } from "./golden.js";

// Made by reference/golden_long.py with Hugging Face transformers in float64.

const BOUND = 1e-5;
const LENGTHS = [480_000, 8_000];
/** Of the 30 s, every so many frames are stored. */
const EVERY = 50;

/** A sawtooth whose pitch rises until it is noise; every step of the formula is exact. */
function waves(): Tensor {
  const values = new Float32Array(LENGTHS.length * LENGTHS[0]!);
  for (const [clip, samples] of LENGTHS.entries()) {
    for (let n = 0; n < samples; n++) {
      values[clip * LENGTHS[0]! + n] = (((3 * clip + 1) * n * n + 7 * n) % 2 ** 16) / 2 ** 15 - 1;
    }
  }
  return tensor(values, [LENGTHS.length, LENGTHS[0]!]);
}

describe.each(goldenFiles("long-"))("%s", async (name) => {
  const golden = await Golden.load(name);
  const integers = (key: string) => Int32Array.from(golden.get(key).toArray());
  const targets = { labels: integers("labels"), labelLengths: integers("label_lengths") };

  it(`equals Hugging Face's: ${golden.metadata.description}`, async () => {
    const model = await golden.loadInto(new Wav2Vec2ForCTC(golden.config()));
    model.eval();
    scope(() => {
      const { logits, frames } = model.forward({ input: waves(), lengths: LENGTHS });
      expect(frames).toEqual(golden.get("run/frames").toArray());
      const errors: Record<string, number> = {};
      const compare = (key: string, found: Tensor) => {
        errors[key] = relativeError(found, golden.get(`run/${key}`));
      };
      const clips = frames.map((count, clip) => logits.select(0, clip).narrow(0, 0, count)); // [frame, token]
      compare("logits.0", clips[0]!.slice(0, undefined, undefined, EVERY));
      compare("logits.1", clips[1]!);
      for (const [clip, own] of clips.entries()) compare(`sums.${clip}`, own.sum([0]));
      compare("losses", model.losses(logits, frames, targets));
      const loss = model.loss(logits, frames, targets);
      compare("loss", loss);
      loss.backward();
      for (const [key, { grad }] of model.namedParameters()) {
        const wanted = golden.get(`run/grad.${key}`);
        if (wanted.abs().amax().item() > 1e-9) compare(`grad.${key}`, grad!);
      }
      expect(Object.keys(errors).length).toBeGreaterThan(40);
      expect(Object.fromEntries(Object.entries(errors).filter(([, error]) => !(error < BOUND)))).toEqual({});
    });
  });
});
