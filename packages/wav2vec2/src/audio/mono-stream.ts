import { turn } from "#platform/turn";
import { UserError } from "../errors.js";
import { ChannelCancellation } from "./channel-cancellation.js";
import type { DecodedAudio } from "./decoded-audio.js";
import { firstNotFinite, mixDown, requireFinite, requireRate } from "./mono.js";
import { Resampler } from "./resampling/resample.js";
import { SAMPLE_RATE } from "./sample-rate.js";

/** How a stream's samples are handed over. */
export interface BlockOptions {
  /** Samples at 16 kHz that are waited for; a block has 16,000, one second, at most. */
  least: number;
  signal: AbortSignal | undefined;
  /** As in `StreamOptions`. */
  piped: boolean;
}

/**
 * Makes mono blocks at 16 kHz of what a decoder gives.
 * @throws UserError naming the file, and the second where it is damaged; what was decoded before is given first
 */
export async function* monoBlocks(
  parts: AsyncIterable<DecodedAudio>,
  name: string,
  { least, signal, piped }: BlockOptions,
): AsyncGenerator<Float32Array> {
  const mono = new MonoStream(name, piped);
  const blocks = new Blocks();
  try {
    for await (const part of parts) {
      for (const { channelData, sampleRate } of slices(part)) {
        signal?.throwIfAborted();
        for (const samples of mono.push(channelData, sampleRate)) yield* blocks.push(samples);
        await turn();
      }
      if (blocks.length >= least) yield blocks.take();
    }
    signal?.throwIfAborted();
    yield* blocks.push(mono.end());
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (blocks.length > 0) yield blocks.take();
    throw mono.seconds === 0
      ? error
      : new UserError(`${error.message} It was read up to ${mono.seconds} s.`, { code: error.code });
  }
  if (blocks.length > 0) yield blocks.take();
}

/** Samples between which the event loop has its turn: half a second of speech. */
const SLICE = 2 ** 13;

/** A part in pieces, between which the event loop has its turn. */
function* slices({ channelData, sampleRate }: DecodedAudio): Generator<DecodedAudio> {
  const length = channelData[0]!.length;
  for (let at = 0; at < length || at === 0; at += SLICE)
    yield { channelData: channelData.map((channel) => channel.subarray(at, at + SLICE)), sampleRate };
}

/** Resamples, and refuses what `readAudio` does. */
class MonoStream {
  #resampler: Resampler | undefined;
  /** Before resampling. */
  #samples = 0;

  readonly #cancellation: ChannelCancellation;

  constructor(
    readonly name: string,
    piped: boolean,
  ) {
    this.#cancellation = new ChannelCancellation(name, piped);
  }

  get seconds(): number {
    return this.#resampler ? Number((this.#samples / this.#resampler.from).toFixed(3)) : 0;
  }

  *push(channelData: Float32Array[], sampleRate: number): Generator<Float32Array> {
    const samples = mixDown(channelData);
    if (samples.length === 0) return;
    if (!this.#resampler) requireRate(sampleRate, this.name);
    this.#resampler ??= new Resampler(sampleRate, SAMPLE_RATE);
    const finite = firstNotFinite(samples);
    const first = this.#samples;
    this.#samples += finite;
    yield this.#resampler.push(samples.subarray(0, finite));
    if (finite < samples.length) requireFinite(samples, this.name, first);
    this.#cancellation.push(channelData, samples, sampleRate);
  }

  end(): Float32Array {
    this.#cancellation.end();
    if (this.#resampler) return this.#resampler.end();
    throw new UserError(`${this.name} must hold audio, but holds 0 samples.`, { code: "ERR_AUDIO_EMPTY" });
  }
}

/** Gathers samples into blocks of a second. */
class Blocks {
  length = 0;
  #block = new Float32Array(SAMPLE_RATE);

  /** @returns blocks that became full */
  *push(samples: Float32Array): Generator<Float32Array> {
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + SAMPLE_RATE - this.length);
      this.#block.set(part, this.length);
      this.length += part.length;
      at += part.length;
      if (this.length === SAMPLE_RATE) yield this.take();
    }
  }

  /** What was gathered. */
  take(): Float32Array {
    const block = this.#block.subarray(0, this.length);
    this.#block = new Float32Array(SAMPLE_RATE);
    this.length = 0;
    return block;
  }
}
