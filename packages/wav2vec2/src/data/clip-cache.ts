import { readAudio } from "../audio/audio-file.js";

/**
 * Decoded clips in memory: a small corpus is decoded once instead of every epoch, and of a large one what does not
 * fit is decoded when it is needed.
 */
export class ClipCache {
  readonly #clips = new Map<string, Float32Array>();

  /**
   * Decodes clips in this order and keeps them while they fit.
   *
   * @param limitBytes 4 bytes a sample
   * @returns how many clips are kept
   * @throws UserError as `readAudio`
   */
  async fill(paths: readonly string[], limitBytes = 2 ** 29): Promise<number> {
    let bytes = 0;
    for (const path of paths) {
      const samples = await readAudio(path);
      bytes += samples.byteLength;
      if (bytes > limitBytes) break;
      this.#clips.set(path, samples);
    }
    return this.#clips.size;
  }

  /** [samples] at 16 kHz; not to be written to. @throws UserError as `readAudio` */
  async read(path: string): Promise<Float32Array> {
    return this.#clips.get(path) ?? (await readAudio(path));
  }
}
