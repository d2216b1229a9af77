// Apart from resolveDevice, which loads libtorch.

/** What a recipe's `device` and `--device` may be. */
export const DEVICE_PATTERN = /^(auto|cpu|cuda(:\d{1,3})?|mps)$/;

/** The same in words. */
export const DEVICES = "auto, cpu, cuda, cuda:N or mps";
