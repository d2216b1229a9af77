import { escapeHtml } from "../../../pages/html.js";
import { renderTable } from "../../../pages/table.js";
import type { RunData } from "../read-run.js";

/** A recipe's values by the names that docs/recipes.md has for them, such as `optimizer.learning_rate`. */
export function flattenRecipe(recipe: Readonly<Record<string, unknown>>, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(recipe).flatMap(([key, value]): [string, string][] => {
      const name = `${prefix}${key}`;
      if (typeof value === "object" && value !== null && !Array.isArray(value))
        return [...flattenRecipe(value as Record<string, unknown>, `${name}.`)];
      return [[name, typeof value === "string" ? value : JSON.stringify(value)]];
    }),
  );
}

/** What the recipes say differently, a key a row and a run a column. */
export function recipeDifferences(
  recipes: readonly RunData["recipe"][],
): { key: string; values: string[] }[] {
  const flat = recipes.map((recipe) => flattenRecipe(recipe));
  const keys = [...new Set(flat.flatMap((recipe) => [...recipe.keys()]))];
  return keys
    .map((key) => ({ key, values: flat.map((recipe) => recipe.get(key) ?? "–") }))
    .filter(({ key, values }) => key !== "output" && new Set(values).size > 1);
}

/** @param heads HTML of each run's name */
export function recipeSection(runs: readonly RunData[], heads: readonly string[]): string {
  const differences = recipeDifferences(runs.map(({ recipe }) => recipe));
  const content =
    differences.length > 0
      ? renderTable({
          label: "What the recipes say differently",
          header: ["key", ...heads],
          rows: differences.map(({ key, values }) => [key, ...values].map(escapeHtml)),
          className: "texts",
        })
      : '<p class="legend">The recipes say the same of everything but where the run is written.</p>';
  return `<section><h2>What the recipes say differently</h2>\n${content}</section>`;
}
