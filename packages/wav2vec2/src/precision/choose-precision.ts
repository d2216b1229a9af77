import { type Device, libtorchInfo, supportsAutocast } from "@wav2vec2/libtorch";
import { requirePrecision } from "./compute-in.js";
import { knownSpeed, type MeasureSpeed } from "./known-speeds.js";
import type { Precision, WantedPrecision } from "./precision-names.js";
import type { NetworkWidth, Use } from "./speed-of.js";

/** How many times as fast bfloat16 must be for `auto` to take it: less is not worth its rounding, nor told from noise. */
const WORTHWHILE = 1.15;

/**
 * Below this hidden size `auto` is float32 everywhere. Products are a small share of what such a network takes, and runs that
 * people learn and test with give the same numbers on every machine.
 */
const SMALL = 256;

export interface PrecisionChoice {
  precision: Precision;
  /** What a user should know of it, in a line. */
  line: string | undefined;
}

/**
 * The number format to compute in: what is wanted or, for `auto`, bfloat16 where that is at least 1.15 times as fast.
 *
 * @param network what computes; where it is not known, `auto` is float32
 * @param measure how many times as fast as float32 bfloat16 is. Default: {@link knownSpeed}
 * @throws ConfigurationError where libtorch cannot compute in what is wanted
 */
export async function choosePrecision(
  wanted: WantedPrecision,
  {
    network,
    device,
    use,
    measure = knownSpeed,
  }: { network: NetworkWidth | undefined; device: Device; use: Use; measure?: MeasureSpeed | undefined },
): Promise<PrecisionChoice> {
  requirePrecision(wanted, device);
  const place = device === "cpu" ? "this processor" : device;
  if (wanted !== "auto") {
    if (wanted !== "bfloat16" || !network) return { precision: wanted, line: undefined };
    const speed = await measure(network, device, use);
    const line = `precision: bfloat16 is ${times(speed)} as fast as float32 on ${place}; auto takes the faster one.`;
    return { precision: wanted, line: speed * WORTHWHILE <= 1 ? line : undefined };
  }
  if (!network || network.hiddenSize < SMALL) return { precision: "float32", line: undefined };
  if (!supportsAutocast("bfloat16", device))
    return {
      precision: "float32",
      line: `precision: float32 (auto: libtorch ${libtorchInfo().version} does not compute in bfloat16 on ${place})`,
    };
  const speed = await measure(network, device, use);
  const precision = speed >= WORTHWHILE ? "bfloat16" : "float32";
  const only = speed >= 1 && speed < WORTHWHILE ? "only " : "";
  return {
    precision,
    line: `precision: ${precision} (auto: bfloat16 is ${only}${times(speed)} as fast on ${place})`,
  };
}

function times(speed: number): string {
  return `${Number(speed.toPrecision(2))} times`;
}
