import { availableParallelism } from "node:os";
import { BOOLEAN, choice, PATH, requireArguments, TEXTS, whole } from "../../argument-kinds.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import type { Utterance } from "../utterance.js";
import { audioFindings, isSilent, narrowBandRemark } from "./audio-findings.js";
import type { DecodedClip } from "./check-clips.js";
import { type DecodeProgress, decodeClips } from "./decode-clips.js";
import { findDuplicates } from "./duplicates.js";
import type { CheckProblem, Remark } from "./findings.js";
import { readSplits, type SplitUtterances } from "./read-splits.js";
import { formRemarks, transcriptFindings } from "./transcript-findings.js";

export interface CheckOptions {
  /** Default: all. */
  splits?: readonly string[] | undefined;
  /** Default: required */
  transcripts?: "required" | "none" | undefined;
  /** Of the vocabulary, the space among them if it has one. Without, only control characters are problems. */
  characters?: ReadonlySet<string> | undefined;
  /** Whether audio is not decoded: what samples show is not found. Default: false */
  headersOnly?: boolean | undefined;
  /** Worker threads that decode. Default: one a core */
  threads?: number | undefined;
  /** Gets how many headers were read; `total` is unknown until all files are listed. */
  onHeaders?: ((done: number, total: number | undefined) => void) | undefined;
  /** Gets how many clips were decoded, of how many. */
  onDecoded?: ((done: DecodeProgress, total: DecodeProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface CorpusReport {
  /** All clips that were checked; one that is in several splits once. */
  utterances: Utterance[];
  /** Those without a problem. */
  good: Utterance[];
  /** Sorted by file and id. */
  problems: CheckProblem[];
  /** Sorted by file and id. */
  remarks: Remark[];
  /** How often each character is in the transcripts. */
  characters: Map<string, number>;
}

const OPTIONS = {
  splits: TEXTS,
  transcripts: choice("required", "none"),
  characters: { must: "a Set of characters", holds: (value) => value instanceof Set },
  headersOnly: BOOLEAN,
  threads: whole(1),
  onHeaders: true,
  onDecoded: true,
  signal: true,
} satisfies KnownOptions<CheckOptions>;

/**
 * Finds what is wrong with a corpus: everything that `readCorpus` finds, and by decoding every clip what is truncated,
 * corrupt, silent, clipped or there twice, and transcripts with characters outside a vocabulary.
 *
 * @param root what `readCorpus` takes
 * @throws UserError on an unknown split or a directory that cannot be read; the signal's reason once it is aborted
 */
export async function checkCorpus(root: string, options: CheckOptions = {}): Promise<CorpusReport> {
  requireArguments("checkCorpus", { root: [root, PATH] });
  requireOptions("checkCorpus", options, OPTIONS);
  const splits = await readSplits(root, { ...options, onProgress: options.onHeaders });
  const utterances = unique(splits.flatMap((split) => split.utterances));
  const problems: CheckProblem[] = splits.flatMap((split) => split.problems);
  const remarks: Remark[] = [];
  const characters = new Map<string, number>();
  for (const clip of utterances) {
    const findings = transcriptFindings(clip, options.characters);
    problems.push(...findings.problems);
    remarks.push(...findings.remarks);
    for (const character of clip.text ?? "") characters.set(character, (characters.get(character) ?? 0) + 1);
  }
  remarks.push(...formRemarks(utterances, options.characters));
  if (!options.headersOnly) {
    const decoded = await decode(utterances, options);
    const audible: { clip: Utterance; digest: string }[] = [];
    for (const [clip, result] of decoded) {
      const findings = audioFindings(clip, result);
      problems.push(...findings.problems);
      remarks.push(...findings.remarks);
      // All silent clips of a length are alike.
      if ("measures" in result && !isSilent(result.measures))
        audible.push({ clip, digest: result.measures.digest });
    }
    problems.push(...findDuplicates(audible));
    remarks.push(...splits.flatMap((split) => narrowBand(split, decoded)));
  }
  const bad = new Set(problems.map(({ id, file }) => key(id, file)));
  return {
    utterances,
    good: utterances.filter(({ id, path }) => !bad.has(key(id, path))),
    problems: sorted(problems),
    remarks: sorted(remarks),
    characters,
  };
}

/** Splits that are lists of ids name the clips of other splits. */
function unique(utterances: readonly Utterance[]): Utterance[] {
  const byKey = new Map<string, Utterance>();
  for (const clip of utterances) if (!byKey.has(clipKey(clip))) byKey.set(clipKey(clip), clip);
  return [...byKey.values()];
}

function key(id: string, file: string): string {
  return `${id}\0${file}`;
}

function clipKey({ id, path }: Utterance): string {
  return key(id, path);
}

async function decode(
  clips: readonly Utterance[],
  { threads = availableParallelism(), signal, onDecoded }: CheckOptions,
): Promise<Map<Utterance, DecodedClip>> {
  const total = { clips: clips.length, seconds: clips.reduce((sum, { seconds }) => sum + seconds, 0) };
  const done = { clips: 0, seconds: 0 };
  const results = await decodeClips(clips, {
    threads,
    signal,
    onDecoded: (more) => {
      done.clips += more.clips;
      done.seconds += more.seconds;
      onDecoded?.(done, total);
    },
  });
  return new Map(results.map((result, index) => [clips[index]!, result]));
}

function narrowBand({ name, utterances }: SplitUtterances, decoded: Map<Utterance, DecodedClip>): Remark[] {
  const clips = utterances.flatMap((clip) => {
    const result = decoded.get(clip); // absent for clips of another split, which that one tells of
    return result ? [{ clip, decoded: result }] : [];
  });
  return narrowBandRemark(name, clips);
}

/** By file and id, each finding once. */
function sorted<T extends { id: string; file: string; message: string }>(findings: readonly T[]): T[] {
  const distinct = new Map(
    findings.map((finding) => [`${finding.file}\0${finding.id}\0${finding.message}`, finding]),
  );
  return [...distinct].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, finding]) => finding);
}
