import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Share of the steps from which on a training counts as one. */
const ENOUGH = 0.5;

/**
 * What to say of a training that its time ended long before its steps, as on a machine that is slow or busy: its model
 * knows little, which says nothing about the method.
 *
 * @param {string} run a run directory
 * @returns {string | undefined} undefined where it came far enough, or where the run does not tell
 */
export function shortTraining(run) {
  const [description, metrics] = [join(run, "run.json"), join(run, "metrics.jsonl")];
  if (!existsSync(description) || !existsSync(metrics)) return undefined;
  const { steps, recipe } = JSON.parse(readFileSync(description, "utf8"));
  const last = readFileSync(metrics, "utf8").trimEnd().split("\n").at(-1) ?? "";
  const { step } = JSON.parse(last || "{}");
  if (!(step < ENOUGH * steps) || recipe?.max_minutes === undefined) return undefined;
  return (
    `${recipe.task === "pretrain" ? "Pre-training" : "Fine-tuning"} came to step ${step} of ${steps} in its ${recipe.max_minutes} minutes, ` +
    "as this machine is slow or busy: the model knows less than it would."
  );
}
