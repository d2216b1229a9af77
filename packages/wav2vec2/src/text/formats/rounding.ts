import type { TimedText } from "./transcript.js";

/** A time without the noise of floating point: 6.78, not 6.779999999999999. A sample at 16 kHz is 0.0000625 s. */
export function seconds(time: number): number {
  return Number(time.toFixed(7));
}

/** To milliseconds; a frame is 20. */
export function roundTime(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Times to milliseconds, confidence to three places. */
export function rounded({ text, start, end, confidence }: TimedText): TimedText {
  return {
    text,
    start: roundTime(start),
    end: roundTime(end),
    confidence: Math.round(confidence * 1000) / 1000,
  };
}
