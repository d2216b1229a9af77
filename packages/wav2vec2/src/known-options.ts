import { nearest } from "@wav2vec2/libtorch/nearest";
import { FUNCTION, type Kind, requireKind } from "./argument-kinds.js";
import { describeType } from "./describe-type.js";
import { ConfigurationError, wrongType } from "./errors.js";

/** The names of a function's options, each with what its value must be; true where that is looked at elsewhere. */
export type KnownOptions<Options> = Readonly<Record<keyof Options, true | Kind>>;

/**
 * Refuses options that a function does not have, which would change nothing in silence, and values that are of another kind.
 *
 * @param of the function's name, for the message
 * @param known the names that it has, with what their values must be where they are given
 * @throws TypeError where they are no object
 * @throws ConfigurationError with the nearest name, and where a value is of another kind
 */
export function requireOptions(
  of: string,
  options: object,
  known: Readonly<Record<string, true | Kind>>,
): void {
  if (typeof options !== "object" || options === null)
    throw wrongType(`The options of ${of} must be an object, but are ${describeType(options)}.`);
  if (options instanceof Promise)
    throw wrongType(`The options of ${of} must be an object, but are a Promise. Await it.`);
  const names = Object.keys(known);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const meant = nearest(name, names);
    throw new ConfigurationError(
      `The options of ${of} must be among ${names.join(", ")}, but one is ${name}.` +
        (meant === undefined ? "" : ` Did you mean ${meant}?`),
    );
  }
  for (const [name, kind] of Object.entries(known)) requireValue(of, name, Reflect.get(options, name), kind);
}

function requireValue(of: string, name: string, value: unknown, kind: true | Kind): void {
  if (value === undefined) return;
  if (name === "signal" && !(value instanceof AbortSignal))
    throw new ConfigurationError(
      `The signal of ${of} must be an AbortSignal, but is ${describeType(value)}.` +
        (value instanceof AbortController ? " Give its signal." : ""),
    );
  if (kind !== true) requireKind(`${name} of ${of}`, value, kind);
  else if (/^on[A-Z]/.test(name)) requireKind(`${name} of ${of}`, value, FUNCTION);
}
