import type { RankEnd } from "../local-ranks.js";
import { judge, type Verdict } from "../verdict.js";
import type { Store } from "./store.js";

/** The place of this host's processes among all in one start. */
export interface Round {
  /** Number of the start, from 0. */
  attempt: number;
  runId: string;
  /** Number of this host, and of all. */
  groupRank: number;
  hosts: number;
  /** Rank of this host's first process, and the number of all. */
  firstRank: number;
  size: number;
  /** The store that the processes share. */
  address: string;
  port: number;
  /** This host's address for the others. */
  localAddress?: string;
}

/** How this host's part ended, for the verdict over all. */
export interface HostEnd {
  ends: RankEnd[];
  /** The signal that told this launcher to end. */
  stoppedBy: NodeJS.Signals | undefined;
}

/** `failure`: the others are to be ended. `stop`: they save and end by themselves, as their processes agreed to. */
export type Trouble = "failure" | "stop";

/** What the launchers of all hosts agree on. */
export interface Session {
  /** Comes together with the other hosts for the next start. */
  join(signal: AbortSignal): Promise<Round>;
  /**
   * Comes back when the processes of another host failed or it is lost, once when those of another host end because they
   * were told to, or when `signal` is aborted.
   */
  trouble(signal: AbortSignal): Promise<Trouble>;
  /** Tells the others of such trouble here. */
  announce(trouble: Trouble): Promise<void>;
  /** Hands in how this host's processes ended and comes back with what follows for all. */
  finish(end: HostEnd): Promise<Verdict>;
  close(): Promise<void>;
}

/** One host, which agrees with itself. */
export class SingleHost implements Session {
  readonly #localSize: number;
  readonly #runId: string;
  readonly #store: Store;
  readonly #maxRestarts: number;
  #attempt = -1;

  constructor(localSize: number, runId: string, store: Store, maxRestarts: number) {
    this.#maxRestarts = maxRestarts;
    this.#localSize = localSize;
    this.#runId = runId;
    this.#store = store;
  }

  async join(): Promise<Round> {
    this.#attempt += 1;
    const { host: address, port } = this.#store;
    const size = this.#localSize;
    return {
      attempt: this.#attempt,
      runId: this.#runId,
      groupRank: 0,
      hosts: 1,
      firstRank: 0,
      size,
      address,
      port,
    };
  }

  trouble(signal: AbortSignal): Promise<Trouble> {
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve("stop")));
  }

  async announce(): Promise<void> {}

  async finish({ ends, stoppedBy }: HostEnd): Promise<Verdict> {
    return judge(ends, { stoppedBy, restarts: this.#maxRestarts - this.#attempt });
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}
