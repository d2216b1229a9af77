import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { unreadable } from "../files/unreadable.js";
import { editDistance } from "./edit-distance.js";

/** Names of the entries of a directory, apart by kind, symbolic links followed, in code-unit order. */
export async function listDirectory(path: string): Promise<{ directories: string[]; files: string[] }> {
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    throw unreadable(path, "a directory", error);
  }
  const directories: string[] = [];
  const files: string[] = [];
  for (const entry of entries) {
    const isDirectory = entry.isSymbolicLink()
      ? await stat(join(path, entry.name)).then(
          (target) => target.isDirectory(),
          () => false, // a dangling link: reading it will say so
        )
      : entry.isDirectory();
    (isDirectory ? directories : files).push(entry.name);
  }
  return { directories: directories.sort(), files: files.sort() };
}

/** Splits lie under `root/LibriSpeech`, as the corpus unpacks, or directly under `root`. */
async function splitsDirectory(root: string): Promise<string> {
  const { directories } = await listDirectory(root);
  return directories.includes("LibriSpeech") ? join(root, "LibriSpeech") : root;
}

/**
 * Names of the splits of a corpus: the directories that hold `<speaker>/<chapter>` directories.
 * @throws UserError where `root` is no readable directory
 */
export async function listSplits(root: string): Promise<string[]> {
  const base = await splitsDirectory(root);
  const splits: string[] = [];
  for (const name of (await listDirectory(base)).directories)
    if (await holdsChapters(join(base, name))) splits.push(name);
  return splits;
}

async function holdsChapters(path: string): Promise<boolean> {
  for (const speaker of (await listDirectory(path)).directories)
    if ((await listDirectory(join(path, speaker))).directories.length > 0) return true;
  return false;
}

/** @throws UserError naming the splits that exist, nearest name first, where `split` is none of them */
export async function findSplit(root: string, split: string): Promise<string> {
  const splits = await listSplits(root);
  if (splits.includes(split)) return join(await splitsDirectory(root), split);
  if (splits.length === 0)
    throw new UserError(
      `${root} must hold LibriSpeech/<split>/<speaker>/<chapter>/ or <split>/<speaker>/<chapter>/, ` +
        "but holds no such directories. Give the directory that LibriSpeech was unpacked into.",
    );
  const distance = (name: string) => editDistance([...name], [...split]);
  const nearest = splits.sort((a, b) => distance(a) - distance(b));
  throw new UserError(
    `split must be one of ${nearest.join(", ")} (in ${root}), but is ${JSON.stringify(split)}.`,
  );
}
