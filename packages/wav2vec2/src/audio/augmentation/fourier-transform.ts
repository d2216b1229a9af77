import type FFT from "fft.js";
import { lazyPackage } from "../../lazy-package.js";

/** The fast Fourier transform of a size that is a power of two. */
export const FourierTransform = lazyPackage<typeof FFT>("fft.js");
