import { type Kind, OBJECT } from "../../argument-kinds.js";
import { describeValue } from "../../describe-type.js";
import { ConfigurationError } from "../../errors.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import { HIGHEST_RATE, LOWEST_RATE } from "../resampling/resample.js";
import type { PcmFormat } from "./pcm.js";

const ENCODINGS = {
  u8: { encoding: "integer", sampleBytes: 1 },
  s16le: { encoding: "integer", sampleBytes: 2 },
  s24le: { encoding: "integer", sampleBytes: 3 },
  s32le: { encoding: "integer", sampleBytes: 4 },
  f32le: { encoding: "float", sampleBytes: 4 },
} as const;

/** How samples without a header are coded, under FFmpeg's names (`ffmpeg -f s16le`): channels interleaved. */
export type RawEncoding = keyof typeof ENCODINGS;

/** All encodings of samples without a header. */
export const RAW_ENCODINGS = Object.keys(ENCODINGS) as RawEncoding[];

export interface RawFormat {
  encoding: RawEncoding;
  /** Hz. */
  sampleRate: number;
  channels: number;
}

// As many as a WAV file can tell.
const MOST_CHANNELS = 65535;

const OPTIONS = { encoding: true, sampleRate: true, channels: true } satisfies KnownOptions<RawFormat>;

/** Of an option; what it holds, {@link pcmFormat} looks at. */
export const RAW_FORMAT: Kind = {
  must: "an object { encoding, sampleRate, channels }",
  holds: OBJECT.holds,
  advice: () => 'For example { encoding: "s16le", sampleRate: 16000, channels: 1 }.',
};

/** @throws ConfigurationError naming what is wrong with it */
export function pcmFormat(format: RawFormat): PcmFormat {
  requireOptions("raw audio", format, OPTIONS);
  const { encoding, sampleRate, channels } = format;
  if (!Object.hasOwn(ENCODINGS, encoding))
    throw new ConfigurationError(
      `encoding of raw audio must be one of ${RAW_ENCODINGS.join(", ")}, but is ${describeValue(encoding)}.`,
    );
  requireSampleRate(sampleRate, "raw audio");
  if (!(Number.isInteger(channels) && channels >= 1 && channels <= MOST_CHANNELS))
    throw new ConfigurationError(
      `channels of raw audio must be a whole number from 1 to ${MOST_CHANNELS}, but are ${describeValue(channels)}.`,
    );
  return { ...ENCODINGS[encoding], sampleRate, channels };
}

/** @throws ConfigurationError on a rate that a caller gives and that cannot be resampled */
export function requireSampleRate(rate: number, of: string): void {
  if (Number.isInteger(rate) && rate >= LOWEST_RATE && rate <= HIGHEST_RATE) return;
  throw new ConfigurationError(
    `sample rate of ${of} must be a whole number from ${LOWEST_RATE} to ${HIGHEST_RATE} Hz, but is ${describeValue(rate)}.`,
  );
}
