import { checkCount, checkOptions, describe } from "../../arguments.js";
import { argumentError, stateError } from "../../errors.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler, type SchedulerState } from "./scheduler.js";

export interface SequentialLROptions {
  /** One after another, all of the same optimiser. */
  schedulers: readonly LRScheduler[];
  /** The step at which each but the first begins, at its own step 0. */
  milestones: readonly number[];
}

export interface SequentialState extends SchedulerState {
  schedulers: SchedulerState[];
}

/** Schedules one after another, such as a warm-up and a decay (PyTorch: `SequentialLR`). */
export class SequentialLR extends LRScheduler {
  readonly #schedulers: readonly LRScheduler[];
  readonly #milestones: readonly number[];

  constructor(optimizer: Optimizer, options: SequentialLROptions) {
    super(optimizer);
    const kind = "SequentialLR";
    checkOptions(kind, options, ["schedulers", "milestones"], ["schedulers", "milestones"]);
    const { schedulers, milestones } = options;
    if (!Array.isArray(schedulers) || schedulers.length === 0)
      throw argumentError(kind, `'schedulers' must be an array of schedules, but is ${describe(schedulers)}`);
    for (const [i, scheduler] of schedulers.entries()) {
      if (!(scheduler instanceof LRScheduler))
        throw argumentError(
          kind,
          `schedulers[${i}] must be a schedule of steps, but is ${describe(scheduler)}`,
        );
      if (scheduler.optimizer !== optimizer)
        throw argumentError(kind, `schedulers[${i}] must be of this optimizer, but is of another one`);
    }
    if (!Array.isArray(milestones) || milestones.length !== schedulers.length - 1)
      throw argumentError(
        kind,
        `'milestones' must be ${schedulers.length - 1} steps, one fewer than there are schedules, but is ` +
          (Array.isArray(milestones) ? `${milestones.length}` : describe(milestones)),
      );
    for (const [i, milestone] of milestones.entries())
      checkCount(kind, `milestones[${i}]`, milestone, i === 0 ? 1 : milestones[i - 1] + 1);
    this.#schedulers = schedulers;
    this.#milestones = milestones;
    this.stepTo(0);
  }

  learningRateAt(epoch: number): number {
    const place = this.#milestones.filter((milestone) => milestone <= epoch).length;
    const scheduler = this.#schedulers[place]!;
    scheduler.stepTo(epoch - (this.#milestones[place - 1] ?? 0));
    return scheduler.lastLearningRate;
  }

  override stateDict(): SequentialState {
    return { ...super.stateDict(), schedulers: this.#schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  override loadStateDict(state: SequentialState): void {
    if (!Array.isArray(state?.schedulers) || state.schedulers.length !== this.#schedulers.length)
      throw stateError(
        "SequentialLR",
        `the state must hold ${this.#schedulers.length} schedules, as stateDict returns it, but does not`,
      );
    for (const [i, scheduler] of this.#schedulers.entries()) scheduler.loadStateDict(state.schedulers[i]!);
    super.loadStateDict(state);
  }
}
