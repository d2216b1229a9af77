import { existsSync } from "node:fs";
import { join } from "node:path";
import { clipFlac } from "../../audio/flac/clip-flac.js";
import { writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { makeDirectory } from "../../files/make-directory.js";
import type { MakeSink } from "../threads/sink-worker.js";
import { type Clip, clipPath } from "./clip-path.js";

/**
 * Puts the audio of the clips that a run shows into its directory, below `clips/`, so that whoever looks at it can listen
 * without the corpus. A clip that cannot be read is left out.
 */
const clipFiles: MakeSink<{ directory: string }> = (_context, { directory }) => {
  const write = async (clips: readonly Clip[]): Promise<void> => {
    for (const clip of clips) {
      const path = join(directory, clipPath(clip));
      if (clip.path === undefined || existsSync(path)) continue;
      const flac = await clipFlac(clip);
      if (flac === undefined) continue;
      await makeDirectory(join(directory, "clips"));
      await writeFileAtomic(path, flac);
    }
  };
  return {
    transcripts: write,
    codedClips: write,
  };
};

export default clipFiles;
