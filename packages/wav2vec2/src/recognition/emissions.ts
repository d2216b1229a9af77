import { noGrad, scope } from "@wav2vec2/libtorch";
import { collateCtc } from "../data/batches/ctc-collator.js";
import { minimumSamples, samplesPerFrame } from "../model/lengths.js";
import type { CtcModel } from "../pretrained/ctc-directory.js";
import { clipSamples } from "./clip-samples.js";
import { scoreBatch } from "./ctc-batches.js";
import { type Window, type WindowSizes, windows } from "./windows.js";

/** Scores of the vocabulary's tokens for some frames of a recording. */
export interface Emissions {
  /** [frames * vocabulary], row by row, before any softmax */
  logits: Float32Array;
  frames: number;
}

/** Of windows, in seconds. */
export interface WindowSeconds {
  /** New audio a window adds, at most. */
  step: number;
  /** Audio on either side that it sees besides. */
  context: number;
}

/** Of files: about 30 s at a time, as long as the clips that models are trained on. */
export const FILE_WINDOWS: WindowSeconds = { step: 20, context: 5 };

/**
 * Scores of a recording of any length, window after window, as if it were heard whole: each frame's come from a window
 * that shows `context` seconds around it. What the model normalises by is each window's own.
 *
 * @param blocks samples at 16 kHz in order, in pieces of any size
 * @param name the recording's name, for messages
 * @throws UserError where a sample is not finite or the model's weights are not
 */
export async function* emissionsOf(
  ctc: CtcModel,
  blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  { name, ...seconds }: WindowSeconds & { name: string },
): AsyncGenerator<Emissions> {
  const sizes = inSamples(seconds, samplesPerFrame(ctc.model.config));
  for await (const window of windows(blocks, sizes)) yield scoreWindow(ctc, window, sizes.unit, name);
}

function inSamples({ step, context }: WindowSeconds, unit: number): WindowSizes {
  const whole = (seconds: number) => Math.round((seconds * 16000) / unit) * unit;
  return { step: Math.max(unit, whole(step)), context: whole(context), unit };
}

function scoreWindow(
  { model, normalize }: CtcModel,
  { samples, start, from, to }: Window,
  unit: number,
  name: string,
): Emissions {
  const item = { id: name, samples: clipSamples(samples, name, normalize), labels: new Int32Array(0) };
  const batch = collateCtc([item], { minimumSamples: minimumSamples(model.config) });
  return noGrad(() =>
    scope(() => {
      const { logits, frames } = scoreBatch(model, batch); // [1, frames, vocabulary]
      const first = (from - start) / unit;
      const count = to === undefined ? frames[0]! - first : (to - from) / unit;
      return { logits: logits.select(0, 0).narrow(0, first, count).toFloat32Array(), frames: count };
    }),
  );
}
