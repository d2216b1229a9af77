import { isDeepStrictEqual } from "node:util";
import { isJsonObject } from "./files/json-file.js";

/** Where two values differ. */
export interface Difference {
  /** Such as `optimizer.learning_rate`. */
  key: string;
  one: unknown;
  other: unknown;
}

/**
 * Where two values differ, by their innermost keys.
 *
 * @param key of the values themselves
 */
export function differences(one: unknown, other: unknown, key = ""): Difference[] {
  if (!isJsonObject(one) || !isJsonObject(other)) {
    return isDeepStrictEqual(one, other) ? [] : [{ key, one, other }];
  }
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((inner) => differences(one[inner], other[inner], joined(key, inner)));
}

/** The innermost keys of nested values. */
export function flattened(value: unknown, key = ""): Record<string, unknown> {
  if (!isJsonObject(value)) return { [key]: value };
  const inner = Object.entries(value).map(([name, each]) => flattened(each, joined(key, name)));
  return Object.assign({}, ...inner) as Record<string, unknown>;
}

/** The same, as texts to show and to compare. */
export function flattenedTexts(value: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts = Object.entries(flattened(value)).map(([key, inner]) => [
    key,
    typeof inner === "string" ? inner : JSON.stringify(inner),
  ]);
  return Object.fromEntries(texts) as Record<string, string>;
}

function joined(key: string, inner: string): string {
  return key === "" ? inner : `${key}.${inner}`;
}

/** A value as in messages. */
export function shown(value: unknown): string {
  return value === undefined ? "not given" : JSON.stringify(value);
}
