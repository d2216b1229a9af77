import { UserError } from "../../errors.js";
import { findFolderClips } from "./audio-folder.js";
import type { Clip, FindOptions, FoundClips } from "./corpus-clip.js";
import { readSplitList } from "./corpus-list.js";
import type { CorpusProblem } from "./corpus-problem.js";
import { findSources, findSplits, isFile, type Source, splitNames, unknownSplit } from "./corpus-splits.js";
import type { EventLoopTurns } from "./corpus-turns.js";
import { findLibriSpeechClips } from "./librispeech-clips.js";
import { readManifest } from "./manifest-reader.js";

/** What one directory or manifest lists of the utterances that were asked for. */
export interface Part {
  source: Source;
  clips: Clip[];
  problems: CorpusProblem[];
}

/** Problems of a whole directory, which are named by no utterance's id. */
const OF_MANY = new Set<CorpusProblem["kind"]>(["unreadable-transcripts", "unreadable-directory"]);

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
  if (source.kind === "folder") return findFolderClips(source.path, options, turns);
  return readManifest(source.path, options, turns);
}

/** The rows of a manifest itself, those of some splits where it tells them apart. */
async function findRows(
  path: string,
  split: string | undefined,
  options: FindOptions,
  turns: EventLoopTurns,
): Promise<Part> {
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
  const missing = new Map<string, string>(); // id to where it is listed
  const unknown: CorpusProblem[] = [];
  for (const { path } of lists)
    for (const { id, line } of readSplitList(path)) {
      const where = `${path}:${line}`;
      const earlier = missing.get(id);
      if (earlier !== undefined)
        unknown.push({
          id,
          file: path,
          kind: "duplicate-id",
          message: `${where}: utterance ${id} must be listed once, but is listed at ${earlier} too.`,
        });
      else missing.set(id, where);
    }
  const listed = new Set(missing.keys());
  const parts: Part[] = [];
  for (const source of await findSplits(root, turns)) {
    if (source.kind === "ids") continue;
    const found = await findClips(source, options, turns);
    const clips = found.clips.filter(({ id }) => listed.has(id));
    const problems = found.problems.filter(({ id, kind }) => listed.has(id) || OF_MANY.has(kind));
    for (const { id } of [...clips, ...problems]) missing.delete(id);
    if (clips.length + problems.length > 0) parts.push({ source, clips, problems });
  }
  for (const [id, where] of missing)
    unknown.push({
      id,
      file: where.slice(0, where.lastIndexOf(":")),
      kind: "unknown-id",
      message: `${where}: utterance ${id} must be one of the other splits in ${root}, but is not.`,
    });
  if (unknown.length > 0) parts.push({ source: lists[0]!, clips: [], problems: unknown });
  return parts;
}
