import type { Transcript, TranscriptWriter } from "./transcript.js";

/** The text alone, a line for each part of the recording in which something was said. */
export class TextWriter implements TranscriptWriter {
  #empty = true;

  begin(): string {
    return "";
  }

  add({ text }: Transcript): string {
    if (text === "") return "";
    this.#empty = false;
    return `${text}\n`;
  }

  /** A recording without words is an empty line. */
  end(): string {
    return this.#empty ? "\n" : "";
  }
}
