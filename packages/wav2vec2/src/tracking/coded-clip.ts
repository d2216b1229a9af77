import { MASK, requireArguments, SAMPLES, whole } from "../argument-kinds.js";
import type { ClipSource } from "../audio/sources/clip-source.js";

/** What a model in pre-training made of a clip of a validation: what was hidden, and whether it was found again. */
export interface CodedClip extends ClipSource {
  id: string;
  seconds: number;
  /** Lowest and highest sample of equal pieces, as {@link drawableWaveform} makes them. */
  waveform: readonly (readonly [number, number])[];
  /** Spans of masked frames: the first, and the one behind the last. */
  masked: readonly (readonly [number, number])[];
  /** The entry of every codebook for each frame, [frames][groups] */
  codes: readonly (readonly number[])[];
  /** For each frame whether the model picked the right target among the distractors; false where nothing was masked. */
  found: readonly boolean[];
}

/** More pieces than this cannot be told apart in a drawing. */
const MOST_COLUMNS = 600;
/** Decimals of a sample that a drawing can show; more only make files longer. */
const DECIMALS = 4;

/**
 * Lowest and highest sample of `columns` equal pieces of a clip: what a drawing of it shows.
 * @param columns fewer where there are fewer samples
 */
export function drawableWaveform(samples: Float32Array, columns = MOST_COLUMNS): [number, number][] {
  requireArguments("drawableWaveform", { samples: [samples, SAMPLES], columns: [columns, whole(1)] });
  const pieces = Math.min(columns, samples.length);
  return Array.from({ length: pieces }, (_, piece) => {
    const from = Math.floor((piece * samples.length) / pieces);
    const to = Math.floor(((piece + 1) * samples.length) / pieces);
    let [lowest, highest] = [samples[from]!, samples[from]!];
    for (let at = from + 1; at < to; at++) {
      const sample = samples[at]!;
      if (sample < lowest) lowest = sample;
      if (sample > highest) highest = sample;
    }
    return [Number(lowest.toFixed(DECIMALS)), Number(highest.toFixed(DECIMALS))];
  });
}

/** The runs of ones in a clip's mask: the first frame of each, and the one behind its last. */
export function maskedSpans(mask: Uint8Array): [number, number][] {
  requireArguments("maskedSpans", { mask: [mask, MASK] });
  const spans: [number, number][] = [];
  for (let first = mask.indexOf(1); first >= 0; ) {
    const end = mask.indexOf(0, first);
    const behind = end < 0 ? mask.length : end;
    spans.push([first, behind]);
    first = mask.indexOf(1, behind);
  }
  return spans;
}
