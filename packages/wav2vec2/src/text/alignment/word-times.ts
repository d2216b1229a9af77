import { displayWidth } from "../../unicode/display-width.js";
import type { TimedText, TimedWord } from "../formats/transcript.js";
import type { CtcTokenizer } from "../tokenizer.js";
import { hasUnspacedScript } from "../unspaced-scripts.js";
import type { LabelSpan } from "./forced-alignment.js";
import { tokenWords } from "./token-words.js";

/** What no word exceeds: a line of subtitles, and the time that one is shown for. */
const LONGEST_WORD = { columns: 42, seconds: 7 };

/** A word and which labels spell it. */
export interface SpelledWord {
  text: string;
  /** Mostly a character and its label. */
  characters: readonly {
    text: string;
    /** Its first label. */
    first: number;
    /** The label behind its last. */
    behind: number;
  }[];
}

/** Where frames lie in a recording. */
export interface TimeRange {
  /** From one frame to the next. */
  secondsPerFrame: number;
  /** Where the first frame begins. */
  startSeconds: number;
  /** What no time lies beyond. */
  endSeconds: number;
}

/**
 * Words of labels as the tokenizer decodes them, with the times of {@link wordTimes}. Where the vocabulary has no word delimiter
 * each token is one, with what belongs to it ({@link tokenWords}).
 */
export function timedWords(
  tokenizer: CtcTokenizer,
  labels: Int32Array,
  spans: readonly LabelSpan[],
  range: TimeRange,
): TimedWord[] {
  return wordTimes(decodedWords(tokenizer, labels), spans, range);
}

function decodedWords({ vocabulary, lowerCase, phonemes }: CtcTokenizer, labels: Int32Array): SpelledWord[] {
  const words: SpelledWord[] = [];
  let characters: SpelledWord["characters"][number][] = [];
  const finish = (): void => {
    const text = characters.map(({ first }) => vocabulary.tokens[labels[first]!]!).join("");
    // As a whole: a sigma in lower case depends on what follows.
    if (characters.length > 0) words.push({ text: lowerCase ? text.toLowerCase() : text, characters });
    characters = [];
  };
  for (const [index, label] of labels.entries()) {
    if (label === vocabulary.delimiterId) {
      finish();
    } else if (!vocabulary.isSpecial(label)) {
      const token = vocabulary.tokens[label]!;
      characters.push({ text: lowerCase ? token.toLowerCase() : token, first: index, behind: index + 1 });
      if (phonemes) finish();
    }
  }
  finish();
  return vocabulary.delimiterId === undefined ? words.flatMap(tokenWords) : words;
}

/**
 * Words with their characters' times in seconds. Frame f stands for the time from f to f + 1 times `secondsPerFrame`,
 * as in Hugging Face's offsets: a character begins where its first frame begins and ends where its last one ends, and a
 * word lasts from its first character to its last. CTC networks are sure of most characters at a frame or two only, so
 * that there is time between them. Confidence is the mean probability over a character's frames, of a word over those
 * of all its characters, as in torchaudio's tutorials.
 *
 * What is too long to be a word, in a script that is written without spaces, is divided into its characters
 * ({@link tokenWords}): many recognisers of such languages have a word delimiter that they never write.
 *
 * @param spans of the labels, in order
 */
export function wordTimes(
  words: readonly SpelledWord[],
  spans: readonly LabelSpan[],
  { secondsPerFrame, startSeconds, endSeconds }: TimeRange,
): TimedWord[] {
  // Without the noise of floating point: 1.64, not 1.6400000000000001.
  const time = (frame: number): number =>
    Math.min(Number((startSeconds + frame * secondsPerFrame).toFixed(6)), endSeconds);
  const timed = (text: string, of: readonly LabelSpan[]): TimedText => ({
    text,
    start: time(of[0]!.start),
    end: time(of.at(-1)!.end),
    confidence: meanProbability(of),
  });
  const timedWord = ({ text, characters }: SpelledWord): TimedWord => ({
    ...timed(
      text,
      characters.flatMap(({ first, behind }) => spans.slice(first, behind)),
    ),
    characters: characters.map(({ text: character, first, behind }) =>
      timed(character, spans.slice(first, behind)),
    ),
  });
  return words.flatMap((word) => {
    const whole = timedWord(word);
    return isPhrase(whole) ? tokenWords(word).map(timedWord) : [whole];
  });
}

/** Whether something that no space divides is more than a word. */
function isPhrase({ text, start, end }: TimedText): boolean {
  return (
    hasUnspacedScript(text) &&
    (displayWidth(text) > LONGEST_WORD.columns || end - start > LONGEST_WORD.seconds)
  );
}

/** Over all frames of some spans; 0 where there is none. */
export function meanProbability(spans: readonly LabelSpan[]): number {
  let [sum, frames] = [0, 0];
  for (const { start, end, probability } of spans) {
    sum += probability * (end - start);
    frames += end - start;
  }
  return frames > 0 ? Math.min(1, sum / frames) : 0;
}
