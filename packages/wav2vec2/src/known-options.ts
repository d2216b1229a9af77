import { nearest } from "@wav2vec2/libtorch/nearest";
import { describeType } from "./describe-type.js";
import { ConfigurationError, wrongType } from "./errors.js";

/**
 * Refuses options that a function does not have, which would change nothing in silence.
 *
 * @param of the function's name, for the message
 * @param known the names that it has
 * @throws TypeError where they are no object
 * @throws ConfigurationError with the nearest name, and where the signal is none
 */
export function requireOptions(of: string, options: object, known: Readonly<Record<string, unknown>>): void {
  if (typeof options !== "object" || options === null)
    throw wrongType(`The options of ${of} must be an object, but are ${describeType(options)}.`);
  const { signal } = options as { signal?: unknown };
  if (Object.hasOwn(known, "signal") && signal !== undefined && !(signal instanceof AbortSignal))
    throw new ConfigurationError(
      `The signal of ${of} must be an AbortSignal, but is ${describeType(signal)}.` +
        (signal instanceof AbortController ? " Give its signal." : ""),
    );
  const names = Object.keys(known);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const meant = nearest(name, names);
    throw new ConfigurationError(
      `The options of ${of} must be among ${names.join(", ")}, but one is ${name}.` +
        (meant === undefined ? "" : ` Did you mean ${meant}?`),
    );
  }
}
