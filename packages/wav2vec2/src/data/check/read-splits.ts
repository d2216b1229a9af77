import { basename, resolve } from "node:path";
import { UserError } from "../../errors.js";
import { type CorpusProblem, listSplits, readCorpus } from "../corpus/corpus.js";
import { audioBesideSplits } from "../corpus/corpus-splits.js";
import type { Utterance } from "../utterance.js";

export interface SplitUtterances {
  name: string;
  utterances: Utterance[];
  problems: CorpusProblem[];
}

export interface ReadSplitsOptions {
  /** Default: all */
  splits?: readonly string[] | undefined;
  transcripts?: "required" | "none" | undefined;
  /** Of the audio files of each split. */
  onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Reads splits of a corpus one by one, problems left out and listed. A corpus without splits is one, of its own name.
 * @param root what `readCorpus` takes
 * @throws UserError on an unknown split, or where there is no utterance at all
 */
export async function readSplits(root: string, options: ReadSplitsOptions): Promise<SplitUtterances[]> {
  const { splits = await listSplits(root), transcripts, onProgress, signal } = options;
  const names = splits.length > 0 ? splits : [undefined];
  const read: SplitUtterances[] = [];
  for (const name of names) {
    const corpus = await readCorpus(root, name, { transcripts, onProblem: "skip", onProgress, signal });
    if (name !== undefined) for (const utterance of corpus.utterances) utterance.split ??= name; // for a manifest of them
    read.push({ name: name ?? basename(resolve(root)), ...corpus });
  }
  // Whoever asks for all splits means all that is there.
  const beside = options.splits === undefined ? await audioBesideSplits(root) : [];
  read[0]?.problems.push(...beside);
  if (read.every(({ utterances, problems }) => utterances.length + problems.length === 0))
    throw new UserError(`${root} must hold utterances, but holds none.`);
  return read;
}
