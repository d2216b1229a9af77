import type { TimedText, Transcript, TranscriptWriter } from "./transcript.js";

/** For people to read: a word a line, after its start and end in seconds and its confidence. */
export class WordTableWriter implements TranscriptWriter {
  readonly #characters: boolean;

  /** @param options.characters whether a word's characters follow it, indented */
  constructor({ characters = false }: { characters?: boolean } = {}) {
    this.#characters = characters;
  }

  begin(): string {
    return "";
  }

  add({ words }: Transcript): string {
    return words
      .map((word) => {
        const characters = this.#characters ? word.characters.map((each) => line(each, "  ")) : [];
        return [line(word, ""), ...characters].join("");
      })
      .join("");
  }

  end(): string {
    return "";
  }
}

function line({ text, start, end, confidence }: TimedText, indent: string): string {
  const times = [start, end].map((seconds) => seconds.toFixed(3).padStart(9)).join("");
  return `${times}  ${confidence.toFixed(3)}  ${indent}${text}\n`;
}
