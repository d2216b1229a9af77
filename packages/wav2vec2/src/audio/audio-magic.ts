import { findFrame } from "./mp3/mp3-frames.js";
import { leadingTagSize, startsWith } from "./mp3/tags.js";
import { SPHERE_MAGIC } from "./wav/sphere.js";

/** What recordings begin with, at offsets: of formats that are read, and of others that are met. */
const MAGICS: readonly (readonly [text: string, at: number])[][] = [
  [["fLaC", 0]],
  [["OggS\0", 0]],
  [
    ["RIFF", 0],
    ["WAVE", 8],
  ],
  [
    ["RF64", 0],
    ["WAVE", 8],
  ],
  [
    ["BW64", 0],
    ["WAVE", 8],
  ],
  [
    ["RIFX", 0],
    ["WAVE", 8],
  ],
  [
    ["FORM", 0],
    ["AIF", 8],
  ],
  [["caff\0", 0]],
  [["#!AMR", 0]],
  [["ftypM4A ", 4]],
  [[SPHERE_MAGIC, 0]],
];

/** Bytes of a file that `isRecording` looks at. */
export const RECORDING_HEAD = 4096;

/**
 * Whether a file of any name is a recording for certain: a mark of four letters or more, or several MP3 frames in a row from
 * its beginning or behind tags. Unlike what decides how a file is decoded, chance does not make it.
 *
 * @param head the file's first bytes
 */
export function isRecording(head: Uint8Array): boolean {
  if (MAGICS.some((marks) => marks.every(([text, at]) => startsWith(head, text, at)))) return true;
  return leadingTagSize(head) > 0 || (head[0] === 0xff && findFrame(head) === 0);
}
