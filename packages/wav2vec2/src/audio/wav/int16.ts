import { UserError } from "../../errors.js";

/**
 * Rounds samples at full scale [-1, 1] to integers of 16 bits and clips: 1.0 becomes 32767.
 * @throws UserError on a sample that is not finite
 */
export function toInt16(samples: Float32Array): Int16Array {
  const integers = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    if (!Number.isFinite(sample))
      throw new UserError(`samples must be finite, but sample ${i} is ${sample}.`, {
        code: "ERR_AUDIO_CORRUPT",
      });
    integers[i] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
  }
  return integers;
}
