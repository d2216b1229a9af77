import { UserError } from "../../errors.js";
import { readTextFile } from "../corpus/corpus-text.js";

/** From when to when something is there, in seconds. */
export interface Segment {
  start: number;
  end: number;
  label: string;
}

/**
 * Segments of recordings as RTTM, the format of NIST's Rich Transcription evaluations that pyannote, NeMo and dscore read
 * and write: `SPEAKER <recording> 1 <start> <duration> <NA> <NA> <label> <NA> <NA>` a line. Lines of other types, which
 * describe speakers and words, are left out, and comments behind `;;`.
 *
 * @returns the segments of each recording by its name
 * @throws UserError naming the line that is none
 */
export function readRttm(path: string): Map<string, Segment[]> {
  const recordings = new Map<string, Segment[]>();
  for (const [index, line] of readTextFile(path, "an RTTM file").split(/\r?\n/).entries()) {
    const [type, recording, , begin, length, , , label] = line.trim().split(/\s+/);
    if (!type || type.startsWith(";;") || (type !== "SPEAKER" && /^[A-Z-]+$/.test(type))) continue;
    const [start, duration] = [Number(begin), Number(length)];
    if (
      type !== "SPEAKER" ||
      recording === undefined ||
      label === undefined ||
      !(start >= 0) ||
      !(duration >= 0)
    )
      throw new UserError(
        `${path}:${index + 1} must be 'SPEAKER <recording> 1 <start> <duration> <NA> <NA> <label> <NA> <NA>' with seconds of at least 0, ` +
          `but is '${line.trim().slice(0, 100)}'.`,
      );
    const segments = recordings.get(recording) ?? [];
    segments.push({ start, end: start + duration, label });
    recordings.set(recording, segments);
  }
  return recordings;
}

/** Segments of a recording as lines of an RTTM file. */
export function writeRttm(recording: string, segments: readonly Segment[]): string {
  return segments
    .map(
      ({ start, end, label }) =>
        `SPEAKER ${recording.replaceAll(/\s/g, "_")} 1 ${start.toFixed(3)} ${(end - start).toFixed(3)} <NA> <NA> ${label.replaceAll(/\s/g, "_")} <NA> <NA>\n`,
    )
    .join("");
}
