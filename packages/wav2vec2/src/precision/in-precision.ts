import type { Device } from "@wav2vec2/libtorch";
import { tellNote } from "../files/tell-note.js";
import { choosePrecision } from "./choose-precision.js";
import type { MeasureSpeed } from "./known-speeds.js";
import type { Precision, WantedPrecision } from "./precision-names.js";
import type { NetworkWidth } from "./speed-of.js";

/**
 * A model with the precision that it is to recognise in, where one is wanted; what a user should know of the choice is told.
 *
 * @throws ConfigurationError where the device does not compute in it
 */
export async function inPrecision<
  Model extends { model: { config: NetworkWidth }; precision?: Precision | undefined },
>(
  loaded: Model,
  wanted: WantedPrecision | undefined,
  {
    device,
    onNote,
    measure,
  }: {
    device: Device;
    onNote?: ((text: string) => void) | undefined;
    measure?: MeasureSpeed | undefined;
  },
): Promise<Model> {
  if (wanted === undefined) return loaded;
  const { config: network } = loaded.model;
  const { precision, line } = await choosePrecision(wanted, { network, device, use: "inference", measure });
  tellNote({ onNote }, line);
  return { ...loaded, precision };
}
