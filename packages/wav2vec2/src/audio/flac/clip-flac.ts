import { UserError } from "../../errors.js";
import { readAudio, SAMPLE_RATE } from "../audio-file.js";
import type { ClipSource } from "../sources/clip-source.js";
import { encodeFlac } from "./flac-writer.js";

/** A clip as 16-bit FLAC at 16 kHz, which browsers play; nothing where its audio is unknown, gone or unreadable. */
export async function clipFlac(clip: ClipSource): Promise<Uint8Array | undefined> {
  const samples = await clipSamples(clip);
  return samples && encodeFlac(samples, SAMPLE_RATE);
}

/** A clip's samples at 16 kHz; nothing where its audio is unknown, gone or unreadable. */
export async function clipSamples({ path, start, end }: ClipSource): Promise<Float32Array | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readAudio(path, { start, end });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
