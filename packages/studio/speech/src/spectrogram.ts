import FFT from "fft.js";
import { SAMPLE_RATE } from "../../../wav2vec2/src/audio/sample-rate.js";

const SIZE = 512;
/** Hz that are drawn: what tells sounds apart in speech. */
export const HIGHEST = 8000;
const RANGE_DB = 65;

const hann = Float32Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));

/**
 * Draws a stretch of a recording: time to the right, frequency upwards, louder is denser.
 *
 * @param color the ink, as three numbers
 */
export function drawSpectrogram(
  canvas: HTMLCanvasElement,
  samples: Float32Array,
  from: number,
  to: number,
  color: readonly [number, number, number],
): void {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  if (!context || width === 0 || height === 0) return;
  const levels = levelsOf(samples, from, to, width);
  let loudest = -120;
  for (const level of levels) if (level > loudest) loudest = level;
  const image = context.createImageData(width, height);
  const bins = SIZE / 2;
  for (let x = 0; x < width; x++)
    for (let y = 0; y < height; y++) {
      const bin = Math.min(bins - 1, Math.floor(((height - 1 - y) / height) * bins));
      const ink = Math.max(0, 1 + (levels[x * bins + bin]! - loudest) / RANGE_DB);
      const at = 4 * (y * width + x);
      image.data.set(color, at);
      image.data[at + 3] = 255 * ink ** 1.6;
    }
  context.putImageData(image, 0, 0);
}

/** [width, SIZE / 2] in decibels. */
function levelsOf(samples: Float32Array, from: number, to: number, width: number): Float32Array {
  const fft = new FFT(SIZE);
  const bins = SIZE / 2;
  const levels = new Float32Array(width * bins);
  const frame = new Array<number>(SIZE).fill(0);
  const spectrum = fft.createComplexArray();
  for (let x = 0; x < width; x++) {
    const start = Math.round((from + ((to - from) * (x + 0.5)) / width) * SAMPLE_RATE) - SIZE / 2;
    for (let i = 0; i < SIZE; i++) frame[i] = (samples[start + i] ?? 0) * hann[i]!;
    fft.realTransform(spectrum, frame);
    for (let bin = 0; bin < bins; bin++) {
      const power = spectrum[2 * bin]! ** 2 + spectrum[2 * bin + 1]! ** 2;
      levels[x * bins + bin] = 10 * Math.log10(power + 1e-12);
    }
  }
  return levels;
}
