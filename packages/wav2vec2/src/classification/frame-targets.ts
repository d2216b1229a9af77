import { SAMPLE_RATE } from "../audio/audio-file.js";
import type { Segment } from "../data/labels/rttm.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { receptiveField, samplesPerFrame } from "../model/lengths.js";

/** The second in the middle of what a frame sees. */
export function frameTime(config: Wav2Vec2Config, frame: number): number {
  return (frame * samplesPerFrame(config) + receptiveField(config) / 2) / SAMPLE_RATE;
}

/**
 * Which labels each frame has: those of the segments that the middle of what it sees lies in.
 *
 * @returns [frames * labels] of 0 and 1, row by row
 */
export function frameTargets(
  config: Wav2Vec2Config,
  segments: readonly Segment[],
  frames: number,
  idOf: ReadonlyMap<string, number>,
): Uint8Array {
  const labels = config.id2label.length;
  const targets = new Uint8Array(frames * labels);
  for (let frame = 0; frame < frames; frame++) {
    const time = frameTime(config, frame);
    for (const { start, end, label } of segments) {
      const id = idOf.get(label);
      if (id !== undefined && time >= start && time < end) targets[frame * labels + id] = 1;
    }
  }
  return targets;
}

/** Frames with the same label one behind another as segments, in seconds. @param chosen [frames * labels] of 0 and 1 */
export function segmentsOfFrames(
  config: Wav2Vec2Config,
  chosen: ArrayLike<number>,
  frames: number,
): Segment[] {
  const { id2label } = config;
  const step = samplesPerFrame(config) / SAMPLE_RATE;
  const found = id2label.flatMap((label, id) => {
    const segments: Segment[] = [];
    for (let frame = 0; frame < frames; frame++) {
      if (!chosen[frame * id2label.length + id]) continue;
      const start = frameTime(config, frame) - step / 2;
      const last = segments.at(-1);
      if (last && Math.abs(last.end - start) < step / 2) last.end = start + step;
      else segments.push({ start: Math.max(0, start), end: start + step, label });
    }
    return segments;
  });
  return found.sort((a, b) => a.start - b.start);
}
