import { isDeepStrictEqual } from "node:util";
import { distributed, isTensor } from "@wav2vec2/libtorch";
import { nearest } from "@wav2vec2/libtorch/nearest";
import { isObject } from "../../argument-kinds.js";
import type { EmptyBatch } from "../../data/batches/load-batches.js";
import { describeValue } from "../../describe-type.js";
import { Interrupted } from "../../distributed/interrupted.js";
import { UserError } from "../../errors.js";
import type { BatchLoss, Task, TrainingBatch, Validation } from "./task.js";
import { TASK_MEMBERS, type TaskMember } from "./task-members.js";

/** A hook of one's own failed, or gave what training cannot go on with. What it threw is the cause. */
export class HookError extends UserError {
  override readonly name = "HookError";

  /** @param step as logs count it */
  constructor(
    readonly hook: string,
    readonly step: number,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`The task's ${hook} ${problem.replace(/[.?]$/, "")}${problem.endsWith("?") ? "?" : "."}`, options);
  }
}

/**
 * A task whose own hooks are watched: what they throw, and what they return that is of no use, ends training with the
 * hook's name and the step, before anything is made of it.
 *
 * @param own names of the hooks that are not the project's
 * @param stepOf updates that are done
 */
export function withNamedHooks<Batch extends TrainingBatch>(
  task: Task<Batch>,
  own: ReadonlySet<string>,
  stepOf: () => number,
): Task<Batch> {
  const members = Object.fromEntries(
    TASK_MEMBERS.flatMap((name) => {
      const value: unknown = task[name];
      if (value === undefined) return [];
      if (typeof value !== "function") return [[name, value]];
      const bound = (...given: unknown[]): unknown => Reflect.apply(value, task, given);
      return [[name, own.has(name) ? watched(name, bound, stepOf) : bound]];
    }),
  );
  return members as unknown as Task<Batch>; // the same members, each as it was or watched
}

type Hook = (...given: unknown[]) => unknown;

/** Hooks whose step is the one that is done, not the one being made. */
const BEHIND: readonly TaskMember[] = ["afterStep", "evaluate", "save", "metrics", "state", "criterion"];

function watched(name: TaskMember, hook: Hook, stepOf: () => number): Hook {
  const check = CHECKS[name]?.();
  const step = () => stepOf() + (BEHIND.includes(name) ? 0 : 1);
  const failed = (error: unknown, given: readonly unknown[] = []): never => {
    const isAborted = given.some(
      (each) => each instanceof AbortSignal && each.aborted && error === each.reason,
    );
    if (isAborted || passes(error) || (name === "batches" && error instanceof UserError)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new HookError(name, step(), `failed at step ${step()}: ${reason}`, { cause: error });
  };
  const checked = (result: unknown): unknown => {
    const problem = check?.(result);
    if (problem === undefined) return result;
    throw new HookError(name, step(), `of step ${step()} must ${problem}`);
  };
  if (name === "batches") return (...given) => watchedBatches(attempt(hook, given, failed), failed, step);
  return (...given) => {
    const result = attempt(hook, given, failed);
    if (!(result instanceof Promise)) return checked(result);
    if (ASYNC.includes(name)) return result.then(checked, (error) => failed(error, given));
    result.catch(() => {}); // what it comes to is not waited for
    throw new HookError(name, step(), `of step ${step()} must return at once, but returned a promise`);
  };
}

const ASYNC: readonly TaskMember[] = ["beforeStep", "beforeUpdate", "afterStep", "evaluate", "save"];

function attempt(
  hook: Hook,
  given: unknown[],
  failed: (error: unknown, given: readonly unknown[]) => never,
): unknown {
  try {
    return hook(...given);
  } catch (error) {
    return failed(error, given);
  }
}

/** What says of itself what it is: an interruption, or another process that is lost. */
function passes(error: unknown): boolean {
  if (error instanceof Interrupted || error instanceof HookError) return true;
  return error instanceof distributed.DistributedError;
}

/** What is wrong with a hook's result, behind "must"; undefined where it is right. A function for each run. */
const CHECKS: Partial<Record<TaskMember, () => (result: unknown) => string | undefined>> = {
  learningRate: () => (rate) =>
    typeof rate === "number" && Number.isFinite(rate) && rate >= 0
      ? undefined
      : `be a finite number of at least 0, but is ${shown(rate)}`,
  criterion: () => (value) =>
    typeof value === "number" && !Number.isNaN(value) ? undefined : `be a number, but is ${shown(value)}`,
  metrics: () => metricsProblem,
  loss: () => {
    let names: string | undefined;
    return (part) => {
      const problem = lossProblem(part);
      if (problem !== undefined) return problem;
      const { sums = {} } = part as BatchLoss;
      const own = Object.keys(sums).join(", ");
      names ??= own;
      return names === own ? undefined : `sum the same names for each batch (${names}), but sums ${own}`;
    };
  },
  evaluate: () => (validation) => {
    const { metrics } = (isObject(validation) ? validation : {}) as Partial<Validation>;
    if (!isObject(metrics)) return `return { metrics, criterion }, but returned ${shown(validation)}`;
    return strangerIn(validation as Validation, ["metrics", "criterion"]) ?? metricsProblem(metrics);
  },
  state: () => (state) =>
    isJson(state)
      ? undefined
      : "be what JSON holds, such as numbers, lists and plain objects, but is something else",
};

function isJson(value: unknown): boolean {
  try {
    return isDeepStrictEqual(value, JSON.parse(JSON.stringify(value ?? null)));
  } catch {
    return false; // a bigint, or what holds itself
  }
}

/** A name that nothing reads, behind "must". */
function strangerIn(result: object, names: readonly string[]): string | undefined {
  const stranger = Object.keys(result).find((name) => !names.includes(name));
  if (stranger === undefined) return undefined;
  const meant = nearest(stranger, names);
  return `return ${names.join(", ")} alone, but returned ${stranger}. ${meant === undefined ? "Leave it out" : `Did you mean ${meant}?`}`;
}

export function metricsProblem(metrics: unknown): string | undefined {
  if (!isObject(metrics)) return `be an object of numbers, but is ${shown(metrics)}`;
  for (const [name, value] of Object.entries(metrics))
    if (typeof value !== "number" || Number.isNaN(value))
      return `hold numbers, but ${name} is ${isTensor(value) ? "a tensor: use item()" : shown(value)}`;
  return undefined;
}

function lossProblem(part: unknown): string | undefined {
  const form = "return { loss, count }, a scalar tensor and a number";
  if (!isObject(part)) return `${form}, but returned ${shown(part)}`;
  if (isTensor(part)) return `${form}, but returned the tensor alone`;
  const { loss, count, sums = {} } = part as Partial<BatchLoss>;
  if (!isTensor(loss)) return `${form}, but its loss is ${shown(loss)}`;
  if (loss.shape.length > 0)
    return `return a scalar loss, but it is [${loss.shape.join(", ")}]. Add its elements up with sum()`;
  if (!loss.requiresGrad)
    return "return a loss with a gradient, but it has none: what it was computed from is detached, frozen or inside noGrad";
  const stranger = strangerIn(part, ["loss", "count", "sums"]);
  if (stranger !== undefined) return stranger;
  if (!isObject(sums) || Array.isArray(sums) || isTensor(sums))
    return `return sums as an object of numbers and scalar tensors by their names, but they are ${shown(sums)}`;
  const reserved = ["loss", "count"].find((name) => Object.hasOwn(sums, name));
  if (reserved !== undefined) return `give its sums other names than ${reserved}, which is added up anyway`;
  if (typeof count !== "number" || !Number.isFinite(count) || count < 0)
    return `return a count of at least 0, of the parts that the loss is a sum of, but it is ${shown(count)}`;
  for (const [name, value] of Object.entries(sums)) {
    const isScalar = isTensor(value) ? value.shape.length === 0 : Number.isFinite(value);
    if (!isScalar)
      return `return sums of finite numbers and scalar tensors, but ${name} is ${isTensor(value) ? `[${value.shape.join(", ")}]` : shown(value)}`;
  }
  return undefined;
}

function shown(value: unknown): string {
  if (isTensor(value)) return "a tensor";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : describeValue(value);
}

/** An iterator of batches that is endless, and whose batches are what the loop needs. */
async function* watchedBatches(
  made: unknown,
  failed: (error: unknown) => never,
  step: () => number,
): AsyncGenerator<TrainingBatch | EmptyBatch> {
  const iterator = isObject(made) && Symbol.asyncIterator in made ? iterate(made) : made;
  if (!isIterator(iterator))
    throw new HookError(
      "batches",
      step(),
      "must return an async iterator, such as an async generator's, but did not",
    );
  try {
    for (;;) {
      const { value, done } = await iterator.next().catch(failed);
      if (done)
        throw new HookError(
          "batches",
          step(),
          `must be endless, but ended at step ${step()}. Begin the next epoch`,
        );
      const problem = batchProblem(value);
      if (problem !== undefined) throw new HookError("batches", step(), `of step ${step()} must ${problem}`);
      yield value as TrainingBatch;
    }
  } finally {
    await iterator.return?.();
  }
}

function iterate(made: object): unknown {
  return (made as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}

function isIterator(value: unknown): value is AsyncIterator<unknown> {
  return isObject(value) && typeof value.next === "function";
}

function batchProblem(batch: unknown): string | undefined {
  const { ids, lengths, place, next } = (isObject(batch) ? batch : {}) as Partial<TrainingBatch>;
  if (Array.isArray(ids) && lengths instanceof Int32Array && isObject(place) && isObject(next))
    return undefined;
  return "have ids, lengths (Int32Array), place and next, as those of ctcBatches, but have not";
}
