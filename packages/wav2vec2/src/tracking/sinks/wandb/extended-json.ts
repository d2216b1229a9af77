/**
 * A value as JSON in which a number may also be NaN, Infinity or -Infinity, as W&B's clients and servers write and read it:
 * JSON's own would make null of them, as it does here of those inside of objects.
 */
export function extendedJson(value: unknown): string {
  return typeof value === "number" ? String(value) : JSON.stringify(value ?? null);
}

/** JSON with the names of such numbers as strings, for what is read as plain JSON. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "number" && !Number.isFinite(member) ? String(member) : member,
  );
}

/** Marks what was no string, as no text that is sent has it. */
const MARK = "\u0000";

/** Reads such JSON, also an object's. */
export function parseExtendedJson(text: string): unknown {
  if (!/NaN|Infinity/.test(text)) return JSON.parse(text);
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|NaN|-?Infinity/g, (token) =>
    token.startsWith('"') ? token : `"\\u0000${token}"`,
  );
  return JSON.parse(marked, (_, member: unknown) =>
    typeof member === "string" && member.startsWith(MARK) ? Number(member.slice(1)) : member,
  );
}
