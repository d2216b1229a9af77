import { noGrad, scope } from "@wav2vec2/libtorch";
import { collateCtc } from "../../data/batches/ctc-collator.js";
import { minimumSamples } from "../../model/lengths.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import { clipEmissions, scoreBatch } from "./ctc-batches.js";
import type { ClipScorer, Emissions } from "./emissions.js";

/** A model in libtorch, a window at a time. */
export function torchScorer(ctc: CtcModel): ClipScorer {
  const score = (samples: Float32Array): Emissions => scoreWindows(ctc, [samples])[0]!;
  return { config: ctc.model.config, normalize: ctc.normalize, score };
}

/**
 * Scores of windows together, whatever their lengths: padding changes none of them.
 *
 * @param windows samples as the network takes them
 * @returns of each all of its frames
 */
export function scoreWindows(ctc: CtcModel, windows: readonly Float32Array[]): Emissions[] {
  const labels = new Int32Array(0); // what is said is to be found out
  const clips = windows.map((samples) => ({ id: "a window", samples, labels }));
  const batch = collateCtc(clips, { minimumSamples: minimumSamples(ctc.model.config) });
  return noGrad(() => scope(() => clipEmissions(scoreBatch(ctc, batch))));
}
