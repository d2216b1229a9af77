import type { Steps } from "../../../in-turns.js";

/** Words that are sorted at once, and that are merged in one step. */
const SORTED = 2 ** 11;
const MERGED = 2 ** 13;

/** Words by their UTF-16 units, as `sort` orders them, in steps. */
export function* sortedInSteps(words: readonly string[]): Steps<string[]> {
  let runs: string[][] = [];
  for (let at = 0; at < words.length; at += SORTED) {
    runs.push(words.slice(at, at + SORTED).sort());
    yield;
  }
  while (runs.length > 1) {
    const longer: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [first, second] = [runs[i]!, runs[i + 1]];
      longer.push(second ? yield* merged(first, second) : first);
    }
    runs = longer;
  }
  return runs[0] ?? [];
}

function* merged(a: readonly string[], b: readonly string[]): Steps<string[]> {
  const all: string[] = [];
  for (let i = 0, j = 0; all.length < a.length + b.length; ) {
    all.push(j === b.length || (i < a.length && a[i]! <= b[j]!) ? a[i++]! : b[j++]!);
    if (all.length % MERGED === 0) yield;
  }
  return all;
}
