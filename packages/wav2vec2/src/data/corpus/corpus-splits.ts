import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { editDistance } from "@wav2vec2/libtorch/nearest";
import { PATH, requireArguments } from "../../argument-kinds.js";
import { UserError } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";
import { type Listing, listDirectory, listNames, orReport } from "./corpus-directory.js";
import type { CorpusProblem } from "./corpus-problem.js";
import { EventLoopTurns } from "./corpus-turns.js";
import { holdsAudio, isOfInterest, undecodableNames } from "./layouts/audio-folder.js";
import { audioNames, stemOf } from "./layouts/audio-names.js";
import { isKaldiDirectory } from "./layouts/kaldi-clips.js";
import { isLibriSpeechSplit } from "./layouts/librispeech-clips.js";
import { adviceOnDirectory, adviceOnFile, directoryOfSplit } from "./layouts/other-layouts.js";
import { isStm, isStmDirectory } from "./layouts/stm-clips.js";
import { unnamedAudio } from "./layouts/unnamed-audio.js";
import { isManifest, isManifestName, isNamedManifest, MANIFEST_ENDINGS } from "./manifest/manifest.js";

/** Where the utterances of a split are listed. */
export interface Source {
  kind: "librispeech" | "kaldi" | "stm" | "folder" | "manifest" | "ids";
  /** Directory, manifest, or list of ids. */
  path: string;
  /** The split's name. */
  name: string;
  /** Whether the split is a part of the manifest, and not all of it. */
  isPart?: boolean;
}

const LAYOUTS =
  "LibriSpeech/<split>/<speaker>/<chapter>/ or <split>/<speaker>/<chapter>/ as LibriSpeech has them, " +
  "manifests <split>.jsonl, .json, .csv or .tsv, directories <split> with wav.scp or stm/, or a directory of audio files a split";

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
  const splits = partsOfList(root, files);
  for (const name of files.filter((each) => isManifestName(each) && each !== GIGASPEECH))
    if (await isManifest(join(root, name)).catch(() => false)) splits.push(manifestSource(root, name));
  const hasManifest = splits.length > 0;
  const base = splitsDirectory(root);
  for (const name of listDirectory(base).directories) {
    const path = join(base, name);
    const source = listingIn(path, name);
    if (source) splits.push(source);
    else if (!hasManifest && (await holdsAudio(path, turns))) splits.push({ kind: "folder", path, name });
  }
  for (const name of idLists(root))
    splits.push({ kind: "ids", path: join(root, "splits", name), name: name.slice(0, -4) });
  return splits.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a directory is that lists its utterances in a way of its own. */
function listingIn(path: string, name: string): Source | undefined {
  if (isLibriSpeechSplit(path)) return { kind: "librispeech", path, name };
  if (isKaldiDirectory(path)) return { kind: "kaldi", path, name };
  return isStmDirectory(path) ? { kind: "stm", path, name } : undefined;
}

/** GigaSpeech lists all its splits, which hold one another, in one file: https://github.com/SpeechColab/GigaSpeech */
const GIGASPEECH = "GigaSpeech.json";
const GIGASPEECH_SPLITS = ["XS", "S", "M", "L", "XL", "DEV", "TEST"];

function partsOfList(root: string, files: readonly string[]): Source[] {
  if (!files.includes(GIGASPEECH)) return [];
  const path = join(root, GIGASPEECH);
  return GIGASPEECH_SPLITS.map((name) => ({ kind: "manifest", path, name, isPart: true }));
}

/** Audio that lies beside the directories that are splits, and so is in none of them, or in a directory that cannot be opened by its name. */
export async function audioBesideSplits(root: string): Promise<CorpusProblem[]> {
  if (isFile(root)) return [];
  const splits = await findSplits(root, new EventLoopTurns());
  // A manifest or a list may name what lies anywhere.
  if (splits.length === 0 || splits.some(({ kind }) => kind === "manifest" || kind === "ids")) return [];
  return [...new Set([root, splitsDirectory(root)])].flatMap((directory) => {
    const { files, undecodable } = listDirectory(directory);
    const problems = [...audioNames(files), ...unnamedAudio(directory, files)].map((name): CorpusProblem => {
      const file = join(directory, name);
      const message = `${file} must lie in the directory of a split, but lies beside ${splits[0]!.path}. Move it into one.`;
      return { id: stemOf(name), file, kind: "misplaced-audio", message };
    });
    const lost = undecodableNames(directory, undecodable.filter(isOfInterest));
    return lost ? [...problems, lost] : problems;
  });
}

/** Directories in which corpora have their splits, and what lies beside these. */
const CONTAINERS: readonly { path: string; beside?: string }[] = [
  { path: "LibriSpeech" },
  { path: "LibriTTS" },
  { path: "librispeech_finetuning" }, // Libri-light's limited supervision
  { path: "legacy", beside: "speaker-adaptation" }, // TED-LIUM 3
  { path: "TEDLIUM_release-3/legacy" },
  { path: "wav", beside: "transcript" }, // AISHELL
  { path: "data_aishell/wav" },
];

/** Splits lie under `root/LibriSpeech`, as the corpus unpacks, or another corpus's directory of them, or directly under `root`. */
export function splitsDirectory(root: string): string {
  const { directories } = listDirectory(root);
  const container = CONTAINERS.find(
    ({ path, beside }) =>
      directories.includes(path.split("/")[0]!) &&
      (beside === undefined || directories.includes(beside)) &&
      existsSync(join(root, path)),
  );
  return container ? join(root, container.path) : root;
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
  if (!isDirectory && !isNamedManifest(root) && !isStm(root))
    throw new UserError(
      `${root} must be a directory or a manifest (${MANIFEST_ENDINGS.join(", ")}), but is neither.${adviceOnFile(root)}`,
    );
  return !isDirectory;
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
  const source = listingIn(root, name);
  if (source) return [source];
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
  const isNamed = (file: string) => isManifestName(file) && file.slice(0, file.lastIndexOf(".")) === name;
  const candidates: Source[] = top.files.filter(isNamed).map((file) => manifestSource(root, file));
  candidates.push(...partsOfList(root, top.files).filter((source) => source.name === name));
  if (below.directories.includes(name)) {
    const path = join(base, name);
    const source = listingIn(path, name);
    if (source) candidates.push(source);
    else if (candidates.length === 0 && (await holdsAudio(path, turns)))
      candidates.push({ kind: "folder", path, name });
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
  const place = directoryOfSplit(root, name);
  if (splits.length > 0) throw unknownSplit(name, splits, root, place && ` It is in ${place}: give that.`);
  throw noSplits(root, place);
}

/** @param below a directory that has the split that is asked for */
function noSplits(root: string, below?: string): UserError {
  const advice =
    below === undefined
      ? adviceOnDirectory(root) || " Give the directory that holds the splits, or a manifest."
      : ` Give ${below}.`;
  return new UserError(`${root} must hold ${LAYOUTS}, but holds none of them.${advice}`);
}

/** Names the splits that exist, nearest first. */
export function unknownSplit(name: string, splits: readonly string[], where: string, advice = ""): UserError {
  const distance = (other: string) => editDistance([...other], [...name]);
  const known = [...splits].sort((a, b) => distance(a) - distance(b));
  return new UserError(
    `split must be one of ${known.join(", ")} (in ${where}), but is ${JSON.stringify(name)}.${advice}`,
  );
}
