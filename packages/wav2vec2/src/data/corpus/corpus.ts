import {
  choice,
  ERROR_OR_SKIP,
  optional,
  PATH,
  requireArguments,
  TEXT,
  TEXTS,
} from "../../argument-kinds.js";
import { UserError } from "../../errors.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import type { TranscribedUtterance, Utterance } from "../utterance.js";
import type { Clip } from "./corpus-clip.js";
import { Exclusion, readIdList } from "./corpus-list.js";
import { audioFiles, measureClips } from "./corpus-measure.js";
import { findParts, type Part } from "./corpus-parts.js";
import type { CorpusProblem } from "./corpus-problem.js";
import { EventLoopTurns } from "./corpus-turns.js";
import { defaultCache } from "./index/index-file.js";

export type { CorpusProblem, ProblemKind } from "./corpus-problem.js";
export { listSplits } from "./corpus-splits.js";

const PROGRESS_MS = 100;

export interface CorpusOptions {
  /** `none` reads unlabelled speech: transcripts are neither needed nor kept. */
  transcripts?: "required" | "none" | undefined;
  /**
   * Names of a manifest's columns to keep with each utterance. In a directory of audio without a table `label` is the name of
   * the directory that a file lies in, as Hugging Face's `audiofolder` has it.
   */
  columns?: readonly string[] | undefined;
  /** Whether the first problem is thrown, with the number of others, or utterances with problems are left out. */
  onProblem?: "error" | "skip" | undefined;
  /** A file of ids or audio files to leave out, one a line; `#` begins a comment. See `readIdList`. */
  exclude?: string | undefined;
  /** Called now and then with the number of audio files whose lengths are known, and of all once that is known. */
  onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Directory of the index of lengths (`defaultCache`); none is kept where it is false. */
  cache?: string | false | undefined;
}

export const CORPUS_OPTIONS = {
  transcripts: choice("required", "none"),
  columns: TEXTS,
  onProblem: ERROR_OR_SKIP,
  exclude: PATH,
  onProgress: true,
  signal: true,
  cache: { ...PATH, must: "a path or false", holds: (value) => value === false || PATH.holds(value) },
} satisfies KnownOptions<CorpusOptions>;

export interface Corpus<T extends Utterance = Utterance> {
  /** Those without a problem, sorted by id. */
  utterances: T[];
  /** Sorted by file; none where problems are thrown. */
  problems: CorpusProblem[];
  /** Clips that the list `exclude` left out. */
  excluded: number;
  /** Lines of the list `exclude` that fit nothing here. */
  unknownExclusions: readonly { id: string; line: number }[];
}

/**
 * Lists the utterances of a corpus. `root` is a directory in LibriSpeech's layout, one that holds manifests
 * `<split>.jsonl`, `.csv` or `.tsv` (Common Voice's is such a one), one that holds a directory of audio files for
 * each split, or a manifest itself, whose column `split` then tells the splits apart.
 *
 * Lengths come from the headers of the audio files, and those from an index where a file has not changed.
 * @param split one or, with + between them, several; a directory of audio files or a manifest needs none
 * @throws UserError on an unknown split, an unreadable corpus or manifest, or, unless `onProblem` is `skip`, on
 * problems with utterances and on a corpus without any
 */
export async function readCorpus(
  root: string,
  split: string | undefined,
  options?: CorpusOptions & { transcripts?: "required" | undefined },
): Promise<Corpus<TranscribedUtterance>>;
export async function readCorpus(
  root: string,
  split: string | undefined,
  options?: CorpusOptions,
): Promise<Corpus>;
export async function readCorpus(
  root: string,
  split: string | undefined,
  options: CorpusOptions = {},
): Promise<Corpus> {
  requireArguments("readCorpus", { root: [root, PATH], split: [split, optional(TEXT)] });
  requireOptions("readCorpus", options, CORPUS_OPTIONS);
  const {
    transcripts = "required",
    onProblem = "error",
    cache = defaultCache(),
    columns,
    onProgress,
  } = options;
  const turns = new EventLoopTurns(options.signal);
  onProgress?.(0, undefined);
  const parts = await findParts(root, split, { transcripts, columns }, turns);
  const problems = parts.flatMap((part) => part.problems);
  const listed = options.exclude === undefined ? undefined : readIdList(options.exclude);
  const excluded =
    listed && new Exclusion(listed, root, { clips: parts.flatMap(({ clips }) => clips), problems });
  let leftOut = 0;
  if (excluded)
    for (const part of parts) {
      const { length } = part.clips;
      part.clips = part.clips.filter((clip) => !excluded.has(clip));
      leftOut += length - part.clips.length;
    }
  leaveOutDuplicates(parts, problems);

  const files = new FileCount(parts, onProgress);
  const utterances: Utterance[] = [];
  for (const part of parts) {
    const found = await measureClips(part, { transcripts, cache, turns, onFile: () => files.add() });
    for (const utterance of found.utterances) utterances.push(utterance);
    for (const problem of found.problems) problems.push(problem);
    part.clips = []; // of a large corpus they are as large as the utterances
  }
  onProgress?.(files.total, files.total);
  utterances.sort((a, b) => order(a.id, b.id));
  const counted = excluded ? problems.filter((problem) => !excluded.covers(problem)) : problems;
  counted.sort((a, b) => order(a.file, b.file));
  if (onProblem === "error") refuse(counted);
  if (onProblem === "error" && utterances.length === 0) throw noUtterances(root, split, parts);
  return { utterances, problems: counted, excluded: leftOut, unknownExclusions: excluded?.unknown ?? [] };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function leaveOutDuplicates(parts: readonly Part[], problems: CorpusProblem[]): void {
  // Mostly there are none, and sorted ids, as directories have them, show it at less cost than a map.
  const ids = parts.flatMap((part) => part.clips.map(({ id }) => id)).sort(order);
  if (!ids.some((id, i) => id === ids[i + 1])) return;
  const first = new Map<string, Clip>();
  for (const part of parts) {
    const isNew = (clip: Clip) => {
      const earlier = first.get(clip.id);
      if (!earlier) {
        first.set(clip.id, clip);
        return true;
      }
      const [here, there] = [clip, earlier].map(({ where, path }) => where ?? path);
      const twice = clip.path === earlier.path && clip.where === earlier.where;
      problems.push({
        id: clip.id,
        file: clip.path,
        kind: "duplicate-id",
        message: twice
          ? `${here}: utterance ${clip.id} must be in one of the splits that are joined, but is in several. Name one of them.`
          : `${here}: utterance ${clip.id} must stand once, but stands at ${there} too.`,
      });
      return false;
    };
    part.clips = part.clips.filter(isNew);
  }
}

/** Counts audio files for a progress line. */
class FileCount {
  readonly total: number;
  #done = 0;
  #told = performance.now();

  constructor(
    parts: readonly Part[],
    readonly onProgress: CorpusOptions["onProgress"],
  ) {
    this.total = parts.reduce((sum, part) => sum + audioFiles(part).length, 0);
  }

  add(): void {
    this.#done++;
    if (!this.onProgress || performance.now() - this.#told < PROGRESS_MS) return;
    this.onProgress(this.#done, this.total);
    this.#told = performance.now();
  }
}

function refuse(problems: readonly CorpusProblem[]): void {
  const [first] = problems;
  if (!first) return;
  const others = problems.length - 1;
  const more =
    others === 0 ? "" : ` There ${others === 1 ? "is 1 more problem" : `are ${others} more problems`}.`;
  throw new UserError(`${first.message}${more}`);
}

function noUtterances(root: string, split: string | undefined, parts: readonly Part[]): UserError {
  const what = split === undefined ? root : `split ${split} in ${root}`;
  const lacks = parts.every(({ source }) => source.kind === "librispeech")
    ? "holds no .flac file"
    : "holds none that is not left out";
  return new UserError(`${what} must hold utterances, but ${lacks}.`);
}
