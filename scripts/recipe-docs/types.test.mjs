import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  recipeJsonSchema,
  resolvedJsonSchema,
} from "../../packages/wav2vec2/src/training/recipe/recipe-keys.js";
import { recipeTypes } from "./types.mjs";

const TYPES = new URL("../../packages/wav2vec2/src/training/recipe/recipe-types.ts", import.meta.url);

test("the types of recipes are those of the schema", () => {
  const bare = (/** @type {string} */ text) => text.replace(/[\s();|]/g, ""); // what the formatter may change
  const regenerate = "run: npm run build && node scripts/recipe-docs.mjs";
  expect(bare(readFileSync(TYPES, "utf8")), regenerate).toBe(
    bare(recipeTypes(recipeJsonSchema(), resolvedJsonSchema())),
  );
});

test("keys are optional where they may be left out, and lists where one name stands for a list", () => {
  /** @type {import("./types.mjs").Form} */
  const input = {
    properties: {
      names: { anyOf: [{ type: "array", items: { type: "string", enum: ["a", "b"] } }, { type: "string" }] },
      size: { type: "integer", default: 1, description: "How many" },
    },
  };
  const output = {
    ...input,
    properties: { ...input.properties, names: { anyOf: [{}, {}] } },
    required: ["size"],
  };
  const types = recipeTypes(input, output);
  expect(types).toContain('names?: ("a" | "b")[] | undefined;\n/** How many. */\nsize: number;');
  expect(types).toContain(
    'names?: ("a" | "b")[] | string | undefined;\n/** How many. */\nsize?: number | undefined;',
  );
});
