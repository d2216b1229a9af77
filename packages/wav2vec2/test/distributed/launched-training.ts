import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { lastStep, rowsOf } from "../training/training-process.js";
import { isRunning, type Launched, type LaunchFixture, log } from "./launch-fixture.js";

/** What the processes of a training are about. */
export type Phase =
  | "start"
  | "data"
  | "forward or backward"
  | "reduction"
  | "checkpoint"
  | "evaluation"
  | "end";

export interface TrainingOptions {
  processes?: number;
  /** The recipe's eval_steps. */
  evalSteps: number;
  /** Of the launcher. */
  options?: readonly string[];
  env?: Record<string, string>;
  /** What runs the launcher, such as `ip netns exec`. */
  behind?: readonly string[];
}

/**
 * A training in several processes of the compiled program, whose processes can be stopped in the middle of something: Linux
 * tells from outside what they do.
 */
export class LaunchedTraining {
  readonly launched: Launched;
  readonly processes: number;
  /** All processes that were seen. */
  readonly seen = new Set<number>();
  /** How often the launcher is known to have started them. */
  attempt = 0;
  readonly #evalSteps: number;
  /** What rank 0 says where all have met. */
  readonly #meets: RegExp;
  #over = false;

  /** @param output run directory @param args of the training, without `--output` */
  constructor(
    fixture: LaunchFixture,
    readonly output: string,
    args: readonly string[],
    { processes = 2, evalSteps, options = [], env = {}, behind = [] }: TrainingOptions,
  ) {
    this.#evalSteps = evalSteps;
    this.processes = processes;
    this.#meets = processes > 1 ? /processes train together/ : /./;
    const all = ["--nproc-per-node", String(processes), "-r", "3", "--shutdown-timeout", "20", ...options];
    this.launched = fixture.wav2vec2([...all, "--", ...args, "--output", output], env, behind);
    void this.launched.ended.then(() => {
      this.#over = true;
    });
  }

  /** What a rank has said on stderr since it was started last. */
  said(rank: number): string {
    return log(this.launched.logs, rank, "stderr", this.attempt);
  }

  /** Whether the launcher has started all of them once more. */
  startedAnew(attempt: number): boolean {
    return existsSync(join(this.launched.logs, "run", `attempt_${attempt + 1}`));
  }

  /** The process of a rank, once it is there. */
  async rank(rank: number): Promise<number> {
    let pid: number | undefined;
    await this.until(() => {
      pid = this.ranks().get(rank);
      return pid !== undefined;
    });
    return pid!;
  }

  /** The processes that there are, by rank. */
  ranks(): Map<number, number> {
    const ranks = new Map<number, number>();
    for (const pid of childrenOf(this.launched.child.pid!)) {
      const rank = /(?:^|\0)RANK=(\d+)/.exec(read(`/proc/${pid}/environ`))?.[1];
      if (rank === undefined || !isRunning(pid)) continue;
      ranks.set(Number(rank), pid);
      this.seen.add(pid);
    }
    return ranks;
  }

  /** Waits until something is so, and fails where the launcher ends before. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await this.#requireRunning();
      await after(4);
    }
  }

  async #requireRunning(): Promise<void> {
    if (!this.#over) return;
    const { code, stderr } = await this.launched.ended;
    throw new Error(`The launcher ended with ${code} before: ${stderr}`);
  }

  /**
   * Waits until the run is in a phase, and stops the processes there.
   *
   * @returns lets all but `victim` go on
   */
  async freezeIn(phase: Phase, victim: number): Promise<() => void> {
    await this.until(() => this.ranks().size === this.processes);
    const pid = await this.rank(victim);
    // A checkpoint is written by rank 0; a reduction waits for those who have not come.
    const others = [...this.ranks()].filter(([rank]) => rank !== victim).map(([, other]) => other);
    const from = lastStep(this.output);
    const hasBegun = () => lastStep(this.output) !== from;
    const release = () => {
      for (const other of others) signal(other, "SIGCONT");
    };
    for (;;) {
      await this.until(() => phase === "start" || phase === "data" || hasBegun());
      if (phase === "reduction") {
        for (const other of others) await stop(other);
        const waits = await isWaiting(pid);
        if (waits) await stop(pid);
        if (waits && this.phaseOf(pid) === phase) return release;
        signal(pid, "SIGCONT");
      } else {
        await this.until(() => this.#mayBe(phase));
        for (const each of [pid, ...others]) await stop(each);
        if (this.phaseOf(pid) === phase) return release;
        signal(pid, "SIGCONT");
      }
      release();
      await this.#requireRunning();
      await after(2);
    }
  }

  #mayBe(phase: Phase): boolean {
    if (phase === "data") return this.#hasMet();
    if (phase === "checkpoint") return this.#isSaving();
    if (phase === "evaluation") return this.#isEvaluating();
    return true;
  }

  /** What is going on, seen from a process that is stopped. */
  phaseOf(pid: number): Phase {
    if (!this.#hasMet()) return "start";
    if (!/Resumed at step|to (train on|learn from)/.test(this.said(0))) return "data";
    if (readNames(this.output).includes("final")) return "end";
    if (this.#isSaving()) return "checkpoint";
    if (this.#isEvaluating()) return "evaluation";
    return isComputing(pid) ? "forward or backward" : "reduction";
  }

  #hasMet(): boolean {
    return this.#meets.test(this.said(0));
  }

  /** Whether a checkpoint is there in part. */
  #isSaving(): boolean {
    const names = readNames(join(this.output, "checkpoints"));
    const stepsOf = (pattern: RegExp) => names.flatMap((name) => Number(pattern.exec(name)?.[1] ?? []));
    // Old ones are removed under hidden names too.
    const newest = Math.max(0, ...stepsOf(/^step-(\d+)$/));
    return stepsOf(/^\.step-(\d+)\.wav2vec2-new$/).some((step) => step > newest);
  }

  /** Whether a validation is due or being done. */
  #isEvaluating(): boolean {
    const last = lastStep(this.output);
    const isDue = last > 0 && last % this.#evalSteps === 0;
    return isDue && !rowsOf(this.output).some((row) => row.step === last && !("loss" in row));
  }
}

/** Processes that a process started. */
function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended
  }
}

function readNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** To a process that may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has
  }
}

/** Stops a process and waits until it stands still. */
export async function stop(pid: number): Promise<void> {
  signal(pid, "SIGSTOP");
  while (isRunning(pid) && !/^\d+ \(.*\) T/s.test(read(`/proc/${pid}/stat`))) await after(1);
}

/** Whether the main thread of a stopped process is in its own code, not in a call of the system (proc(5)). */
function isComputing(pid: number): boolean {
  return read(`/proc/${pid}/syscall`).startsWith("-1 ");
}

/** Whether a process does nothing for a while. */
async function isWaiting(pid: number): Promise<boolean> {
  const ticks = () =>
    read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, "")
      .split(" ")
      .slice(11, 13)
      .join(" ");
  let before = "";
  for (let still = 0; still < 10; ) {
    const now = ticks();
    if (now === "") return false;
    still = now === before ? still + 1 : 0;
    before = now;
    await after(30);
  }
  return true;
}
