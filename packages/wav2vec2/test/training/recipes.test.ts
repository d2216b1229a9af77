import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../../src/model/configuration.js";
import { configWithKeys } from "../../src/model/configuration-file.js";
import { loadRecipe } from "../../src/training/recipe/recipe-file.js";
import { recipeJsonSchema, recipeKeys } from "../../src/training/recipe/recipe-keys.js";

const root = new URL("../../../../", import.meta.url);
const configs = fileURLToPath(new URL("configs/", root));
const regenerate = "run: npm run build && node scripts/recipe-docs.mjs";

describe("configs", () => {
  it.each(readdirSync(configs).filter((name) => name.endsWith(".yaml")))("%s is a recipe", (name) => {
    const data = new Map([["data.root", { value: "DIR", option: "--data" }]]);
    const recipe = loadRecipe(configs + name, data);
    expect(() => configWithKeys(DEFAULT_CONFIG, recipe.model, name)).not.toThrow();
  });

  it("has the current JSON Schema", () => {
    const written = JSON.parse(readFileSync(`${configs}recipe.schema.json`, "utf8"));
    expect(written, regenerate).toEqual(recipeJsonSchema());
  });
});

describe("docs/recipes.md and docs/recipes-training.md", () => {
  it("document every key with its default", () => {
    const pages = ["docs/recipes.md", "docs/recipes-training.md"];
    const text = pages.map((page) => readFileSync(new URL(page, root), "utf8")).join("\n");
    const rows = text.split("\n").map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
    for (const { name, default: value, description } of recipeKeys()) {
      const row = rows.find((cells) => cells[1] === `\`${name}\``);
      expect(row?.[4]?.replaceAll("\\<", "<"), regenerate).toBe(description);
      expect(row?.[3], regenerate).toBe(value === undefined ? "" : `\`${JSON.stringify(value)}\``);
    }
  });
});
