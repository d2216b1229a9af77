import { type Corpus, readCorpus } from "./corpus.js";
import type { TranscribedUtterance } from "./utterance.js";

/**
 * The transcribed utterances of a split, sorted by id: {@link readCorpus} with the first problem thrown.
 * @param root the directory that holds `LibriSpeech/<split>` or `<split>`
 * @throws UserError on an unknown split, an empty one, or any problem: the first one and the number of others
 */
export async function readLibriSpeech(root: string, split: string): Promise<TranscribedUtterance[]> {
  return (await readCorpus(root, split)).utterances;
}

/**
 * Finds everything that is wrong with a split, short of decoding its audio.
 * @throws UserError on an unknown split or an unreadable directory
 */
export function checkLibriSpeech(root: string, split: string): Promise<Corpus<TranscribedUtterance>> {
  return readCorpus(root, split, { onProblem: "skip" });
}
