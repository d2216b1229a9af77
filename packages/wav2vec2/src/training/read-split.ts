import { type Corpus, type CorpusOptions, readCorpus } from "../data/corpus/corpus.js";
import type { TranscribedUtterance } from "../data/utterance.js";
import { UserError } from "../errors.js";

/**
 * The transcribed utterances of a split, of which there is at least one.
 *
 * @throws UserError as {@link readCorpus}, and where no clip can be used
 */
export async function readSplit(
  data: string,
  split: string | undefined,
  options: Omit<CorpusOptions, "transcripts">,
): Promise<Corpus<TranscribedUtterance>> {
  const corpus = await readCorpus(data, split, { ...options, transcripts: "required" });
  if (corpus.utterances.length > 0) return corpus;
  const [first] = corpus.problems;
  throw new UserError(
    `${split ?? data} must hold clips that can be used, but has none.${first ? ` The first problem: ${first.message}` : ""}`,
  );
}
