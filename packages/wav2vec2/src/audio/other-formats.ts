import { startsWith } from "./mp3/tags.js";

/** A format that is not read. */
interface OtherFormat {
  /** As a message says it: "is MPEG-4 (M4A, MP4)". */
  name: string;
  /** What helps, where converting it does not. */
  advice?: string;
}

/** By what their files begin with, at an offset. MP3 frames may be in some of them, but are not alone there. */
const FORMATS: readonly [magic: string, at: number, format: OtherFormat][] = [
  ["ftyp", 4, { name: "is MPEG-4 (M4A, MP4), whose AAC is not read" }],
  ["0&\xb2u", 0, { name: "is ASF (WMA)" }],
  ["FORM", 0, { name: "is AIFF" }],
  ["caff", 0, { name: "is CAF" }],
  ["FLV", 0, { name: "is Flash video" }],
  ["\0\0\x01", 0, { name: "is an MPEG stream" }],
  ["RIFX", 0, { name: "is RIFX, a WAV file of big-endian numbers" }],
  ["riff", 0, { name: "is Wave64" }],
  ["#!AM", 0, { name: "is AMR" }],
  [".snd", 0, { name: "is AU" }],
];

const FORM: OtherFormat = {
  name: "is the body of a form (multipart/form-data)",
  advice:
    "Give the file in it alone, as a parser of forms hands it over: new Response(body, { headers }).formData().",
};
const PAGE: OtherFormat = {
  name: "is a page (HTML)",
  advice: "Give the address or the file of the audio itself.",
};
const JSON_TEXT: OtherFormat = {
  name: "is JSON",
  advice: 'Give the audio\'s own bytes; Buffer.from(text, "base64") makes them of base64.',
};

/** Tells by its first bytes a format that is not read; undefined for what nothing is known of. */
export function otherFormat(head: Uint8Array): OtherFormat | undefined {
  const known = FORMATS.find(([magic, at]) => startsWith(head, magic, at));
  if (known) return known[2];
  const text = String.fromCharCode(...head.subarray(0, 64)).trimStart();
  if (/^--[\w'()+,./:=?-]{2,70}\r?\nContent-|^--{2,}[\w'-]*/.test(text)) return FORM;
  if (/^<(!doctype|html|\?xml)/i.test(text)) return PAGE;
  return /^[{[]\s*["{[]/.test(text) ? JSON_TEXT : undefined;
}

/** MP3 without bit rates in its frames' headers, whose length only a search would tell; FFmpeg does not read it either. @param input, output for the command that converts it */
export function freeFormat(head: Uint8Array, input: string, output: string): OtherFormat | undefined {
  const [sync, version = 0, rates = 0] = head;
  if (sync !== 0xff || (version & 0xe6) !== 0xe2 || rates >> 4 !== 0) return undefined;
  return {
    name: "is MP3 of free format, whose frames tell no bit rate",
    advice: `Convert it with: lame --decode ${input} ${output}`,
  };
}
