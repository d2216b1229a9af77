import { UserError } from "../errors.js";
import { readAudio, SAMPLE_RATE } from "./audio-file.js";
import type { ClipSource } from "./clip-source.js";
import { encodeFlac } from "./flac-writer.js";

/** A clip as 16-bit FLAC at 16 kHz, which browsers play; nothing where its audio is unknown, gone or unreadable. */
export async function clipFlac({ path, start, end }: ClipSource): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined;
  try {
    return encodeFlac(await readAudio(path, { start, end }), SAMPLE_RATE);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
