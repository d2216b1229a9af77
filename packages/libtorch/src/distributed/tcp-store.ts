import { setTimeout as sleep } from "node:timers/promises";
import { checkOptions } from "../arguments.js";
import { native } from "../native.js";
import { DistributedError, reasonOf } from "./distributed-error.js";

export interface TCPStoreOptions {
  /** Where it is hosted; for the host itself, the name that others know it by. */
  host: string;
  /** 0 lets the host take a free one. */
  port: number;
  /** Whether this process hosts it. */
  isServer: boolean;
  /** How long to try to reach it, in milliseconds. Default: 300,000, as PyTorch's */
  timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 300_000;
/** Between two looks at a key that is not there yet. */
const POLL_MS = 20;

/**
 * Values by key that several processes see, hosted by one of them. PyTorch: `torch.distributed.TCPStore`, also of another
 * language's processes.
 */
export class TCPStore {
  readonly host: string;
  readonly #id: number;
  readonly #timeoutMs: number;

  private constructor(id: number, { host, timeoutMs = TIMEOUT_MS }: TCPStoreOptions) {
    this.#id = id;
    this.host = host;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws DistributedError where it cannot be reached, or its port is taken, naming address and time-out */
  static async open(options: TCPStoreOptions): Promise<TCPStore> {
    checkOptions(
      "TCPStore",
      options,
      ["host", "port", "isServer", "timeoutMs"],
      ["host", "port", "isServer"],
    );
    const { host, port, isServer, timeoutMs = TIMEOUT_MS } = options;
    try {
      return new TCPStore(await native.openStore(host, port, isServer, timeoutMs), options);
    } catch (error) {
      const what = isServer
        ? `The store must be hosted at port ${port} of ${host}, but cannot be: ${reasonOf(error)}. Give another port.`
        : `The store at ${host}:${port} must answer within ${timeoutMs / 1000} s, but does not: ${reasonOf(error)}. Check ` +
          "that its process runs, and that name and port can be reached from here.";
      throw new DistributedError(what, { cause: error });
    }
  }

  /** @internal */
  get id(): number {
    return this.#id;
  }

  get port(): number {
    return native.storePort(this.#id);
  }

  async set(key: string, value: Uint8Array | string): Promise<void> {
    await this.#ask(
      "set",
      native.storeSet(this.#id, key, typeof value === "string" ? Buffer.from(value) : value),
    );
  }

  /**
   * The value of a key, as soon as it is there.
   *
   * @throws DistributedError where it is not there in time
   * @throws the signal's reason where it is aborted
   */
  async get(key: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    await this.wait([key], options);
    return await this.#ask("get", native.storeGet(this.#id, key));
  }

  /** As {@link get}, as text. */
  async getText(key: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<string> {
    return Buffer.from(await this.get(key, options)).toString("utf8");
  }

  /** Waits until all keys are there. @throws as {@link get} */
  async wait(
    keys: readonly string[],
    { timeoutMs = this.#timeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<void> {
    const began = performance.now();
    // Asked again and again: a call that waits in the store would keep this process's others from it.
    while (!(await this.check(keys))) {
      signal?.throwIfAborted();
      if (performance.now() - began > timeoutMs) {
        throw new DistributedError(
          `${keys.join(", ")} must be in the store at ${this.host}:${this.port} within ${timeoutMs / 1000} s, but is not.`,
        );
      }
      await sleep(POLL_MS);
    }
  }

  /** Whether all keys are there. */
  async check(keys: readonly string[]): Promise<boolean> {
    return await this.#ask("check", native.storeCheck(this.#id, keys));
  }

  /** Adds to a whole number, 0 where it is not there. @returns the sum */
  async add(key: string, amount: number): Promise<number> {
    return await this.#ask("add", native.storeAdd(this.#id, key, amount));
  }

  /** @returns whether it was there */
  async deleteKey(key: string): Promise<boolean> {
    return await this.#ask("deleteKey", native.storeDelete(this.#id, key));
  }

  async close(): Promise<void> {
    await native.closeStore(this.#id);
  }

  async #ask<T>(operation: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw new DistributedError(
        `The store at ${this.host} must answer ${operation}, but does not: ${reasonOf(error)}. Check that the process ` +
          "that hosts it still runs.",
        { cause: error },
      );
    }
  }
}
