import { readAudio } from "../../audio/audio-file.js";

/** Decoded files in memory, of which those that were not asked for the longest are dropped for others. */
export class AudioCache {
  /** In the order of their last use. */
  readonly #files = new Map<string, Float32Array>();
  #bytes = 0;
  readonly #limit: number;
  readonly #decode: (path: string) => Promise<Float32Array>;

  /** @param limitBytes 4 bytes a sample; what is larger is decoded each time */
  constructor(limitBytes = 2 ** 27, decode: (path: string) => Promise<Float32Array> = readAudio) {
    this.#limit = limitBytes;
    this.#decode = decode;
  }

  /** [samples] at 16 kHz; not to be written to. @throws UserError as `readAudio` */
  readonly read = async (path: string): Promise<Float32Array> => {
    const samples = this.#take(path) ?? (await this.#decode(path));
    this.#take(path); // another caller may have decoded it meanwhile
    if (samples.byteLength > this.#limit) return samples;
    this.#files.set(path, samples);
    this.#bytes += samples.byteLength;
    for (const oldest of this.#files.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#take(oldest);
    }
    return samples;
  };

  #take(path: string): Float32Array | undefined {
    const samples = this.#files.get(path);
    if (samples && this.#files.delete(path)) this.#bytes -= samples.byteLength;
    return samples;
  }
}
