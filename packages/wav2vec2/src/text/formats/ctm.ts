import { type Transcript, type TranscriptWriter, wordsOf } from "./transcript.js";

/**
 * NIST's time marked conversations, a word a line: file, channel, start, duration, word, confidence.
 * https://github.com/usnistgov/SCTK/blob/master/doc/infmts.htm
 */
export class CtmWriter implements TranscriptWriter {
  readonly #name: string;

  /** @param name the recording's; spaces, which divide fields, become underscores */
  constructor(name: string) {
    this.#name = name.replace(/\s/g, "_").replace(/^;/, "_"); // lines that begin with ;; are comments
  }

  begin(): string {
    return "";
  }

  add(transcript: Transcript): string {
    return wordsOf(transcript, "CTM")
      .map(({ text, start, end, confidence }) => {
        const word = text.replace(/\s/g, "_");
        return `${this.#name} 1 ${start.toFixed(3)} ${(end - start).toFixed(3)} ${word} ${confidence.toFixed(3)}\n`;
      })
      .join("");
  }

  end(): string {
    return "";
  }
}
