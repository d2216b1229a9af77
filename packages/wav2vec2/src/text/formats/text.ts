import { lineName } from "../../files/line-name.js";
import { joinTexts } from "../unspaced-scripts.js";
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
  end(error?: string): string {
    return this.#empty && error === undefined ? "\n" : "";
  }
}

/** The text of a recording among others: its name, a tab and all that was said in one line. */
export class NamedTextWriter implements TranscriptWriter {
  readonly #file: string;
  readonly #texts: string[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  begin(): string {
    return "";
  }

  add({ text }: Transcript): string {
    if (text) this.#texts.push(text);
    return "";
  }

  /** Half a recording is none. */
  end(error?: string): string {
    return error === undefined ? `${lineName(this.#file)}\t${joinTexts(this.#texts)}\n` : "";
  }
}
