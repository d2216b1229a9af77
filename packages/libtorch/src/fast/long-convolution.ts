import { isTensor, keep, scope } from "../handles.js";
import { operator } from "../operator.js";
import { conv1d, empty } from "../operators.generated.js";
import type { Tensor } from "../tensor.js";
import { isPlain } from "./is-plain.js";

/** Taps from which on the detour is the shorter way. */
const FEWEST_TAPS = 32;
/** Windows of channels that are in the frequency domain at once: 4 MB for 128 taps, and as much again at each step. */
const SIGNALS = 4096;

/**
 * Convolution over time of stride 1. With many taps, where no gradient is wanted, a product of spectra instead (Oppenheim
 * and Schafer, Discrete-Time Signal Processing, section 8.7: overlap-save): windows twice as long as the kernel, which
 * overlap by it. The positional convolution of 128 taps takes an eighth of the time so.
 */
export class LongConvolution {
  #weight: Tensor | undefined;
  /** Of `#weight`, its taps reversed: [groups, frequencies, channels in, channels out of a group]. */
  #spectra: Tensor | undefined;

  /**
   * @param x [batch, channels in, time]
   * @param weight [channels out, channels in / groups, taps]
   * @param bias [channels out]
   * @param padding zeros at each end
   * @returns [batch, channels out, time + 2 padding - taps + 1]
   */
  forward(x: Tensor, weight: Tensor, bias: Tensor | undefined, padding: number, groups: number): Tensor {
    if (isLong(x, weight, bias, padding, groups) && isPlain(x, weight, bias ?? x))
      return scope(() => this.#bySpectra(x, weight, bias, padding, groups));
    this.#forget();
    return conv1d(x, weight, bias, 1, padding, 1, groups);
  }

  #forget(): void {
    this.#weight?.dispose();
    this.#spectra?.dispose();
    this.#weight = this.#spectra = undefined;
  }

  #bySpectra(x: Tensor, weight: Tensor, bias: Tensor | undefined, padding: number, groups: number): Tensor {
    const [batch, inputs, time] = x.shape as [number, number, number];
    const [outputs, , taps] = weight.shape as [number, number, number];
    const size = windowSize(taps);
    const hop = size - taps + 1;
    const frames = time + 2 * padding - taps + 1;
    const perClip = Math.ceil(frames / hop);
    const behind = perClip * hop + taps - 1 - time - padding;
    const padded = x.transpose(1, 2).pad([0, 0, padding, behind]);
    const windows = padded.unfold(1, size, hop); // [batch, windows of a clip, channels in, size]
    const spectra = this.#spectraOf(weight, groups, size);
    const output = empty([batch * perClip, hop, outputs]);
    const [read, written] = [inputs / groups, outputs / groups];
    // A part of the groups at a time: in the frequency domain windows are several times as large as the frames.
    const most = Math.max(1, Math.floor(SIGNALS / (batch * perClip * read)));
    for (let group = 0; group < groups; group += most)
      scope(() => {
        const some = Math.min(most, groups - group);
        const own = windows.narrow(2, group * read, some * read);
        output
          .narrow(2, group * written, some * written)
          .copy_(convolved(own, spectra.narrow(0, group, some), hop));
      });
    const found = output.view([batch, perClip * hop, outputs]).narrow(1, 0, frames); // [batch, frames, channels out]
    return (bias ? found.add_(bias) : found).transpose(1, 2);
  }

  /** Kept until the weight has other values, however these came: comparing is a twentieth of transforming. */
  #spectraOf(weight: Tensor, groups: number, size: number): Tensor {
    const frequencies = size / 2 + 1;
    const isKnown =
      this.#weight?.shape.join() === weight.shape.join() &&
      this.#spectra?.shape[0] === groups &&
      this.#weight.equal(weight);
    if (isKnown) return this.#spectra!;
    this.#forget();
    const [outputs, inputs] = weight.shape as [number, number];
    const parts = empty([groups, frequencies, inputs, outputs / groups, 2]); // of complex numbers
    const spectrum = operator("view_as_complex", parts);
    const taps = weight.flip([2]).view([groups, outputs / groups, inputs, -1]);
    // One at a time: what lies between is as large as the result.
    for (let group = 0; group < groups; group++)
      scope(() =>
        spectrum.select(0, group).copy_(operator("fft_rfft", taps.select(0, group), size).permute([2, 1, 0])),
      );
    this.#weight = keep(weight.clone());
    this.#spectra = keep(spectrum);
    return this.#spectra;
  }
}

/** What the detour is for; anything else, also what is wrong, is the operator's own business. */
function isLong(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  padding: number,
  groups: number,
): boolean {
  if (!isTensor(x) || !isTensor(weight) || (bias !== undefined && !isTensor(bias))) return false;
  const [[, channels, time], [outputs, inputs, taps]] = [x.shape, weight.shape];
  return (
    x.shape.length === 3 &&
    weight.shape.length === 3 &&
    (bias === undefined || bias.shape.join() === `${outputs}`) &&
    channels === inputs! * groups &&
    outputs! % groups === 0 &&
    taps! >= FEWEST_TAPS &&
    time! + 2 * padding >= taps!
  );
}

/** A power of two, so that transforms are fast, of which the kernel takes half at most. */
function windowSize(taps: number): number {
  return 2 ** Math.ceil(Math.log2(2 * taps));
}

/** Some groups' windows [batch, windows of a clip, channels in, size] to [batch * windows, hop, channels out] */
function convolved(windows: Tensor, spectra: Tensor, hop: number): Tensor {
  const [batch, perClip, , size] = windows.shape as [number, number, number, number];
  const [groups, frequencies, inputs, outputs] = spectra.shape as [number, number, number, number];
  const rows = batch * perClip;
  const product = operator("fft_rfft", windows) // [batch, windows of a clip, channels in, frequencies]
    .reshape([rows, groups, inputs, frequencies])
    .permute([1, 3, 0, 2])
    .reshape([groups * frequencies, rows, inputs])
    .bmm(spectra.flatten(0, 1)) // [groups * frequencies, rows, channels out of a group]
    .view([groups, frequencies, rows, outputs]);
  return operator("fft_irfft", product, size, 1) // [groups, size, rows, channels out of a group]
    .narrow(1, size - hop, hop) // the others are of windows that wrap around
    .permute([2, 1, 0, 3])
    .flatten(2, 3); // [rows, hop, channels out]
}
