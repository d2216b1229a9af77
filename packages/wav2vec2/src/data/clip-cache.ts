import { readAudio } from "../audio/audio-file.js";

/**
 * Decoded clips, kept in memory up to a limit: a small corpus is decoded once instead of every epoch, and of a
 * large one what does not fit is decoded when it is needed.
 */
export class ClipCache {
  readonly #clips = new Map<string, Float32Array>();
  #freeBytes: number;

  constructor(limitBytes = 2 ** 29) {
    this.#freeBytes = limitBytes;
  }

  /** [samples] at 16 kHz; not to be written to. @throws UserError as `readAudio` */
  async read(path: string): Promise<Float32Array> {
    const kept = this.#clips.get(path);
    if (kept) return kept;
    const samples = await readAudio(path);
    if (samples.byteLength <= this.#freeBytes && !this.#clips.has(path)) {
      this.#clips.set(path, samples);
      this.#freeBytes -= samples.byteLength;
    }
    return samples;
  }
}
