/** A value's kind for the end of a message: `undefined`, `the number 5`, `a Map`, `an array`. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  if (typeof value !== "object") return `the ${typeof value} ${String(value)}`;
  const name = value.constructor?.name || "Object";
  return `${/^([AEIO]|U(?!int))/.test(name) ? "an" : "a"} ${name}`;
}
