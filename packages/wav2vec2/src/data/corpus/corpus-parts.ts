import { UserError } from "../../errors.js";
import type { Clip, FindOptions, FoundClips } from "./corpus-clip.js";
import { chooseReadings, readIdList } from "./corpus-list.js";
import type { CorpusProblem } from "./corpus-problem.js";
import { findSources, findSplits, isFile, type Source, splitNames, unknownSplit } from "./corpus-splits.js";
import type { EventLoopTurns } from "./corpus-turns.js";
import { findFolderClips } from "./layouts/audio-folder.js";
import { findKaldiClips } from "./layouts/kaldi-clips.js";
import { findLibriSpeechClips } from "./layouts/librispeech-clips.js";
import { findStmClips, isStm } from "./layouts/stm-clips.js";
import { readManifest } from "./manifest/manifest-reader.js";

/** What one directory or manifest lists of the utterances that were asked for. */
export interface Part {
  source: Source;
  clips: Clip[];
  problems: CorpusProblem[];
}

/** Problems of a whole directory, which are named by no utterance's id. */
const OF_MANY = new Set<CorpusProblem["kind"]>([
  "unreadable-transcripts",
  "unreadable-directory",
  "undecodable-name",
]);

/**
 * Lists the clips of the splits that `split` names, see `readCorpus`.
 * @throws UserError on an unknown split
 */
export async function findParts(
  root: string,
  split: string | undefined,
  options: FindOptions,
  turns: EventLoopTurns,
): Promise<Part[]> {
  if (isFile(root)) return [await findRows(root, split, options, turns)];
  const parts: Part[] = [];
  const lists: Source[] = [];
  for (const source of await findSources(root, split, turns))
    if (source.kind === "ids") lists.push(source);
    else parts.push({ source, ...(await findClips(source, options, turns)) });
  if (lists.length > 0) parts.push(...(await findListed(root, lists, options, turns)));
  return parts;
}

function findClips(source: Source, options: FindOptions, turns: EventLoopTurns): Promise<FoundClips> {
  if (source.kind === "librispeech") return findLibriSpeechClips(source.path, options, turns);
  if (source.kind === "stm") return findStmClips(source.path, options, turns);
  if (source.kind === "kaldi") return findKaldiClips(source.path, options, turns);
  if (source.kind === "folder") return findFolderClips(source.path, options, turns);
  return readManifest(source.path, source.isPart ? { ...options, splits: [source.name] } : options, turns);
}

/** The rows of a manifest itself, those of some splits where it tells them apart. */
async function findRows(
  path: string,
  split: string | undefined,
  options: FindOptions,
  turns: EventLoopTurns,
): Promise<Part> {
  if (isStm(path)) {
    const source: Source = { kind: "stm", path, name: split ?? "" };
    return { source, ...(await findStmClips(path, options, turns)) };
  }
  const asked = split === undefined ? undefined : splitNames(split);
  const { clips, problems, splits } = await readManifest(path, { ...options, splits: asked }, turns);
  if (splits.size === 0 && clips.length === 0 && problems.length === 0)
    throw new UserError(`${path} must hold utterances, but has no rows.`);
  for (const name of asked ?? []) if (!splits.has(name)) throw unknownSplit(name, [...splits], path);
  return { source: { kind: "manifest", path, name: split ?? "" }, clips, problems };
}

/** The clips whose ids stand in lists, out of all other splits. */
async function findListed(
  root: string,
  lists: readonly Source[],
  options: FindOptions,
  turns: EventLoopTurns,
): Promise<Part[]> {
  const read = lists.map(({ path }) => ({ path, lines: readIdList(path) }));
  const wanted = new Set(read.flatMap(({ lines }) => lines.flatMap(({ readings }) => readings)));
  const found: Part[] = [];
  const there = new Set<string>();
  for (const source of await findSplits(root, turns)) {
    if (source.kind === "ids") continue;
    const { clips, problems } = await findClips(source, options, turns);
    const part = {
      source,
      clips: clips.filter(({ id }) => wanted.has(id)),
      problems: problems.filter(({ id, kind }) => wanted.has(id) || OF_MANY.has(kind)),
    };
    found.push(part);
    for (const { id } of [...part.clips, ...part.problems]) there.add(id);
  }
  const listed = new Map<string, string>(); // id to where it is listed
  const wrong: CorpusProblem[] = [];
  for (const { path, lines } of read) {
    const { chosen, unknown } = chooseReadings(lines, (id) => there.has(id));
    if (chosen.length + unknown.length === 0)
      throw new UserError(`${path} must list ids of utterances, one a line, but lists none.`);
    const problem = (kind: CorpusProblem["kind"], id: string, line: number, message: string) =>
      wrong.push({ id, file: path, kind, message: `${path}:${line}: utterance ${id} must be ${message}` });
    for (const { id, line } of chosen) {
      const earlier = listed.get(id);
      if (earlier === undefined) listed.set(id, `${path}:${line}`);
      else problem("duplicate-id", id, line, `listed once, but is listed at ${earlier} too.`);
    }
    for (const { id, line } of unknown)
      problem("unknown-id", id, line, `one of the other splits in ${root}, but is not.`);
  }
  const parts: Part[] = [];
  for (const { source, clips, problems } of found) {
    const part = {
      source,
      clips: clips.filter(({ id }) => listed.has(id)),
      problems: problems.filter(({ id, kind }) => listed.has(id) || OF_MANY.has(kind)),
    };
    if (part.clips.length + part.problems.length > 0) parts.push(part);
  }
  if (wrong.length > 0) parts.push({ source: lists[0]!, clips: [], problems: wrong });
  return parts;
}
