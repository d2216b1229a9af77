import { CtmWriter } from "./ctm.js";
import { JsonWriter } from "./json.js";
import { SrtWriter, VttWriter } from "./subtitles.js";
import { TextWriter } from "./text.js";
import { TextGridWriter } from "./text-grid.js";
import type { TranscriptWriter } from "./transcript.js";

/** What a transcript can be written as, with the usual endings of the files' names. */
export const FORMATS = {
  text: "txt",
  json: "json",
  srt: "srt",
  vtt: "vtt",
  textgrid: "TextGrid",
  ctm: "ctm",
} as const;

export type Format = keyof typeof FORMATS;

/**
 * @param file the recording's name
 * @param options.characters whether JSON lists each word's characters
 */
export function transcriptWriter(
  format: Format,
  file: string,
  options: { characters?: boolean } = {},
): TranscriptWriter {
  switch (format) {
    case "text":
      return new TextWriter();
    case "json":
      return new JsonWriter(file, options);
    case "srt":
      return new SrtWriter();
    case "vtt":
      return new VttWriter();
    case "textgrid":
      return new TextGridWriter();
    case "ctm":
      return new CtmWriter(file);
  }
}
