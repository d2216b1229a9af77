import { flattenedTexts } from "../../../differences.js";
import { escapeHtml } from "../../../pages/html.js";
import { renderTable } from "../../../pages/table.js";
import type { RunData } from "../read-run.js";

/** What the recipes say differently, a key a row and a run a column. */
export function recipeDifferences(
  recipes: readonly RunData["recipe"][],
): { key: string; values: string[] }[] {
  const flat = recipes.map(flattenedTexts);
  const keys = [...new Set(flat.flatMap(Object.keys))];
  return keys
    .map((key) => ({ key, values: flat.map((recipe) => recipe[key] ?? "–") }))
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
