import type { TimedText } from "./transcript.js";

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
