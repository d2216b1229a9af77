import type { RunOverview } from "../shared.js";

export interface Member {
  id: string;
  overview: RunOverview;
}

/** Keys of a recipe in which runs of the same thing differ. */
const OF_ONE_RUN: ReadonlySet<string> = new Set(["seed", "output", "run_name"]);

/** Runs whose recipes are the same but for the seed, in the order of their first. Those without a recipe stay alone. */
export function seedGroups(runs: readonly Member[]): Member[][] {
  const groups = new Map<string, Member[]>();
  for (const run of runs) {
    const values = Object.entries(run.overview.recipeValues).filter(([key]) => !OF_ONE_RUN.has(key));
    const key = values.length === 0 ? run.id : JSON.stringify(values.sort(([a], [b]) => (a < b ? -1 : 1)));
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
}

/** The keys in which recipes differ, with each one's value. */
export function recipeDifferences(
  runs: readonly Member[],
): { key: string; values: (string | undefined)[] }[] {
  const keys = new Set(runs.flatMap(({ overview }) => Object.keys(overview.recipeValues)));
  return [...keys]
    .sort()
    .map((key) => ({ key, values: runs.map(({ overview }) => overview.recipeValues[key]) }))
    .filter(({ values }) => new Set(values).size > 1);
}

/** What tells groups of runs apart: their ids without the folders that all have in common; of several seeds, what theirs share. */
export function shortLabels(groups: readonly (readonly string[])[]): string[] {
  const common = commonStart(groups.flat()).replace(/[^/]*$/, "").length;
  return groups.map((ids) => {
    if (ids.length === 1) return ids[0]!.slice(common);
    const shared = commonStart(ids)
      .slice(common)
      .replace(/[^a-zA-Z0-9]*(?:seed)?[^a-zA-Z0-9]*$/, "");
    return `${shared || "all"} (${ids.length} seeds)`;
  });
}

function commonStart(texts: readonly string[]): string {
  const [first = "", ...others] = texts;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}
