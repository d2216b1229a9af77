import { describeValue } from "../../describe-type.js";
import { ConfigurationError } from "../../errors.js";
import type { Task, TrainingBatch } from "./task.js";
import { requireTaskMembers, TASK_MEMBERS } from "./task-members.js";

/**
 * A task of the project as its user changes it.
 *
 * @returns with the names of the hooks that are the user's
 * @throws ConfigurationError where the change is no function, or gives no task
 */
export function changedTask<Batch extends TrainingBatch, Base extends Task<Batch>>(
  base: Base,
  change: ((base: Base) => Task<Batch>) | undefined,
): { task: Task<Batch>; ownHooks: ReadonlySet<string> } {
  if (change === undefined) return { task: base, ownHooks: new Set() };
  if (typeof change !== "function")
    throw new ConfigurationError(
      `The option task must be a function such as (base) => ({ ...base, loss }), but is ${describeValue(change)}.`,
    );
  const task = change(base);
  if ((task as unknown) instanceof Promise)
    throw new ConfigurationError(
      "The option task must return a task at once, but returned a promise. Await what it needs before.",
    );
  requireTaskMembers(task, Object.keys(base));
  return { task, ownHooks: new Set(TASK_MEMBERS.filter((name) => task[name] !== base[name])) };
}
