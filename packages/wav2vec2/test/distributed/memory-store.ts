import type { OpenStore, Store } from "../../src/distributed/launch/hosts/store.js";

// Stores in memory in place of libtorch's, whose connections can be cut.

/** One host's connection. */
export class MemoryStore implements Store {
  cut = false;
  broken = false;
  constructor(
    readonly host: string,
    readonly port: number,
    private readonly values: Map<string, string>,
  ) {}

  async #answer<T>(value: () => T): Promise<T> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.cut) return await new Promise<T>(() => {});
    if (this.broken) throw new Error("connection reset by peer");
    return value();
  }
  set = (key: string, value: string) => this.#answer(() => void this.values.set(key, value));
  getText = (key: string) => this.#answer(() => this.values.get(key)!);
  check = (keys: readonly string[]) => this.#answer(() => keys.every((key) => this.values.has(key)));
  add = (key: string, amount: number) =>
    this.#answer(() => {
      const sum = Number(this.values.get(key) ?? 0) + amount;
      this.values.set(key, String(sum));
      return sum;
    });
  close = async () => {
    this.broken = true;
  };
}

/** The store of a run whose hosts are all in one process. */
export class MemoryNetwork {
  readonly #values = new Map<string, string>();
  hosted = false;
  readonly open: OpenStore = async ({ host, port, isServer }) => {
    if (isServer && this.hosted) throw new Error("address already in use");
    if (!isServer && !this.hosted) throw new Error("connection refused");
    this.hosted ||= isServer;
    const store = new MemoryStore(host, port, this.#values);
    this.stores.push(store);
    return store;
  };
  /** In the order in which they were opened. */
  readonly stores: MemoryStore[] = [];
}
