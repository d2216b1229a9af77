import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect } from "vitest";
import { readAudio, readAudioInfo } from "../../src/audio/audio-file.js";
import { streamAudio } from "../../src/audio/audio-stream.js";
import { UserError } from "../../src/errors.js";
import { gather, sameBits } from "../fixtures/gather-blocks.js";
import { temporaryDirectory } from "../fixtures/temporary-directory.js";

export interface Readings {
  /** At 16 kHz. */
  samples?: Float32Array;
  /** Before resampling. */
  length?: number;
  error?: string;
  notes: string[];
}

/**
 * What reading a file whole, its header, in blocks and through a pipe gives, which must be the same.
 */
export async function readings(bytes: Uint8Array, name: string): Promise<Readings> {
  const path = join(await temporaryDirectory("readings"), name);
  await writeFile(path, bytes);
  const notes: string[] = [];
  const whole = await readAudio(path, { onNote: (note) => notes.push(note) }).catch((error: Error) => error);
  const info = await readAudioInfo(path).catch((error: Error) => error);
  const blockNotes: string[] = [];
  const blocks = await gather(streamAudio(path, { onNote: (note) => blockNotes.push(note) }));
  const pieces = Array.from({ length: Math.ceil(bytes.length / 997) }, (_, i) =>
    bytes.subarray(i * 997, i * 997 + 997),
  );
  const piped = await gather(streamAudio(Readable.from(pieces), { name: path }));
  if (whole instanceof Error) {
    expect(whole).toBeInstanceOf(UserError);
    for (const { error } of [blocks, piped]) expect(error).toBeInstanceOf(UserError);
    expect((blocks.error as Error).message).toContain(whole.message.slice(path.length, path.length + 20));
    return { error: whole.message, notes };
  }
  expect(info).toMatchObject({ samplesAt16k: whole.length, notes });
  expect(blockNotes).toEqual(notes);
  for (const { samples, error } of [blocks, piped]) {
    expect(error).toBeUndefined();
    expect(sameBits(samples, whole)).toBe(true);
  }
  return { samples: whole, length: (info as { samples: number }).samples, notes };
}
