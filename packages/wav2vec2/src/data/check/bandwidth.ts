import { FourierTransform } from "../../audio/augmentation/fourier-transform.js";

/** Samples a frame: bins of 31 Hz at 16 kHz. */
const FRAME = 512;
/** Frames of a clip that are looked at, spread over it: enough for its loudest sounds, whatever its length. */
const MOST_FRAMES = 64;
/** 60 dB: fricatives of wide-band speech are 20 to 40 dB below its vowels, what resampling leaves is below 60 dB. */
const BELOW_PEAK = 1e-6;

const window = Float64Array.from(
  { length: FRAME },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FRAME),
);

/**
 * The frequency above which a clip holds nothing: where its mean power spectrum (Hann windows of 512 samples) is last
 * within 60 dB of its peak. Speech that was recorded at 8 kHz ends near 4 kHz at whatever rate it is stored.
 *
 * @param samples [samples] at `sampleRate` Hz
 * @returns Hz; 0 for silence and for clips shorter than a window
 */
export function bandwidth(samples: Float32Array, sampleRate: number): number {
  const power = new Float64Array(FRAME / 2 + 1);
  const hop = Math.max(FRAME / 2, Math.ceil((samples.length - FRAME) / MOST_FRAMES));
  const input = new Array<number>(FRAME);
  const fft = new FourierTransform(FRAME);
  const output = fft.createComplexArray();
  for (let at = 0; at + FRAME <= samples.length; at += hop) {
    for (let i = 0; i < FRAME; i++) input[i] = samples[at + i]! * window[i]!;
    fft.realTransform(output, input);
    for (let bin = 1; bin < power.length; bin++)
      power[bin]! += output[2 * bin]! ** 2 + output[2 * bin + 1]! ** 2;
  }
  const least = Math.max(...power) * BELOW_PEAK;
  const last = least > 0 ? power.findLastIndex((value) => value > least) : 0;
  return (last * sampleRate) / FRAME;
}
