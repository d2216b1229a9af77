import { normalize } from "../audio/normalize.js";
import { describeType } from "../describe-type.js";
import { UserError, wrongType } from "../errors.js";

/**
 * The samples of one clip from a caller as a network takes them.
 *
 * @param samples mono at 16 kHz
 * @param name the clip's name, for messages
 * @param normalizes whether the network wants zero mean and unit variance
 * @throws TypeError where they are no Float32Array
 * @throws UserError where they are none, or not all finite
 */
export function clipSamples(samples: Float32Array, name: string, normalizes: boolean): Float32Array {
  requireSamples(samples, name); // before normalising, which spreads one bad sample over all
  if (samples.length === 0)
    throw new UserError(`${name} must hold audio, but is empty.`, { code: "ERR_AUDIO_EMPTY" });
  return normalizes ? normalize(samples) : samples;
}

function requireSamples(samples: Float32Array, name: string): void {
  if (!(samples instanceof Float32Array)) {
    throw wrongType(
      `${name} must be a Float32Array of samples at 16 kHz, but is ${describeType(samples)}. Read files with readAudio.`,
    );
  }
  const bad = samples.findIndex((sample) => !Number.isFinite(sample));
  if (bad < 0) return;
  throw new UserError(`Samples of ${name} must be finite numbers, but sample ${bad} is ${samples[bad]}.`, {
    code: "ERR_AUDIO_CORRUPT",
  });
}
