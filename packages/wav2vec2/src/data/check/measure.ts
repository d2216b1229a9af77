import { createHash } from "node:crypto";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import { bandwidth } from "./bandwidth.js";

/** What is told of a clip's samples to judge them. */
export interface ClipMeasures {
  /** SHA-1 of the decoded samples: equal for equal audio in whatever lossless file. Processors compute it fast. */
  digest: string;
  /** Root mean square about the mean; 1 is full scale. */
  rms: number;
  mean: number;
  /** Share of the samples that lie at full scale in runs of 3 or more. */
  clipped: number;
  /** Hz; 0 where there was nothing to tell it from. */
  bandwidth: number;
}

/** Just below the largest 16-bit integer (32767 / 32768). */
const FULL_SCALE = 0.9999;
/** One sample at full scale is a peak that just fitted, two may be; three are cut off. */
const CLIPPED_RUN = 3;

/** @param samples [samples] at 16 kHz, at least one */
export function measureClip(samples: Float32Array): ClipMeasures {
  let sum = 0;
  let squares = 0;
  let clipped = 0;
  let run = 0;
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    sum += sample;
    squares += sample * sample;
    if (sample >= FULL_SCALE || sample <= -FULL_SCALE) run++;
    else {
      if (run >= CLIPPED_RUN) clipped += run;
      run = 0;
    }
  }
  if (run >= CLIPPED_RUN) clipped += run;
  const mean = sum / samples.length;
  return {
    digest: createHash("sha1").update(samples).digest("hex"),
    rms: Math.sqrt(Math.max(0, squares / samples.length - mean * mean)),
    mean,
    clipped: clipped / samples.length,
    bandwidth: bandwidth(samples, SAMPLE_RATE),
  };
}
