import type { TimedWord } from "../../../wav2vec2/src/web/index.js";

/** Pairs of places of equal words, in order, as many as there can be. */
export function commonWords(one: readonly string[], other: readonly string[]): [number, number][] {
  const width = other.length + 1;
  const lengths = new Uint32Array((one.length + 1) * width);
  for (let i = one.length - 1; i >= 0; i--)
    for (let j = other.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        one[i] === other[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < one.length && j < other.length; ) {
    if (one[i] === other[j]) pairs.push([i++, j++]);
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return pairs;
}

/**
 * The words of a text that somebody corrected, with times: those that stayed keep theirs, others share what lies between them.
 *
 * @param words of the text before
 * @param range of the text, seconds
 */
export function retimed(
  words: readonly TimedWord[],
  text: string,
  range: { start: number; end: number },
): TimedWord[] {
  const written = text.split(/\s+/).filter(Boolean);
  const kept = new Map(
    commonWords(
      words.map((word) => word.text),
      written,
    ).map(([from, to]) => [to, from]),
  );
  const result: TimedWord[] = [];
  for (let at = 0; at < written.length; ) {
    const from = kept.get(at);
    if (from !== undefined) {
      result.push(words[from]!);
      at++;
      continue;
    }
    let behind = at;
    while (behind < written.length && !kept.has(behind)) behind++;
    // As many words as before keep their times, one by one; others share the stretch.
    const before = kept.get(at - 1) ?? -1;
    const next = kept.get(behind) ?? words.length;
    const replaced = words.slice(before + 1, next);
    const start = replaced[0]?.start ?? result.at(-1)?.end ?? range.start;
    const end = replaced.at(-1)?.end ?? words[next]?.start ?? range.end;
    const count = behind - at;
    for (let i = 0; i < count; i++) {
      const own = replaced.length === count ? replaced[i] : undefined;
      const share = (end - start) / count;
      const times = own ?? { start: start + i * share, end: start + (i + 1) * share };
      result.push({
        text: written[at + i]!,
        start: times.start,
        end: times.end,
        confidence: 1,
        characters: [],
      });
    }
    at = behind;
  }
  return result;
}
