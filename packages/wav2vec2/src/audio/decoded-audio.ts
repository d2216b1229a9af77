/** Audio as it left a file: one array of samples a channel, integer formats scaled to integers / 2^(bits-1). */
export interface DecodedAudio {
  /** [channels][samples], full scale is [-1, 1). */
  channelData: Float32Array[];
  /** Hz. */
  sampleRate: number;
}
