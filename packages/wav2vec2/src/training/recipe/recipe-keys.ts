import { recipeSchema } from "./recipe-schema.js";
import { z } from "./zod.js";

/** A JSON Schema as that of recipes is: no key is merely allowed or forbidden. */
export interface RecipeForm {
  type?: "string" | "number" | "integer" | "boolean" | "array" | "object";
  enum?: unknown[];
  description?: string;
  default?: unknown;
  properties?: Record<string, RecipeForm>;
  required?: string[];
  items?: RecipeForm;
  prefixItems?: RecipeForm[];
  anyOf?: RecipeForm[];
}

/** The recipe's JSON Schema, for editors that complete and check YAML. */
export function recipeJsonSchema(): RecipeForm {
  return z.toJSONSchema(recipeSchema(), { io: "input" }) as RecipeForm;
}

/** That of a resolved recipe; keys whose values become others have no form. */
export function resolvedJsonSchema(): RecipeForm {
  return z.toJSONSchema(recipeSchema(), { io: "output", unrepresentable: "any" }) as RecipeForm;
}

/** One key of a recipe as documentation and the command line need it. */
export interface RecipeKey {
  /** Dotted path, such as `optimizer.learning_rate`. */
  name: string;
  type: "string" | "number" | "boolean" | "list" | "words" | "map";
  choices?: readonly string[];
  default?: unknown;
  description: string;
}

/** Every key that a recipe can hold, in the schema's order. */
export function recipeKeys(): RecipeKey[] {
  return keysOf(recipeJsonSchema(), "");
}

function keysOf(schema: RecipeForm, prefix: string): RecipeKey[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (property.properties) return keysOf(property, `${prefix}${name}.`);
    const key: RecipeKey = {
      name: `${prefix}${name}`,
      type: typeOf(property),
      description: property.description ?? "",
    };
    if (property.enum) key.choices = property.enum.map(String);
    if (property.default !== undefined) key.default = property.default;
    return [key];
  });
}

function typeOf(property: RecipeForm): RecipeKey["type"] {
  const list = [property, ...(property.anyOf ?? [])].find(
    (form) => typeof form === "object" && form.type === "array",
  );
  if (typeof list?.items === "object" && !Array.isArray(list.items) && list.items.type === "string")
    return "words";
  switch (property.type) {
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return "list";
    case "object":
      return "map";
    default:
      return "string";
  }
}
