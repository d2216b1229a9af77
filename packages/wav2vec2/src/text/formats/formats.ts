import { nearest } from "@wav2vec2/libtorch/nearest";
import { BOOLEAN, isObject, type Kind, requireArguments, TEXT } from "../../argument-kinds.js";
import { describeValue } from "../../describe-type.js";
import { ConfigurationError } from "../../errors.js";
import { requireOptions } from "../../known-options.js";
import { CtmWriter } from "./ctm.js";
import { JsonWriter } from "./json.js";
import { SrtWriter, VttWriter } from "./subtitles.js";
import { TextWriter } from "./text.js";
import { TextGridWriter } from "./text-grid.js";
import type { Transcript, TranscriptWriter } from "./transcript.js";

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

/** @throws ConfigurationError with the nearest name */
function requireFormat(format: string): void {
  const names = Object.keys(FORMATS);
  if (names.includes(format)) return;
  const meant = typeof format === "string" ? nearest(format, names) : undefined;
  throw new ConfigurationError(
    `The format must be ${names.join(", ")}, but is ${describeValue(format)}.` +
      (meant === undefined ? "" : ` Did you mean ${meant}?`),
  );
}

const isTimed = (value: unknown) =>
  isObject(value) &&
  typeof value.text === "string" &&
  Number.isFinite(value.start) &&
  Number.isFinite(value.end);

const TRANSCRIPT: Kind = {
  must: "a transcript, { text, start, end, words }",
  holds: (value) =>
    isTimed(value) &&
    Array.isArray((value as Transcript).words) &&
    (value as Transcript).words.every(isTimed),
  advice: () => "Give those of stream, or the segments of transcribe.",
};

/** A writer that refuses what is no transcript, before a file says undefined or NaN. */
function checked(writer: TranscriptWriter): TranscriptWriter {
  return {
    begin: () => writer.begin(),
    add(transcript) {
      requireArguments("add", { transcript: [transcript, TRANSCRIPT] });
      return writer.add(transcript);
    },
    end: (error) => writer.end(error),
  };
}

/**
 * @param file the recording's name
 * @param options.characters whether JSON lists each word's characters
 * @param options.name what CTM calls the recording; the file's name without directory and ending when left out
 * @returns a writer whose `add` throws a TypeError where it gets no transcript
 * @throws ConfigurationError where there is no such format
 */
export function transcriptWriter(
  format: Format,
  file: string,
  options: { characters?: boolean; name?: string } = {},
): TranscriptWriter {
  requireFormat(format);
  requireArguments("transcriptWriter", { file: [file, TEXT] });
  requireOptions("transcriptWriter", options, { characters: BOOLEAN, name: TEXT });
  return checked(makeWriter(format, file, options));
}

function makeWriter(
  format: Format,
  file: string,
  options: { characters?: boolean; name?: string },
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
