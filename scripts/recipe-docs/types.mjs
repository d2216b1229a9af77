// The types of recipes as users see them, made of the schema: plain interfaces, whose keys tell what they are for where one points
// at them, and which need no zod to be read.

/** @typedef {import("../../packages/wav2vec2/dist/training/recipe/recipe-keys.js").RecipeForm} Form */

/**
 * @param {Form} input the JSON Schema of what is written
 * @param {Form} output that of what it amounts to, with defaults
 * @returns {string} TypeScript
 */
export function recipeTypes(input, output) {
  return `// Written by scripts/recipe-docs.mjs from recipe-schema.ts, which does not compile where the two differ; change it there.

/** A resolved recipe: every key has its value. Paths are relative to the working directory. */
export interface Recipe ${interfaceOf(output, input)}

/** A recipe of the task pretrain. */
export type PreTrainingRecipe = Recipe & { pretraining: NonNullable<Recipe["pretraining"]> };

/** What a recipe is made of: what has a default may be left out. */
export interface RecipeInput ${interfaceOf({ ...input, required: [] }, input)}
`;
}

/** @param {Form} form @param {Form} written */
function interfaceOf({ properties = {}, required = [] }, written) {
  const keys = Object.entries(properties).map(([name, form]) => {
    const optional = !required.includes(name);
    const type = typeOf(form, written.properties?.[name] ?? form);
    const description = (form.description ?? written.properties?.[name]?.description ?? "").replaceAll(
      "*/",
      "* /",
    );
    const comment = description === "" ? "" : `/** ${description}. */\n`;
    return `${comment}${name}${optional ? "?" : ""}: ${type}${optional ? " | undefined" : ""};`;
  });
  return `{\n${keys.join("\n")}\n}`;
}

/** @param {Form} form @param {Form} written @returns {string} */
function typeOf(form, written) {
  if (form.enum) return form.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (form.prefixItems) return `[${form.prefixItems.map((item) => typeOf(item, item)).join(", ")}]`;
  if (form.anyOf && isTransformed(form)) return typeOf(listAmong(written.anyOf ?? []), written); // one name becomes a list of one
  if (form.anyOf) return form.anyOf.map((one) => typeOf(one, one)).join(" | ");
  switch (form.type) {
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
      return form.type;
    case "array":
      return `(${typeOf(form.items ?? {}, form.items ?? {})})[]`;
    case "object":
      return form.properties ? interfaceOf(form, written) : "Record<string, unknown>";
    default:
      throw new Error(
        `A key's form must be one that has a type, but is ${JSON.stringify(form)}. Add it here.`,
      );
  }
}

/** @param {Form} form */
const isTransformed = ({ anyOf = [] }) => anyOf.every((one) => Object.keys(one).length === 0);

/** @param {Form[]} forms @returns {Form} */
const listAmong = (forms) => forms.find(({ type }) => type === "array") ?? {};
