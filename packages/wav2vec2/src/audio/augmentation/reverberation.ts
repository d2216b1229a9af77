import { FourierTransform } from "./fourier-transform.js";
import { power } from "./power.js";

/**
 * Puts a clip into a room: its convolution with the room's impulse response, at the clip's own power. The direct path,
 * which is the response's largest sample, is taken for time 0, so that nothing is delayed and labels stay aligned.
 *
 * @param samples [n]
 * @param impulseResponse [any length] at the clip's rate
 * @returns [n]: what rings on behind the clip is cut; a new array, or `samples` itself where the clip is silent
 * @throws RangeError where the response is empty or silent
 */
export function reverberate(samples: Float32Array, impulseResponse: Float32Array): Float32Array {
  const direct = indexOfPeak(impulseResponse);
  if (!(Math.abs(impulseResponse[direct] ?? 0) > 0))
    throw new RangeError("impulseResponse must hold a sound, but is empty or silent.");
  const loudness = power(samples);
  if (loudness === 0) return samples;
  const wet = Float32Array.from(convolve(samples, impulseResponse, direct));
  const gain = Math.sqrt(loudness / power(wet));
  for (let i = 0; i < wet.length; i++) wet[i]! *= gain;
  return wet;
}

function indexOfPeak(samples: Float32Array): number {
  let peak = 0;
  for (let i = 1; i < samples.length; i++) {
    if (Math.abs(samples[i]!) > Math.abs(samples[peak]!)) peak = i;
  }
  return peak;
}

/**
 * The sum over k of response[k] signal[i + delay - k] for each i, by overlap-add
 * (https://ccrma.stanford.edu/~jos/sasp/Overlap_Add_Decomposition.html). The response is real, so two blocks are
 * convolved at once, one as the real part and one as the imaginary part.
 *
 * @returns as long as `signal`
 */
function convolve(signal: Float32Array, response: Float32Array, delay: number): Float64Array {
  const { size, fft, data, spectrum, kernel } = transformOf(bestSize(signal.length, response.length));
  data.fill(0);
  for (let i = 0; i < response.length; i++) data[2 * i] = response[i]!;
  fft.transform(kernel, data);

  const block = size - response.length + 1;
  const result = new Float64Array(signal.length);
  for (let start = 0; start < signal.length; start += 2 * block) {
    data.fill(0);
    write(data, 0, signal.subarray(start, start + block));
    write(data, 1, signal.subarray(start + block, start + 2 * block));
    fft.transform(spectrum, data);
    multiply(spectrum, kernel);
    fft.inverseTransform(data, spectrum);
    add(result, start - delay, data, 0);
    add(result, start - delay + block, data, 1);
  }
  return result;
}

/** Samples into the real (0) or imaginary (1) parts of complex numbers. */
function write(complex: Float64Array, part: 0 | 1, samples: Float32Array): void {
  for (let i = 0; i < samples.length; i++) complex[2 * i + part] = samples[i]!;
}

/** Adds real or imaginary parts from `start` on, as far as they lie inside. */
function add(result: Float64Array, start: number, complex: Float64Array, part: 0 | 1): void {
  const end = Math.min(result.length, start + complex.length / 2);
  for (let i = Math.max(0, start); i < end; i++) result[i]! += complex[2 * (i - start) + part]!;
}

/** a = a b, complex numbers as pairs. */
function multiply(a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < a.length; i += 2) {
    const real = a[i]! * b[i]! - a[i + 1]! * b[i + 1]!;
    a[i + 1] = a[i]! * b[i + 1]! + a[i + 1]! * b[i]!;
    a[i] = real;
  }
}

/** The power of two for which all transforms together take the fewest operations. */
function bestSize(signal: number, response: number): number {
  let best = 0;
  let leastWork = Number.POSITIVE_INFINITY;
  for (let size = 2; ; size *= 2) {
    if (size < response) continue;
    const pairs = Math.ceil(signal / (2 * (size - response + 1)));
    const work = (1 + 2 * pairs) * size * Math.log2(size);
    if (work < leastWork) [best, leastWork] = [size, work];
    if (pairs === 1) return best;
  }
}

// Tables and buffers of a size serve all clips.
const transforms = new Map<number, ReturnType<typeof makeTransform>>();

function transformOf(size: number): ReturnType<typeof makeTransform> {
  let transform = transforms.get(size);
  if (!transform) {
    transform = makeTransform(size);
    transforms.set(size, transform);
  }
  return transform;
}

function makeTransform(size: number) {
  const numbers = () => new Float64Array(2 * size);
  return { size, fft: new FourierTransform(size), data: numbers(), spectrum: numbers(), kernel: numbers() };
}
