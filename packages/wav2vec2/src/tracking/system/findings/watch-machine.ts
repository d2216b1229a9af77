import type { Tracker } from "../../tracker.js";
import { MachineWatch } from "./machine-watch.js";

/** What a recipe says that decides whether its machine is enough for it. */
export interface WatchedRecipe {
  maxMinutes: number | undefined;
  saveSteps: number;
  keepCheckpoints: number;
  workers: number;
}

/** How long back the pace of training and its waiting are measured. */
const PACE_MS = 10 * 60_000;
/** Bytes of a number in a checkpoint. */
const FLOAT = 4;
/** What the watchdog of pre-training says of the same. */
const SAID_OF_WAITING = "data wait";

interface Logged {
  step: number;
  time: number;
  wait: number;
}

/** A tracker that also notes what is wrong with the machines, from the readings that it is given. */
export function watchMachine(tracker: Tracker, recipe: WatchedRecipe, now: () => number = Date.now): Tracker {
  const watch = new MachineWatch();
  const began = now();
  const size = { modelBytes: 0, checkpointBytes: 0 };
  let steps = Number.NaN;
  let lately: Logged[] = [];
  let saidWaiting = false;

  const note: Tracker["note"] = (text, finding) => {
    saidWaiting ||= finding?.name === SAID_OF_WAITING;
    tracker.note(text, finding);
  };
  const secondsLeft = (step: number): number => {
    const first = lately[0];
    const pace = first && first.step < step ? (now() - first.time) / 1000 / (step - first.step) : Number.NaN;
    const byClock = (recipe.maxMinutes ?? Number.POSITIVE_INFINITY) * 60 - (now() - began) / 1000;
    return Math.min((steps - step) * pace, byClock);
  };
  const waitShare = (): number => {
    const shares = lately.map(({ wait }) => wait).filter(Number.isFinite);
    return saidWaiting ? Number.NaN : shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
  return {
    ...tracker,
    async begin(run) {
      size.modelBytes = FLOAT * run.parameters.all;
      size.checkpointBytes = FLOAT * (run.parameters.all + 2 * run.parameters.trained);
      await tracker.begin(run);
    },
    planned(count) {
      steps = count;
      tracker.planned(count);
    },
    log(metrics, step) {
      lately.push({ step, time: now(), wait: metrics.data_wait_share ?? Number.NaN });
      const newest = lately.at(-1)!;
      // At least the line before stays, so that there is a pace where little is logged.
      lately = lately.filter(
        ({ time }, index) => newest.time - time <= PACE_MS || index >= lately.length - 2,
      );
      tracker.log(metrics, step);
    },
    note,
    system(readings, step) {
      tracker.system(readings, step);
      const troubles = watch.look(readings, {
        ...size,
        secondsLeft: secondsLeft(step),
        savesLeft: step < steps ? Math.ceil((steps - step) / recipe.saveSteps) : 0,
        keepCheckpoints: recipe.keepCheckpoints,
        waitShare: waitShare(),
        workers: recipe.workers,
      });
      for (const { name, text } of troubles) note(text, { step, name });
    },
  };
}
