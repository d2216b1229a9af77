/** A value's kind for the end of a message: `undefined`, `the number 5`, `the string "5"`, `a Map`, `an array`. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return `the string ${quoted(value)}`;
  if (typeof value === "bigint") return `the bigint ${value}n`;
  if (typeof value === "function") return /^class\b/.test(String(value)) ? "a class" : "a function";
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  if (typeof value !== "object") return `the ${typeof value} ${String(value)}`;
  const name = value.constructor?.name || "Object";
  return `${/^([AEIO]|U(?!int|RL))/.test(name) ? "an" : "a"} ${name}`;
}

/** A value itself where it is short: `5`, `"5"`, `true`, `[1, "x"]`; else its kind. A string is never taken for a number. */
export function describeValue(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quoted(value);
  const isShort = Array.isArray(value) && value.length > 0 && value.length <= 4;
  if (isShort && value.every((each) => typeof each === "number" || typeof each === "string"))
    return `[${value.map(describeValue).join(", ")}]`;
  return describeType(value);
}

const LONGEST = 80;

function quoted(text: string): string {
  return text.length > LONGEST ? `${JSON.stringify(text.slice(0, LONGEST))}…` : JSON.stringify(text);
}
