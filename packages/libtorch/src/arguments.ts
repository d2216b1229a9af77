// Checks of what plain JavaScript may pass, before a wrong value becomes a number that is none or fails far from its cause.
import { describe } from "./describe.js";
import { argumentError } from "./errors.js";
import { nearest } from "./nearest.js";
import { isTensor } from "./tensors/handles.js";

export { describe } from "./describe.js";

/**
 * Refuses what is no object of options, and options that do not exist.
 *
 * @param allowed every option's name
 * @param required those that must be there
 * @throws TorchError that names the option and the nearest one that exists
 */
export function checkOptions(
  operator: string,
  options: unknown,
  allowed: readonly string[],
  required: readonly string[] = [],
): void {
  if (typeof options !== "object" || options === null || Array.isArray(options) || isTensor(options))
    throw argumentError(
      operator,
      `options must be an object such as { ${allowed[0]}: … }, but is ${describe(options)}${isTensor(options) ? ". Several tensors go into one array: [a, b]" : ""}`,
    );
  for (const name of Object.keys(options)) {
    if (allowed.includes(name)) continue;
    throw argumentError(
      operator,
      `options must be of ${allowed.join(", ")}, but one is '${name}'. ${hint(name, allowed)}`,
    );
  }
  for (const name of required) {
    if ((options as Record<string, unknown>)[name] === undefined)
      throw argumentError(operator, `the option '${name}' must be given, but is missing`);
  }
}

/** PyTorch's short names of what is spelt out here. */
const PYTORCH: Readonly<Record<string, string>> = {
  lr: "learningRate",
  maxLr: "maxLearningRate",
  minLr: "minLearningRate",
  params: "parameters",
};

function hint(name: string, allowed: readonly string[]): string {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const known = PYTORCH[camel];
  const meant =
    known === undefined ? nearest(camel, allowed) : allowed.find((each) => each.startsWith(known));
  return meant === undefined ? "Remove it." : `Write '${meant}'.`;
}

/** Numbers between two bounds: `[0, 1)` takes 0 and not 1. NaN is in none. */
export type Interval = `${"[" | "("}${number | "-Infinity"}, ${number | "Infinity"}${"]" | ")"}`;

/** @throws TorchError when the value is not a number of the interval; infinite ones are only in closed intervals. */
export function checkNumber(
  operator: string,
  name: string,
  value: unknown,
  interval: Interval = "(-Infinity, Infinity)",
): asserts value is number {
  const [low, high] = interval.slice(1, -1).split(", ").map(Number) as [number, number];
  const isIn =
    typeof value === "number" &&
    (interval.startsWith("[") ? value >= low : value > low) &&
    (interval.endsWith("]") ? value <= high : value < high);
  if (isIn) return;
  const range = interval === "(-Infinity, Infinity)" ? "finite number" : `number of ${interval}`;
  throw argumentError(operator, `'${name}' must be a ${range}, but is ${describe(value)}`);
}

/** @throws TorchError when the value is not a whole number of at least `least`. */
export function checkCount(
  operator: string,
  name: string,
  value: unknown,
  least = 0,
): asserts value is number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return;
  const range = least === 0 ? "whole number that is not negative" : `whole number of ${least} or more`;
  throw argumentError(operator, `'${name}' must be a ${range}, but is ${describe(value)}`);
}

/** @throws TorchError when the value is neither true nor false. */
export function checkBoolean(operator: string, name: string, value: unknown): asserts value is boolean {
  if (typeof value === "boolean") return;
  throw argumentError(operator, `'${name}' must be true or false, but is ${describe(value)}`);
}

/** @throws TorchError when the value is no string. */
export function checkString(operator: string, name: string, value: unknown): asserts value is string {
  if (typeof value === "string") return;
  throw argumentError(operator, `'${name}' must be a string, but is ${describe(value)}`);
}

/** @throws TorchError when the value cannot be called. */
export function checkFunction(operator: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw argumentError(operator, `'${name}' must be a function, but is ${describe(value)}`);
}

/** @throws TorchError when what a function returned is a promise: its work goes on when the call is over. */
export function checkSynchronous(operator: string, result: unknown): void {
  if (!(result instanceof Promise)) return;
  result.catch(() => {}); // nobody else gets it
  throw argumentError(operator, "the function must be synchronous, but returns a promise. Await outside it");
}

/** @throws TorchError when the value is none of `choices`. */
export function checkChoice(
  operator: string,
  name: string,
  value: unknown,
  choices: readonly string[],
): void {
  if (typeof value === "string" && choices.includes(value)) return;
  const meant = typeof value === "string" ? nearest(value, choices) : undefined;
  throw argumentError(
    operator,
    `'${name}' must be ${choices.map((each) => `'${each}'`).join(" or ")}, but is ${describe(value)}` +
      (meant === undefined ? "" : `. Write '${meant}'`),
  );
}
