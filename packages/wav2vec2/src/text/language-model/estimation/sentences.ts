import { readSplit } from "../../../data/corpus/read-split.js";
import { ConfigurationError } from "../../../errors.js";
import { readTextLines } from "../text-lines.js";

/** Where the sentences of a language model come from: texts, a sentence a line, and the transcripts of a corpus. */
export interface SentenceSource {
  /** Plain or gzipped. */
  texts?: readonly string[] | undefined;
  /** A corpus as `readCorpus` takes it. */
  data?: string | undefined;
  split?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface Sentences {
  lines: string[];
  /** Where one of the lines stands, for messages. */
  where(line: number): string;
}

/**
 * All sentences, many at a time. Clips of a corpus that cannot be used are left out.
 *
 * @throws UserError where there is none, or a text or corpus cannot be read
 */
export async function* readSentences({
  texts = [],
  data,
  split,
  signal,
}: SentenceSource): AsyncGenerator<Sentences> {
  if (texts.length === 0 && data === undefined)
    throw new ConfigurationError("There must be a text or --data, but there is neither. Give one.");
  for (const path of texts) {
    let first = 1;
    for await (const lines of readTextLines(path)) {
      signal?.throwIfAborted();
      const begin = first;
      yield { lines, where: (line) => `${path}:${begin + line}` };
      first += lines.length;
    }
  }
  if (data === undefined) return;
  const { utterances } = await readSplit(data, split, { onProblem: "skip", signal });
  yield { lines: utterances.map(({ text }) => text), where: (line) => utterances[line]!.id };
}
