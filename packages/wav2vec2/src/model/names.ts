/**
 * The one rule between this project's names and Hugging Face's, for configuration keys and state-dict keys alike:
 * `kProj` is `k_proj`, `encoder.layers.0.finalLayerNorm.weight` is `encoder.layers.0.final_layer_norm.weight`.
 * An underscore before a digit has no capital to become, so it stays in both: `linear_1`.
 */
export function camelToSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The inverse of {@link camelToSnake}. */
export function snakeToCamel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
