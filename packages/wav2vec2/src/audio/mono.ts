import { UserError } from "../errors.js";
import { HIGHEST_RATE, LOWEST_RATE } from "./resampling/resample.js";

/** The channels' average. @returns [samples]; the channel itself where there is one */
export function mixDown(channelData: Float32Array[]): Float32Array {
  const [first, second] = channelData;
  if (!first || !second) return first ?? new Float32Array(0);
  const mono = new Float32Array(first.length);
  if (channelData.length === 2) for (let i = 0; i < mono.length; i++) mono[i] = (first[i]! + second[i]!) / 2;
  else
    for (let i = 0; i < mono.length; i++) {
      let sum = 0;
      for (const channel of channelData) sum += channel[i]!;
      mono[i] = sum / channelData.length;
    }
  return mono;
}

/**
 * @param first the place of the first of the samples in the file
 * @throws UserError
 */
export function requireFinite(samples: Float32Array, name: string, first = 0): void {
  const bad = firstNotFinite(samples);
  if (bad < samples.length)
    throw new UserError(
      `samples of ${name} must be finite, but sample ${first + bad} is ${samples[bad]}. Record it again.`,
      { code: "ERR_AUDIO_CORRUPT" },
    );
}

/** @returns its index; the samples' number where all are finite */
export function firstNotFinite(samples: Float32Array): number {
  // Almost always all are: 0 times a number that is not finite is NaN, and remains so in four sums beside each other.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = samples.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += 0 * samples[i]!;
    b += 0 * samples[i + 1]!;
    c += 0 * samples[i + 2]!;
    d += 0 * samples[i + 3]!;
  }
  let i = Number.isNaN(a + b + c + d) ? 0 : whole;
  while (i < samples.length && Number.isFinite(samples[i])) i++;
  return i;
}

/** @throws UserError on a sample rate that cannot be resampled */
export function requireRate(rate: number, name: string): void {
  if (rate < LOWEST_RATE || rate > HIGHEST_RATE)
    throw new UserError(
      `sample rate of ${name} must be from ${LOWEST_RATE} to ${HIGHEST_RATE} Hz, but is ${rate} Hz: ` +
        "its header is corrupt or was made by hand. Correct it.",
    );
}
