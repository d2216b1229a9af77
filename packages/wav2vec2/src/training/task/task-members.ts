import { nn } from "@wav2vec2/libtorch";
import { nearest } from "@wav2vec2/libtorch/nearest";
import { describeValue } from "../../describe-type.js";
import { ConfigurationError } from "../../errors.js";
import type { Task } from "./task.js";

export type TaskMember = keyof Task;

const REQUIRED = ["module", "data", "batches", "loss", "metrics", "evaluate", "save"] as const;

const OPTIONAL = [
  ...(["optimizer", "learningRate", "anneal", "idle"] as const),
  ...(["beforeStep", "beforeUpdate", "afterStep"] as const),
  ...(["criterion", "greaterIsBetter", "state", "loadState"] as const),
];

export const TASK_MEMBERS: readonly TaskMember[] = [...REQUIRED, ...OPTIONAL];

/** Members that are no functions. */
const VALUES: Partial<Record<TaskMember, string>> = { data: "string", greaterIsBetter: "boolean" };

/** What members of a `Trainer` and methods of its callbacks are called here (docs/coming-from.md), in small letters. */
const TRAINER: Readonly<Record<string, TaskMember>> = {
  computeloss: "loss",
  computemetrics: "evaluate",
  scheduler: "learningRate",
  lrscheduler: "learningRate",
  metricforbestmodel: "criterion",
  onstepbegin: "beforeStep",
  onpreoptimizerstep: "beforeUpdate",
  onoptimizerstep: "beforeUpdate",
  onstepend: "afterStep",
  onevaluate: "evaluate",
  statedict: "state",
  loadstatedict: "loadState",
};

/**
 * Makes sure that a task has what the loop needs, before anything is written.
 *
 * @param others members that it may have besides
 * @throws ConfigurationError naming what is missing, is of another kind, or is no member
 */
export function requireTaskMembers(task: unknown, others: readonly string[] = []): asserts task is Task {
  if (typeof task !== "object" || task === null)
    throw new ConfigurationError(`A task must be an object of hooks, but is ${describeValue(task)}.`);
  const given = task as Record<string, unknown>;
  const known = [...TASK_MEMBERS, ...others];
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(task) as object | null);
  for (const name of isPlain ? Object.keys(given) : []) {
    if (known.includes(name)) continue;
    const guess = TRAINER[name.replaceAll("_", "").toLowerCase()] ?? nearest(name, known);
    throw new ConfigurationError(
      `A task knows no '${name}'. ${guess ? `Did you mean '${guess}'?` : `It has ${TASK_MEMBERS.join(", ")}.`}`,
    );
  }
  const missing = REQUIRED.filter((name) => given[name] === undefined);
  if (missing.length > 0)
    throw new ConfigurationError(`A task must have ${missing.join(", ")}, but has not. Add what is missing.`);
  if (!(given.module instanceof nn.Module))
    throw new ConfigurationError("module of a task must be an nn.Module, but is not.");
  for (const name of TASK_MEMBERS) {
    const value = given[name];
    if (name === "module" || value === undefined || (name === "criterion" && typeof value === "string"))
      continue;
    const kind = VALUES[name] ?? "function";
    const an = kind === "string" ? "a string" : kind === "boolean" ? "true or false" : "a function";
    if (typeof value !== kind)
      throw new ConfigurationError(`${name} of a task must be ${an}, but is ${describeValue(value)}.`);
  }
  for (const [one, other] of [
    ["state", "loadState"],
    ["loadState", "state"],
  ] as const)
    if (given[one] !== undefined && given[other] === undefined)
      throw new ConfigurationError(
        `A task must have both state and loadState, but has ${one} alone: what a checkpoint held would be lost. Add ${other}.`,
      );
}
