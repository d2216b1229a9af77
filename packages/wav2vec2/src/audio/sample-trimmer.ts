/** Takes samples away from the beginning and the end of what comes in parts. */
export class SampleTrimmer {
  /** The last samples, of which it is not known whether they are to go. */
  #held: Float32Array[];
  #delay: number;

  /**
   * @param delay samples to take away at the beginning
   * @param most samples that may have to be taken away at the end
   */
  constructor(
    channels: number,
    delay: number,
    readonly most: number,
  ) {
    this.#delay = delay;
    this.#held = Array.from({ length: channels }, () => new Float32Array(0));
  }

  /** @returns what is certain by now */
  push(channelData: readonly Float32Array[]): Float32Array[] {
    const from = Math.min(this.#delay, channelData[0]!.length);
    this.#delay -= from;
    const all = channelData.map((samples, channel) => concat(this.#held[channel]!, samples.subarray(from)));
    const certain = Math.max(0, all[0]!.length - this.most);
    this.#held = all.map((samples) => samples.slice(certain));
    return all.map((samples) => samples.subarray(0, certain));
  }

  /** @returns the rest, less as many samples at the end */
  end(padding: number): Float32Array[] {
    return this.#held.map((samples) => samples.subarray(0, Math.max(0, samples.length - padding)));
  }
}

function concat(first: Float32Array, second: Float32Array): Float32Array {
  if (first.length === 0) return second;
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
