// A plugin of TypeDoc: a parameter that is taken apart where it is declared, `f({ a, b }: Options)`, has no name in the source. It
// gets one from its type instead of `__namedParameters`.
import { Converter } from "typedoc";

/** Types that stand for what they are given. */
const WRAPPERS = ["Pick", "Omit", "Partial", "Required", "Readonly"];

/**
 * @param {import("typedoc").SomeType | undefined} type
 * @returns {string | undefined} that of a named type, with a small letter: `options` of all types that end so
 */
export function nameOfType(type) {
  if (type?.type === "intersection")
    return type.types.map(nameOfType).find((name) => name !== undefined && name !== "options");
  if (type?.type !== "reference") return undefined;
  const { name, typeArguments } = type;
  if (WRAPPERS.includes(name)) return nameOfType(typeArguments?.[0]);
  return name.endsWith("Options") ? "options" : `${name[0]?.toLowerCase()}${name.slice(1)}`;
}

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_SIGNATURE, (_, { parameters = [], comment }) => {
    const isThere = (/** @type {string} */ name) => parameters.some((parameter) => parameter.name === name);
    const described = comment?.getTags("@param").flatMap(({ name }) => name ?? []) ?? [];
    if (described.some((name) => !name.includes(".") && !isThere(name))) return; // TypeDoc takes the name from there
    for (const parameter of parameters) {
      if (parameter.name !== "__namedParameters") continue;
      const taken = parameters.map(({ name }) => name);
      const name = nameOfType(parameter.type) ?? "options";
      parameter.name = taken.includes(name) ? `${name}${taken.indexOf(parameter.name) + 1}` : name;
    }
  });
}
