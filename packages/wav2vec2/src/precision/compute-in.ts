import { autocast, type Device, libtorchInfo, supportsAutocast } from "@wav2vec2/libtorch";
import { ConfigurationError } from "../errors.js";
import type { Precision, WantedPrecision } from "./precision-names.js";

/** Does `body` with matrix products and convolutions in a number format, on the device that computes. */
export function computeIn<T>(precision: Precision, device: Device, body: () => T): T {
  return precision === "float32" ? body() : autocast({ device, dtype: precision }, body);
}

/** @throws ConfigurationError where this libtorch cannot compute in the number format on the device */
export function requirePrecision(precision: WantedPrecision, device: Device): void {
  if (precision === "auto" || precision === "float32" || supportsAutocast(precision, device)) return;
  throw new ConfigurationError(
    `precision must be float32 or bfloat16 on this machine, but is ${precision}: libtorch ${libtorchInfo().version} does not ` +
      `compute in it on ${device === "cpu" ? "CPUs" : device}.`,
  );
}
