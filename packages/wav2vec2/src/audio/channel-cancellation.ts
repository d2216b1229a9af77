import { UserError } from "../errors.js";
import { inputName } from "./sources/source-names.js";

/** 20 dB: what is left of channels that are each other's negative, but for their noise. Apart, they lose 3 dB. */
const CANCELLED = 0.01;
/** Of the channels' energy: hum in pauses and a moment of a wide effect are below. */
const SHARE = 0.1;
/** Of a second: less tells nothing, a few samples cancel each other out by chance. */
const LEAST = 0.1;
/** Seconds after which nobody needs to wait for the end. */
const PATIENCE = 30;
/** -60 dBFS, and -50 dBFS for a second that counts at once. */
const SILENT = 1e-6;
const AUDIBLE = 1e-5;

/**
 * Watches, second by second, whether the average of channels is next to nothing where the channels are not: one of them
 * was wired or recorded with the opposite sign, and averaging leaves silence.
 */
export class ChannelCancellation {
  #second: SecondOfChannels | undefined;
  #audibleSeconds = 0;
  #samples = 0;
  /** Energy of the channels, all of it and that of seconds in which they cancel each other out. */
  #energy = 0;
  #lost = 0;
  #channels = 0;

  /** @param piped whether it is a stream, of which a message can give no command */
  constructor(
    readonly name: string,
    readonly piped: boolean,
  ) {}

  /**
   * @param mono the channels' average
   * @throws UserError once the channels have cancelled each other out for long
   */
  push(channelData: readonly Float32Array[], mono: Float32Array, sampleRate: number): void {
    if (channelData.length < 2) return;
    this.#channels = channelData.length;
    for (let at = 0; at < mono.length; ) {
      this.#second ??= new SecondOfChannels(this.#channels, Math.round(sampleRate));
      at = this.#second.take(channelData, mono, at);
      if (!this.#second.isFull) return;
      this.#count(this.#second);
      this.#second = undefined;
      if (this.#audibleSeconds >= PATIENCE) this.#require();
    }
  }

  /** @throws UserError where a tenth or more of the energy was lost */
  end(): void {
    if (this.#second && this.#second.length >= LEAST * this.#second.samples) this.#count(this.#second);
    this.#second = undefined;
    if (this.#energy > SILENT * this.#samples) this.#require();
  }

  #count(second: SecondOfChannels): void {
    const { power, mixPower, length } = second;
    this.#samples += length;
    this.#energy += power * length;
    if (mixPower >= power * CANCELLED) return;
    this.#lost += power * length;
    if (power > AUDIBLE) this.#audibleSeconds++;
  }

  #require(): void {
    if (this.#lost <= this.#energy * SHARE) return;
    const advice = this.piped
      ? "Send one of them alone."
      : `Take one of them: ffmpeg -i ${inputName(this.name)} -af 'pan=mono|c0=c0' OUTPUT.flac`;
    throw new UserError(
      `${this.name} must have channels that can be averaged, but its ${this.#channels} channels cancel each other out. ${advice}`,
    );
  }
}

/** Sums over a second of channels and their average. */
class SecondOfChannels {
  length = 0;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  constructor(
    channels: number,
    readonly samples: number,
  ) {
    this.#sums = new Float64Array(channels + 1);
    this.#squares = new Float64Array(channels + 1);
  }

  get isFull(): boolean {
    return this.length === this.samples;
  }

  /** @returns the place behind what was taken */
  take(channelData: readonly Float32Array[], mono: Float32Array, from: number): number {
    const to = Math.min(mono.length, from + this.samples - this.length);
    for (const [row, samples] of [...channelData, mono].entries()) {
      let sum = this.#sums[row]!;
      let squares = this.#squares[row]!;
      for (let i = from; i < to; i++) {
        sum += samples[i]!;
        squares += samples[i]! * samples[i]!;
      }
      this.#sums[row] = sum;
      this.#squares[row] = squares;
    }
    this.length += to - from;
    return to;
  }

  /** The channels' mean power, without their offsets. */
  get power(): number {
    const channels = this.#sums.length - 1;
    let sum = 0;
    for (let row = 0; row < channels; row++) sum += this.#variance(row);
    return sum / channels;
  }

  get mixPower(): number {
    return this.#variance(this.#sums.length - 1);
  }

  #variance(row: number): number {
    const mean = this.#sums[row]! / this.length;
    return Math.max(0, this.#squares[row]! / this.length - mean * mean);
  }
}
