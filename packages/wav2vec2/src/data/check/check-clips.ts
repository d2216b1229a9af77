import { readAudio, readAudioInfo } from "../../audio/audio-file.js";
import { UserError } from "../../errors.js";
import type { Utterance } from "../utterance.js";
import type { Watched } from "../worker-pool.js";
import { audioFault } from "./audio-fault.js";
import type { ClipFault } from "./findings.js";
import { type ClipMeasures, measureClip } from "./measure.js";

export interface CheckJob extends Watched {
  clips: readonly Pick<Utterance, "path" | "start" | "end">[];
}

/** A clip that was decoded, or why it could not be, in a sentence that names the file. */
export type DecodedClip =
  | { measures: ClipMeasures; sampleRate: number; channels: number; notes: readonly string[] }
  | { fault: ClipFault; message: string };

/** Decodes and measures clips, one after the other. It does not throw. */
export async function checkClips({ clips, progress }: CheckJob): Promise<DecodedClip[]> {
  const results: DecodedClip[] = [];
  for (const [index, { path, start, end }] of clips.entries()) {
    Atomics.store(progress, 0, index);
    try {
      const samples = await readAudio(path, { start, end });
      const { sampleRate, channels, notes } = await readAudioInfo(path);
      results.push({ measures: measureClip(samples), sampleRate, channels, notes });
    } catch (error) {
      const reason = (error as Error).message;
      const message = error instanceof UserError ? reason : `${path} must be audio, but is not: ${reason}.`;
      results.push({ fault: audioFault(error), message });
    }
  }
  return results;
}
