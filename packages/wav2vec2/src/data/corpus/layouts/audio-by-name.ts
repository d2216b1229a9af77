import { basename, extname } from "node:path";
import { listAudio } from "./audio-folder.js";
import { stemOf } from "./audio-names.js";

/** Recordings of a directory and all below it, found by their names: some lists tell no more of them. */
export class AudioByName {
  #paths: Map<string, string | undefined> | undefined;

  constructor(readonly directory: string) {}

  /**
   * The recording of a name, with its ending or without.
   * @returns undefined where there is none, and where there are several, of which nobody knows the right one
   * @throws UserError where a part of the directory cannot be read
   */
  async find(name: string): Promise<string | undefined> {
    this.#paths ??= indexOf(await listAudio(this.directory));
    return this.#paths.get(basename(name));
  }
}

function indexOf(paths: readonly string[]): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  const add = (name: string, path: string) => found.set(name, found.has(name) ? undefined : path);
  for (const path of paths) {
    const name = basename(path);
    add(name, path);
    if (extname(name) !== "") add(stemOf(name), path);
  }
  return found;
}
