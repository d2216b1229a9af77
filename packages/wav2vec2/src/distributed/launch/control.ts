import { signalExitCode } from "../../exit-codes.js";
import { startedByNohup } from "../../nohup.js";
import type { RunningRanks } from "./local-ranks.js";
import type { LaunchPlan } from "./plan/launch-plan.js";

type ControlPlan = Pick<LaunchPlan, "signals" | "patience">;
type Signalled = Pick<RunningRanks, "signal" | "kill" | "alive">;

/** Signals after which nothing is to go on. */
const ENDING: ReadonlySet<string> = new Set(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]);

/** npm passes on a signal that the terminal has sent already: as soon as this, in milliseconds, it is the same one. */
const ECHO_MS = 500;

/** Passes signals on to the processes, each once; the second one that means to end ends them at once. */
export class Control {
  stoppedBy: NodeJS.Signals | undefined;
  /** The exit code, when there are no processes to wait for any more and a signal says not to wait for other hosts either. */
  readonly forced: Promise<number>;
  #force!: (exitCode: number) => void;
  readonly #plan: ControlPlan;
  readonly #onNote: (text: string) => void;
  readonly #abort = new AbortController();
  readonly #handlers = new Map<NodeJS.Signals, () => void>();
  #ranks: Signalled | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = new Map<NodeJS.Signals, number>();

  /** @param now milliseconds that never go back; given in tests */
  constructor(
    plan: ControlPlan,
    onNote: (text: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.forced = new Promise((resolve) => {
      this.#force = resolve;
    });
    this.#plan = plan;
    this.#onNote = onNote;
    for (const name of plan.signals) {
      if (name === "SIGHUP" && startedByNohup()) continue;
      const handler = (): void => this.#receive(name);
      this.#handlers.set(name, handler);
      process.on(name, handler);
    }
  }

  /** Aborted when a signal has told the launcher to end. */
  get stopped(): AbortSignal {
    return this.#abort.signal;
  }

  begin(ranks: Signalled): void {
    this.#ranks = ranks;
    if (this.stoppedBy !== undefined) this.#stop(this.stoppedBy);
  }

  end(): void {
    this.#ranks = undefined;
    clearTimeout(this.#timer);
  }

  release(): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler);
    clearTimeout(this.#timer);
  }

  #receive(name: NodeJS.Signals): void {
    const now = this.now();
    const before = this.#last.get(name);
    this.#last.set(name, now);
    if (before !== undefined && now - before < ECHO_MS) return;
    if (!ENDING.has(name)) {
      this.#ranks?.signal(name, false);
      return;
    }
    const again = this.stoppedBy !== undefined;
    this.stoppedBy ??= name;
    this.#abort.abort();
    if ((this.#ranks?.alive ?? 0) === 0) this.#force(signalExitCode(this.stoppedBy));
    else if (again) this.#ranks?.kill();
    else this.#stop(name);
  }

  #stop(name: NodeJS.Signals): void {
    this.#ranks?.signal(name);
    const seconds = this.#plan.patience.signal;
    this.#timer = setTimeout(() => {
      const { alive = 0 } = this.#ranks ?? {};
      if (alive === 0) return;
      this.#onNote(
        `${alive} of the processes did not end within ${seconds} s of ${name} and ${alive === 1 ? "is" : "are"} killed. --shutdown-timeout gives more time.`,
      );
      this.#ranks?.kill();
    }, seconds * 1_000);
  }
}
