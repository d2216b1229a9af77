import { basename, dirname, extname, relative, resolve } from "node:path";
import { isOutside } from "../../data/corpus/corpus-directory.js";

/** A recording to transcribe. */
export interface Recording {
  path: string;
  /** The directory that was named, where the recording was found in one. */
  within?: string | undefined;
}

/**
 * What outputs call recordings: paths without their endings, different for different files. Of files it is their names, of
 * what was found in a directory the path below that directory. Where several directories were named, or files of one
 * name, it is the path below the directory that holds them all; recordings that differ in their endings alone keep these.
 */
export function recordingNames(recordings: readonly Recording[]): string[] {
  const all = recordings.map(({ path }) => resolve(path));
  const paths = [...new Set(all)];
  const common = commonDirectory(recordings.map(({ path, within = dirname(path) }) => resolve(within)));
  const below = paths.map((path) => relative(common, path));
  const inDirectories = recordings.some(({ within }) => within !== undefined);
  const short = inDirectories ? below : paths.map((path) => basename(path));
  const full = isUnique(short.map(withoutEnding)) ? short : below;
  const count = new Map<string, number>();
  for (const name of full.map(withoutEnding)) count.set(name, (count.get(name) ?? 0) + 1);
  const names = full.map((name) => (count.get(withoutEnding(name)) === 1 ? withoutEnding(name) : name));
  const nameOf = new Map(paths.map((path, index) => [path, names[index]!]));
  return all.map((path) => nameOf.get(path)!);
}

function isUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

function withoutEnding(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}

function commonDirectory(directories: readonly string[]): string {
  let common = directories[0] ?? ".";
  for (const directory of directories) while (isOutside(common, directory)) common = dirname(common);
  return common;
}
