import type { TimedWord } from "./transcript.js";

/** Words that are shown together, as subtitles. */
export interface Cue {
  start: number;
  end: number;
  /** One or two. */
  lines: string[];
}

// Netflix's Timed Text Style Guide and the BBC's guidelines: 42 (37) characters a line, two lines, 7 seconds at most.
const LINE = 42;
const LONGEST = 7;
/** Seconds between two words that divide cues. */
const PAUSE = 0.8;
/** A cue stays for as long, where the next one leaves time. */
const SHORTEST = 1;

/**
 * Groups words into cues of at most two lines and seven seconds that do not overlap; a pause divides them. A word that
 * is longer than a line has its own.
 *
 * @param until seconds up to which the last cue may stay
 */
export function cuesOf(words: readonly TimedWord[], until: number): Cue[] {
  const groups: TimedWord[][] = [];
  for (const word of words) {
    const group = groups.at(-1);
    const fits =
      group !== undefined &&
      word.start - group.at(-1)!.end < PAUSE &&
      word.end - group[0]!.start <= LONGEST &&
      linesOf([...group, word]).length <= 2;
    if (fits) group.push(word);
    else groups.push([word]);
  }
  return groups.map((group, index) => {
    const start = group[0]!.start;
    const next = groups[index + 1]?.[0]?.start ?? Math.max(until, group.at(-1)!.end);
    const end = Math.min(next, Math.max(group.at(-1)!.end, start + SHORTEST));
    return { start, end, lines: balanced(linesOf(group)) };
  });
}

/** Lines filled one after another. */
function linesOf(words: readonly { text: string }[]): string[] {
  const lines: string[] = [];
  for (const { text } of words) {
    const longer = `${lines.at(-1)} ${text}`;
    if (lines.length > 0 && longer.length <= LINE) lines[lines.length - 1] = longer;
    else lines.push(text);
  }
  return lines;
}

/** Two lines of about the same length. */
function balanced(lines: string[]): string[] {
  if (lines.length < 2) return lines;
  const words = lines.join(" ").split(" ");
  let best = lines;
  for (let count = 1; count < words.length; count++) {
    const pair = [words.slice(0, count).join(" "), words.slice(count).join(" ")];
    if (longest(pair) < longest(best)) best = pair;
  }
  return best;
}

function longest(lines: readonly string[]): number {
  return Math.max(...lines.map(({ length }) => length));
}
