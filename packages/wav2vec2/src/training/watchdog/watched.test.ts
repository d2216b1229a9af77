import { expect, it } from "vitest";
import { createConfig } from "../../model/configuration.js";
import { combineTrackers, type Finding, type Sink } from "../../tracking/tracker.js";
import { resolveRecipe } from "../recipe/recipe.js";
import { watched } from "./watched.js";

it("notes what looks wrong as a finding of its step, behind the metrics themselves", () => {
  const told: (number | Finding | undefined)[] = [];
  const tracker: Sink = {
    log: (_, step) => void told.push(step),
    note: (_, finding) => void told.push(finding),
  };
  const resolved = resolveRecipe({ task: "pretrain", data: { root: "corpus" } });
  const recipe = { ...resolved, max_steps: 100 };
  const watcher = watched(combineTrackers([tracker]), recipe, createConfig());
  watcher.note("A remark.");
  for (const step of [10, 20, 30, 40, 50]) watcher.log({ codevector_perplexity: 2 }, step);
  expect(told).toEqual([undefined, 10, 20, 30, 40, { step: 40, name: "collapse" }, 50]);
});
