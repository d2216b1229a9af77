import { ConfigurationError } from "../../errors.js";

/**
 * Whether a layer is among those that are named: by its name, or by the beginning of names up to a dot, as `encoder.layers.2`.
 *
 * @param known all layers with products
 * @throws ConfigurationError for a name of none of them
 */
export function chosenLayers(names: readonly string[], known: Iterable<string>): (layer: string) => boolean {
  const isWithin = (layer: string, name: string) => layer === name || layer.startsWith(`${name}.`);
  const layers = [...known];
  const strange = names.find((name) => !layers.some((layer) => isWithin(layer, name)));
  if (strange !== undefined)
    throw new ConfigurationError(
      `floatLayers must name layers with matrix products, but ${strange} is none of them: ${layers.join(", ")}.`,
    );
  return (layer) => names.some((name) => isWithin(layer, name));
}
