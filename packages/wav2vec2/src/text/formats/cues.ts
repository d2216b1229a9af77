import { displayWidth, isWide } from "../../unicode/display-width.js";
import { graphemes } from "../../unicode/unicode-forms.js";
import { hasUnspacedScript } from "../unspaced-scripts.js";
import type { SpacedWord } from "./transcript.js";

/** Words that are shown together, as subtitles. */
export interface Cue {
  start: number;
  end: number;
  /** One or two. */
  lines: string[];
}

// Netflix's Timed Text Style Guides and the BBC's guidelines: two lines of 42 (37) characters, 7 seconds at most.
const LINE = 42;
/** Columns of a line with full-width characters, which take two: the 16 of Netflix's guides for Chinese and Korean. */
const WIDE_LINE = 32;
/** Columns of a line of Thai (Netflix's), and of the scripts around it, whose letters are as wide. */
const THAI_LINE = 35;
const THAI_AND_NEIGHBOURS = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const LONGEST = 7;
/** Seconds between two words that divide cues. */
const PAUSE = 0.8;
/** Seconds between two characters of a writing without spaces behind which a cue or line rather ends. */
const SHORT_PAUSE = 0.2;
/** A cue stays for as long, where the next one leaves time. */
const SHORTEST = 1;

/** What is never divided: a word, or of what has no room as a whole, a character. */
interface Unit {
  text: string;
  start: number;
  end: number;
  spaced: boolean;
  /** Columns, and how many a line with it may have. */
  width: number;
  limit: number;
  /** Whether a dictionary has a word begin here. */
  begins?: boolean;
}

/**
 * Groups words into cues of at most two lines and seven seconds that do not overlap; a pause divides them. In writing without
 * spaces a cue and a line end rather behind a sentence, a clause or a short pause. A word that is longer than a line or than seven
 * seconds is divided at its characters; one character is shown for seven seconds at most.
 *
 * @param until seconds up to which the last cue may stay
 */
export function cuesOf(words: readonly SpacedWord[], until: number): Cue[] {
  const groups: Unit[][] = [];
  for (const unit of withBeginnings(words.flatMap(unitsOf))) {
    const group = groups.at(-1);
    if (group === undefined || unit.start - group.at(-1)!.end >= PAUSE) groups.push([unit]);
    else if (fits([...group, unit])) group.push(unit);
    else groups.push([...divided(group, unit), unit]);
  }
  return groups.map((group, index) => {
    const { start } = group[0]!;
    const { end } = group.at(-1)!;
    const next = groups[index + 1]?.[0]?.start ?? Math.max(until, end);
    const stays = Math.min(next, Math.max(end, start + SHORTEST), start + LONGEST);
    return { start, end: stays, lines: balanced(group) };
  });
}

function fits(units: readonly Unit[]): boolean {
  return units.at(-1)!.end - units[0]!.start <= LONGEST && linesOf(units).length <= 2;
}

/** A word, or where it has no room in a line or in seven seconds, its characters. */
function unitsOf(word: SpacedWord): Unit[] {
  const unit = measured(word, word.spaced);
  if (unit.width <= unit.limit && unit.end - unit.start <= LONGEST) return [unit];
  return charactersOf(word).map((character, index) => measured(character, word.spaced && index === 0));
}

function measured({ text, start, end }: Pick<Unit, "text" | "start" | "end">, spaced: boolean): Unit {
  const limit = graphemes(text).some(isWideLetter)
    ? WIDE_LINE
    : THAI_AND_NEIGHBOURS.test(text)
      ? THAI_LINE
      : LINE;
  return { text, start, end, spaced, width: displayWidth(text), limit };
}

/** The characters of a word with their times; evenly over it where they are not known. */
function charactersOf({
  text,
  start,
  end,
  characters = [],
}: SpacedWord): Pick<Unit, "text" | "start" | "end">[] {
  if (characters.length > 1 && characters.map((each) => each.text).join("") === text) return [...characters];
  const parts = graphemes(text);
  const time = (index: number): number => start + ((end - start) * index) / parts.length;
  return parts.map((part, index) => ({ text: part, start: time(index), end: time(index + 1) }));
}

/**
 * Marks where words begin in writing without spaces, by ICU's dictionaries. ICU does not promise that they stay the same, so they
 * decide nothing but which of places that are else as good a line ends at.
 */
function withBeginnings(units: readonly Unit[]): readonly Unit[] {
  const text = textOf(units);
  if (!hasUnspacedScript(text)) return units;
  const segments = new Intl.Segmenter("und", { granularity: "word" }).segment(text);
  const beginnings = new Set([...segments].map(({ index }) => index));
  let at = 0;
  return units.map((unit, index) => {
    if (unit.spaced && index > 0) at++;
    const marked = { ...unit, begins: beginnings.has(at) };
    at += unit.text.length;
    return marked;
  });
}

/** Takes from a full group, before `next`, what rather stands in the next one. */
function divided(group: Unit[], next: Unit): Unit[] {
  const units = [...group, next];
  const earliest = Math.ceil(group.length / 2);
  let best = group.length;
  for (let at = group.length - 1; at >= earliest; at--)
    if (goodness(units, at) > goodness(units, best)) best = at;
  // What moves must still have room beside `next`.
  return best < group.length && fits(units.slice(best)) ? group.splice(best) : [];
}

const SENTENCE_END = /[。．！？!?.…။។༎]["'”’」』）)]*$/u;
const CLAUSE_END = /[、，；：,;:၊༌་ๆฯ]["'”’」』）)]*$/u;
/** What does not begin a line in Japanese. */
const NO_BEGINNING = /^[ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮー々ゝヽ\p{M}\p{Pe}\p{Pf}\p{Po}]/u;
const WORDS_WITH_SPACES = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}]+$/u;

/** How good a place between two units is for a cue or a line to end; a space is as good as any other space. */
function goodness(units: readonly Unit[], at: number): number {
  const [before, behind] = [units[at - 1]!, units[at]!];
  if (behind.spaced) return 3;
  if (NO_BEGINNING.test(behind.text)) return -3;
  if (WORDS_WITH_SPACES.test(before.text) && WORDS_WITH_SPACES.test(behind.text)) return -2;
  if (SENTENCE_END.test(before.text)) return 4;
  if (CLAUSE_END.test(before.text)) return 3;
  if (behind.start - before.end >= SHORT_PAUSE) return 2;
  return behind.begins ? 1 : 0;
}

function isWideLetter(grapheme: string): boolean {
  return isWide(grapheme) && /^\p{L}/u.test(grapheme); // an emoji makes no Chinese of a line
}

function textOf(units: readonly Unit[]): string {
  return units.map(({ text, spaced }, index) => (spaced && index > 0 ? ` ${text}` : text)).join("");
}

function widthOf(units: readonly Unit[]): number {
  return units.reduce((sum, { width, spaced }, index) => sum + width + (spaced && index > 0 ? 1 : 0), 0);
}

function isLine(units: readonly Unit[]): boolean {
  return widthOf(units) <= Math.min(...units.map(({ limit }) => limit));
}

/** Lines filled one after another. */
function linesOf(units: readonly Unit[]): Unit[][] {
  const lines: Unit[][] = [];
  for (const unit of units) {
    const line = lines.at(-1);
    if (line && isLine([...line, unit])) line.push(unit);
    else lines.push([unit]);
  }
  return lines;
}

/** Two lines of about the same width, divided where that is good. */
function balanced(units: readonly Unit[]): string[] {
  const filled = linesOf(units);
  if (filled.length < 2) return filled.map(textOf);
  const divisions = units.slice(1).map((_, before) => {
    const lines = [units.slice(0, before + 1), units.slice(before + 1)];
    // A good place is worth three columns of difference for each of its points.
    return { lines, cost: Math.max(...lines.map(widthOf)) - 3 * goodness(units, before + 1) };
  });
  return divisions
    .filter(({ lines }) => lines.every(isLine))
    .reduce((best, each) => (each.cost < best.cost ? each : best), divisions[filled[0]!.length - 1]!)
    .lines.map(textOf);
}
