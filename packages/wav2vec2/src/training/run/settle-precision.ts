import type { Device } from "@wav2vec2/libtorch";
import type { World } from "../../distributed/world.js";
import { choosePrecision } from "../../precision/choose-precision.js";
import { requirePrecision } from "../../precision/compute-in.js";
import type { MeasureSpeed } from "../../precision/known-speeds.js";
import type { Precision } from "../../precision/precision-names.js";
import type { NetworkWidth } from "../../precision/speed-of.js";
import type { Tracker } from "../../tracking/tracker.js";
import type { Recipe } from "../recipe/recipe.js";

export interface SettleOptions {
  world: World;
  device: Device;
  tracker: Tracker;
  /** What is trained. */
  network: NetworkWidth | undefined;
  /** Of the run that goes on, in rank 0; it is kept. */
  before: Recipe["precision"] | undefined;
  measure: MeasureSpeed | undefined;
}

/**
 * The number format that a recipe is trained in. Rank 0 decides what `auto` is for all processes, and tells the tracker why.
 *
 * @throws ConfigurationError where this machine does not compute in it
 */
export async function settlePrecision(
  { precision: wanted }: Pick<Recipe, "precision">,
  { world, device, tracker, network, before = "auto", measure }: SettleOptions,
): Promise<Precision> {
  let chosen: Precision = "float32";
  if (world.rank === 0) {
    const kept = wanted === "auto" ? before : wanted;
    const choice = await choosePrecision(kept, { network, device, use: "training", measure });
    if (wanted !== kept && network) tracker.tell(`precision: ${kept} (auto: as the run was begun)`);
    if (choice.line !== undefined) tracker.tell(choice.line);
    chosen = choice.precision;
  }
  const [decided] = await world.gather(chosen);
  const settled = wanted === "auto" ? decided! : wanted;
  requirePrecision(settled, device);
  return settled;
}
