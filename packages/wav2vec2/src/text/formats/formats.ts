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

const ENDING = /\.(flac|wav|wave|rf64|mp3|ogg|oga|opus)$/i;

export type Format = keyof typeof FORMATS;

/**
 * @param file the recording's name
 * @param options.characters whether JSON lists each word's characters
 * @param options.name what CTM calls the recording; the file's name without directory and ending when left out
 */
export function transcriptWriter(
  format: Format,
  file: string,
  options: { characters?: boolean; name?: string } = {},
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
      return new CtmWriter(options.name ?? file.replace(/^.*[/\\]/, "").replace(ENDING, ""));
  }
}
