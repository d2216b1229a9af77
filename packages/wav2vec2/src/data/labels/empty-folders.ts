import { basename, dirname, join } from "node:path";
import { listDirectory } from "../corpus/corpus-directory.js";
import { EventLoopTurns } from "../corpus/corpus-turns.js";
import { holdsAudio } from "../corpus/layouts/audio-folder.js";
import { isHidden } from "../corpus/layouts/audio-names.js";
import type { Labelled } from "./clip-labels.js";

/**
 * Directories without audio beside those of labels, as Hugging Face's `audiofolder` has one for each label: a label was meant
 * of which there is no clip. None where labels are not the names of the clips' directories.
 *
 * @returns their paths, sorted
 */
export async function emptyLabelFolders(
  clips: readonly Pick<Labelled, "path" | "label">[],
): Promise<string[]> {
  const folders = new Set(
    clips.flatMap(({ path, label }) => (basename(dirname(path)) === label ? [dirname(path)] : [])),
  );
  const empty: string[] = [];
  const turns = new EventLoopTurns();
  for (const above of new Set(Array.from(folders, (folder) => dirname(folder))))
    for (const name of listDirectory(above).directories) {
      const folder = join(above, name);
      if (!isHidden(name) && !folders.has(folder) && !(await holdsAudio(folder, turns))) empty.push(folder);
    }
  return empty.sort();
}
