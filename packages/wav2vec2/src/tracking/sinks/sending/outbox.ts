import { UserError } from "../../../errors.js";
import { RequestError } from "../../../files/hub/http-request.js";
import type { SinkContext } from "../../sink-context.js";
import { ServiceError } from "./service-client.js";

/** Something for a service. Sent twice, it must leave there what it leaves once. */
export interface Parcel {
  /** How people call it, such as "metrics". */
  what: string;
  /** Values in it, by which it is decided how much can wait. */
  size: number;
  send(): Promise<void>;
}

export interface OutboxOptions {
  /** Values that wait at most; what comes then is not kept. */
  most?: number;
  firstWaitMs?: number;
  longestWaitMs?: number;
  /** At its end a run waits so long for a service that does not answer. */
  patienceMs?: number;
}

/** So many failures in a row are said. */
const SAID_AFTER = 3;
const ALIVE_MS = 5000;

/**
 * What waits to be sent to a service, one after the other, again and again until it is taken: training never waits for it, and the
 * service may be away for hours. What it refuses is left out and said once of each kind.
 */
export class Outbox {
  readonly #waiting: Parcel[] = [];
  readonly #refused = new Set<string>();
  #size = 0;
  #dropped = 0;
  #sending: Promise<void> | undefined;
  #failures = 0;
  #lastFailure = "";
  /** Whether that was said. */
  #isAway = false;
  /** When something was last taken. */
  #progress = 0;
  #wake = (): void => {};
  #closing = false;
  /** Why nothing more will ever be taken. */
  #over = false;
  readonly #options: Required<OutboxOptions>;

  /** @param name of the service */
  constructor(
    readonly name: string,
    private readonly context: Pick<SinkContext, "note" | "working">,
    options: OutboxOptions = {},
  ) {
    this.#options = {
      most: 500_000,
      firstWaitMs: 1000,
      longestWaitMs: 60_000,
      patienceMs: 30_000,
      ...options,
    };
  }

  push(parcel: Parcel): void {
    if (this.#over) return;
    if (this.#size + parcel.size > this.#options.most) {
      if (this.#dropped === 0)
        this.context.note(
          `${this.name} has been away for too long: what comes now is in the run directory alone.`,
        );
      this.#dropped += parcel.size;
      return;
    }
    this.#waiting.push(parcel);
    this.#size += parcel.size;
    this.#sending ??= this.#sendAll();
  }

  /** Says that the service does not answer, or not as it should. */
  tellAway({ message }: Error): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.context.note(
      `${this.name} takes nothing now (${message.replace(/\.$/, "")}). Training goes on, and what it should get waits.`,
    );
  }

  /** Waits until all is sent; gives up where the service does not answer any more, and says what it lacks. */
  async close(): Promise<void> {
    this.#closing = true;
    const alive = setInterval(() => this.context.working(), ALIVE_MS);
    this.#progress = performance.now();
    this.#wake(); // it may answer by now
    await this.#sending;
    clearInterval(alive);
    const lost = this.#waiting.reduce((sum, { size }) => sum + size, 0) + this.#dropped;
    if (lost > 0)
      this.context.note(
        `${this.name} lacks the last ${lost} values of this run${this.#lastFailure && `, as ${this.#lastFailure}`}; the run directory has them all, and --resume sends them.`,
      );
    this.#waiting.length = 0;
    this.#over = true;
  }

  async #sendAll(): Promise<void> {
    for (let parcel = this.#waiting[0]; parcel && !this.#over; parcel = this.#waiting[0]) {
      try {
        await parcel.send();
        if (this.#isAway) this.context.note(`${this.name} answers again and gets what waited.`);
        this.#isAway = false;
        this.#failures = 0;
        this.#progress = performance.now();
        this.#lastFailure = "";
      } catch (error) {
        if (await this.#waitAfter(error)) continue;
        this.#refuse(parcel, error);
      }
      this.#waiting.shift();
      this.#size -= parcel.size;
    }
    this.#sending = undefined;
  }

  /** @returns whether it may be taken later */
  async #waitAfter(error: unknown): Promise<boolean> {
    if (!(error instanceof RequestError)) return false;
    const forbids = error instanceof ServiceError && error.forbids;
    if (!error.transient && !forbids) return false;
    this.#failures++;
    this.#lastFailure = error.message.replace(/\.$/, "");
    if (this.#failures === SAID_AFTER) this.tellAway(error);
    const { firstWaitMs, longestWaitMs, patienceMs } = this.#options;
    const wanted = ((error as ServiceError).waitSeconds ?? 0) * 1000;
    const backOff = Math.min(longestWaitMs, firstWaitMs * 2 ** (this.#failures - 1));
    if (!this.#closing) await this.#pause(Math.max(wanted, backOff));
    else if (performance.now() - this.#progress > patienceMs) this.#over = true;
    else await this.#pause(Math.min(backOff, patienceMs / 10));
    return true;
  }

  #refuse({ what }: Parcel, error: unknown): void {
    const { message } = error as Error;
    if (error instanceof UserError) {
      this.#over = true;
      this.context.note(`Training goes on without ${this.name}: ${message}`);
    } else if (!this.#refused.has(what)) {
      this.#refused.add(what);
      this.context.note(`${this.name} does not take ${what}: ${message}`);
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
