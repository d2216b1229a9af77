import type { Transcript, TranscriptWriter } from "./transcript.js";

/**
 * NIST's time marked conversations, a word a line: file, channel, start, duration, word, confidence.
 * https://github.com/usnistgov/SCTK/blob/master/doc/infmts.htm
 */
export class CtmWriter implements TranscriptWriter {
  readonly #name: string;

  /**
   * @param file the recording's; in CTM it goes without directory and ending. Spaces, which divide fields, become
   * underscores
   */
  constructor(file: string) {
    const name = file.replace(/^.*[/\\]/, "").replace(/\.(flac|wav|wave|rf64|mp3|ogg|oga|opus)$/i, "");
    this.#name = name.replace(/\s/g, "_").replace(/^;/, "_"); // lines that begin with ;; are comments
  }

  begin(): string {
    return "";
  }

  add({ words }: Transcript): string {
    return words
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
