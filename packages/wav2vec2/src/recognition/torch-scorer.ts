import { noGrad, scope } from "@wav2vec2/libtorch";
import { collateCtc } from "../data/batches/ctc-collator.js";
import { minimumSamples } from "../model/lengths.js";
import type { CtcModel } from "../pretrained/ctc-directory.js";
import { scoreBatch } from "./ctc-batches.js";
import type { ClipScorer } from "./emissions.js";

/** A model in libtorch. */
export function torchScorer({ model, normalize }: CtcModel): ClipScorer {
  const { config } = model;
  return {
    config,
    normalize,
    score(samples) {
      const item = { id: "a window", samples, labels: new Int32Array(0) };
      const batch = collateCtc([item], { minimumSamples: minimumSamples(config) });
      return noGrad(() =>
        scope(() => {
          const { values, frames } = scoreBatch(model, batch); // [1 * frames * vocabulary]
          return { logits: values, frames: frames[0]! };
        }),
      );
    },
  };
}
