import { UserError } from "../../errors.js";
import type { TranscribedUtterance, Utterance } from "../utterance.js";
import { type Corpus, type CorpusOptions, readCorpus } from "./corpus.js";

/**
 * The utterances of a split, of which there is at least one; transcribed unless `transcripts` is none.
 *
 * @throws UserError as {@link readCorpus}, and where no clip can be used
 */
export async function readSplit<T extends Utterance = TranscribedUtterance>(
  data: string,
  split: string | undefined,
  options: CorpusOptions,
): Promise<Corpus<T>> {
  const corpus = (await readCorpus(data, split, options)) as Corpus<T>;
  if (corpus.utterances.length > 0) return corpus;
  const [first] = corpus.problems;
  throw new UserError(
    `${split ?? data} must hold clips that can be used, but has none.${first ? ` The first problem: ${first.message}` : ""}`,
  );
}
