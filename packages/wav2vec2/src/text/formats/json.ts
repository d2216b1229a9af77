import { joinTexts } from "../unspaced-scripts.js";
import { rounded, roundTime } from "./rounding.js";
import type { TimedText, TimedWord, Transcript, TranscriptWriter } from "./transcript.js";

/** One object: file, text, duration and the words with their times; `characters` where they are asked for. */
export class JsonWriter implements TranscriptWriter {
  readonly #file: string;
  readonly #characters: boolean;
  #words = 0;
  #texts: string[] = [];
  #end = 0;

  /** @param options.characters whether words list their characters */
  constructor(file: string, { characters = false }: { characters?: boolean } = {}) {
    this.#file = file;
    this.#characters = characters;
  }

  begin(): string {
    return `{\n  "file": ${JSON.stringify(this.#file)},\n  "words": [`;
  }

  add({ text, words, end }: Transcript): string {
    if (text) this.#texts.push(text);
    this.#end = end;
    return words
      .map((word) => `${this.#words++ ? "," : ""}\n    ${JSON.stringify(wordEntry(word, this.#characters))}`)
      .join("");
  }

  end(error?: string): string {
    const failure = error === undefined ? "" : `,\n  "error": ${JSON.stringify(error)}`;
    const text = JSON.stringify(joinTexts(this.#texts));
    return `${this.#words ? "\n  " : ""}],\n  "text": ${text},\n  "duration": ${roundTime(this.#end)}${failure}\n}`;
  }
}

/** A transcript as one line: text, start and end in seconds, words; `characters` where they are asked for. */
export function transcriptLine({ text, start, end, words }: Transcript, characters: boolean): string {
  const entries = words.map((word) => wordEntry(word, characters));
  return JSON.stringify({ text, start: roundTime(start), end: roundTime(end), words: entries });
}

function wordEntry(word: TimedWord, characters: boolean): TimedText {
  return { ...rounded(word), ...(characters && { characters: word.characters.map(rounded) }) };
}
