import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { editDistance } from "@wav2vec2/libtorch/nearest";
import { PATH, requireArguments } from "../../argument-kinds.js";
import { UserError } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";
import { holdsAudio } from "./audio-folder.js";
import { audioNames, stemOf } from "./audio-names.js";
import { type Listing, listDirectory, listNames, orReport } from "./corpus-directory.js";
import type { CorpusProblem } from "./corpus-problem.js";
import { EventLoopTurns } from "./corpus-turns.js";
import { isKaldiDirectory } from "./kaldi-clips.js";
import { isLibriSpeechSplit } from "./librispeech-clips.js";
import { isManifest, isManifestName, MANIFEST_ENDINGS } from "./manifest.js";

/** Where the utterances of a split are listed. */
export interface Source {
  kind: "librispeech" | "kaldi" | "folder" | "manifest" | "ids";
  /** Directory, manifest, or list of ids. */
  path: string;
  /** The split's name. */
  name: string;
}

const LAYOUTS =
  "LibriSpeech/<split>/<speaker>/<chapter>/ or <split>/<speaker>/<chapter>/ as LibriSpeech has them, " +
  "manifests <split>.jsonl, .csv or .tsv, or a directory of audio files a split";

/**
 * Names of the splits of a corpus: directories in LibriSpeech's layout, manifests, directories of audio files where
 * there is no manifest beside them, and lists of ids in `splits/`. Those of a manifest itself are not told.
 * @throws UserError where `root` is no readable directory or manifest
 */
export async function listSplits(root: string): Promise<string[]> {
  requireArguments("listSplits", { root: [root, PATH] });
  if (isFile(root)) return [];
  return (await findSplits(root, new EventLoopTurns())).map(({ name }) => name);
}

/** All splits of a directory, sorted by name. */
export async function findSplits(root: string, turns: EventLoopTurns): Promise<Source[]> {
  const { files } = listDirectory(root);
  const splits: Source[] = [];
  for (const name of files.filter(isManifestName))
    if (await isManifest(join(root, name)).catch(() => false)) splits.push(manifestSource(root, name));
  const hasManifest = splits.length > 0;
  const base = splitsDirectory(root);
  for (const name of listDirectory(base).directories) {
    const path = join(base, name);
    if (isLibriSpeechSplit(path)) splits.push({ kind: "librispeech", path, name });
    else if (isKaldiDirectory(path)) splits.push({ kind: "kaldi", path, name });
    else if (!hasManifest && (await holdsAudio(path, turns))) splits.push({ kind: "folder", path, name });
  }
  for (const name of idLists(root))
    splits.push({ kind: "ids", path: join(root, "splits", name), name: name.slice(0, -4) });
  return splits.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Audio that lies beside the directories that are splits, and so is in none of them. */
export async function audioBesideSplits(root: string): Promise<CorpusProblem[]> {
  if (isFile(root)) return [];
  const splits = await findSplits(root, new EventLoopTurns());
  // A manifest or a list may name what lies anywhere.
  if (splits.length === 0 || splits.some(({ kind }) => kind === "manifest" || kind === "ids")) return [];
  return [...new Set([root, splitsDirectory(root)])].flatMap((directory) =>
    audioNames(listDirectory(directory).files).map((name) => {
      const file = join(directory, name);
      const message = `${file} must lie in the directory of a split, but lies beside ${splits[0]!.path}. Move it into one.`;
      return { id: stemOf(name), file, kind: "misplaced-audio" as const, message };
    }),
  );
}

/** Splits lie under `root/LibriSpeech`, as the corpus unpacks, or directly under `root`. */
export function splitsDirectory(root: string): string {
  return listDirectory(root).directories.includes("LibriSpeech") ? join(root, "LibriSpeech") : root;
}

function idLists(root: string): string[] {
  const { directories } = listDirectory(root);
  if (!directories.includes("splits")) return [];
  const files = orReport(listNames, join(root, "splits"), "", []) ?? [];
  return files.filter((name) => name.endsWith(".txt"));
}

function manifestSource(root: string, name: string): Source {
  return { kind: "manifest", path: join(root, name), name: name.slice(0, name.lastIndexOf(".")) };
}

/** Whether `root` is a manifest and no directory. */
export function isFile(root: string): boolean {
  let isDirectory: boolean;
  try {
    isDirectory = statSync(root).isDirectory();
  } catch (error) {
    throw unreadable(root, isManifestName(root) ? "a manifest" : "a directory", error);
  }
  if (!isDirectory && !isManifestName(root))
    throw new UserError(
      `${root} must be a directory or a manifest (${MANIFEST_ENDINGS.join(", ")}), but is neither.${otherList(root)}`,
    );
  return !isDirectory;
}

/** What to do with lists that other toolkits name otherwise. */
function otherList(path: string): string {
  if (/\.json$/i.test(path))
    return " A file of one JSON object a line, as NeMo writes it, has to end in .jsonl.";
  return "";
}

/** The names in `train-clean-100+train-other-500`. */
export function splitNames(split: string): string[] {
  const names = split.split("+").map((name) => name.trim());
  if (names.some((name) => name === "") || new Set(names).size < names.length)
    throw new UserError(
      `split must be a name, or several different ones with + between them, but is ${JSON.stringify(split)}.`,
    );
  return names;
}

/**
 * What to read for `split` of a directory, a source for each of its names; without a split the directory itself.
 * @throws UserError naming the splits that exist, nearest name first, where there is none of that name
 */
export async function findSources(
  root: string,
  split: string | undefined,
  turns: EventLoopTurns,
): Promise<Source[]> {
  if (split !== undefined) {
    const sources: Source[] = [];
    for (const name of splitNames(split)) sources.push(await findSource(root, name, turns));
    return sources;
  }
  const name = basename(root);
  if (isLibriSpeechSplit(root)) return [{ kind: "librispeech", path: root, name }];
  if (isKaldiDirectory(root)) return [{ kind: "kaldi", path: root, name }];
  const splits = await findSplits(root, turns);
  const isFolder = splits.every(({ kind }) => kind === "folder") && !existsSync(join(root, "LibriSpeech"));
  if (isFolder && (await holdsAudio(root, turns))) return [{ kind: "folder", path: root, name }];
  if (splits.length === 0) throw noSplits(root);
  throw new UserError(
    `split must be given for ${root}. It has ${splits.map((each) => each.name).join(", ")}.`,
  );
}

/** Looks only at what has the name: listing all splits would open every directory. */
async function findSource(root: string, name: string, turns: EventLoopTurns): Promise<Source> {
  const top = listDirectory(root);
  const base = splitsDirectory(root);
  const below: Listing = base === root ? top : listDirectory(base);
  const candidates: Source[] = top.files
    .filter((file) => isManifestName(file) && file.slice(0, file.lastIndexOf(".")) === name)
    .map((file) => manifestSource(root, file));
  if (below.directories.includes(name)) {
    const path = join(base, name);
    if (isLibriSpeechSplit(path)) candidates.push({ kind: "librispeech", path, name });
    else if (isKaldiDirectory(path)) candidates.push({ kind: "kaldi", path, name });
    else if (await holdsAudio(path, turns)) candidates.push({ kind: "folder", path, name });
  }
  if (idLists(root).includes(`${name}.txt`))
    candidates.push({ kind: "ids", path: join(root, "splits", `${name}.txt`), name });
  const [found, other] = candidates;
  if (found && other)
    throw new UserError(
      `split ${name} must be one thing, but is ${found.path} and ${other.path}. Rename one of them.`,
    );
  if (found) return found;
  const splits = (await findSplits(root, turns)).map((each) => each.name);
  const directory = resolve(root);
  if (basename(directory) === name && (await holdsAudio(root, turns)))
    throw new UserError(
      `${root} must hold a split ${name}, but is that itself. Give the directory above it, ${dirname(directory)}.`,
    );
  if (splits.length > 0) throw unknownSplit(name, splits, root);
  throw noSplits(root);
}

function noSplits(root: string): UserError {
  return new UserError(
    `${root} must hold ${LAYOUTS}, but holds none of them. Give the directory that holds the splits, or a manifest.`,
  );
}

/** Names the splits that exist, nearest first. */
export function unknownSplit(name: string, splits: readonly string[], where: string): UserError {
  const distance = (other: string) => editDistance([...other], [...name]);
  const known = [...splits].sort((a, b) => distance(a) - distance(b));
  return new UserError(
    `split must be one of ${known.join(", ")} (in ${where}), but is ${JSON.stringify(name)}.`,
  );
}
