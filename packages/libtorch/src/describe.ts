/** A value in a message: short, and never more than its kind for what is large. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > 60 ? `a string of ${value.length} characters` : `'${value}'`;
    case "bigint":
      return `${value}n`;
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? "an array" : describeObject(value);
    default:
      return String(value);
  }
}

function describeObject(value: object): string {
  const name: unknown = value.constructor?.name;
  if (typeof name !== "string" || name === "" || name === "Object") return "an object";
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}
