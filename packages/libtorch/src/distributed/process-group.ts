import { setTimeout as sleep } from "node:timers/promises";
import { setupCommand } from "../../setup/places.mjs";
import { checkCount, checkOptions, describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import { native } from "../native.js";
import { empty } from "../operators/operators.generated.js";
import { keep } from "../tensors/handles.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { DistributedError, reasonOf } from "./distributed-error.js";
import { TCPStore } from "./tcp-store.js";

/** What carries tensors: `gloo` those on the CPU, `nccl` those on a GPU. */
export type Backend = "gloo" | "nccl";

/** Those that this build of the bridge has. */
export function availableBackends(): Backend[] {
  return native.backends() as Backend[];
}

export interface ProcessGroupOptions {
  store: TCPStore;
  rank: number;
  /** Processes in the group. */
  size: number;
  backend: Backend;
  /** Tells groups of one store apart; the same in all processes. */
  name: string;
  /** How long an operation may wait for another process, in milliseconds. */
  timeoutMs: number;
  /** This machine's address as the others reach it. Default: the host name's */
  address?: string | undefined;
  /** Network interface, such as eth0, instead of an address. */
  networkInterface?: string | undefined;
  /** What others know this process by in messages, such as host and process id. */
  label?: string | undefined;
}

/** How long those that failed wait for each other's word before they say who is silent. */
const INQUIRY_MS = 2_000;

/**
 * Processes that exchange tensors. All call the same operations in the same order. Each starts at once and is done when
 * its promise resolves; a tensor must live and stay as it is until then. PyTorch: `torch.distributed.ProcessGroup`.
 */
export class ProcessGroup {
  readonly rank: number;
  readonly size: number;
  readonly backend: Backend;
  readonly #id: number;
  readonly #options: ProcessGroupOptions;
  #failed: Promise<DistributedError> | undefined;
  #closed = false;

  private constructor(id: number, options: ProcessGroupOptions) {
    this.#id = id;
    this.#options = options;
    this.rank = options.rank;
    this.size = options.size;
    this.backend = options.backend;
  }

  /** Waits for all processes. @throws DistributedError where they do not come in time */
  static async open(options: ProcessGroupOptions): Promise<ProcessGroup> {
    const needed = ["store", "rank", "size", "backend", "name", "timeoutMs"];
    checkOptions("ProcessGroup", options, [...needed, "address", "networkInterface", "label"], needed);
    const { store, name, rank, size, backend, timeoutMs, address, networkInterface, label } = options;
    checkCount("ProcessGroup", "size", size, 1);
    checkCount("ProcessGroup", "rank", rank);
    if (!(store instanceof TCPStore))
      throw argumentError("ProcessGroup", `'store' must be a TCPStore, but is ${describe(store)}`);
    if (!availableBackends().includes(backend)) {
      throw new DistributedError(
        `backend must be ${availableBackends().join(" or ")} in this build, but is ${backend}. For nccl, run ` +
          `'${setupCommand("cuda")}'.`,
      );
    }
    await store.set(`${name}/label/${rank}`, label ?? `process ${process.pid}`);
    const everyone = Array.from({ length: size }, (_, other) => `${name}/label/${other}`);
    try {
      await store.wait(everyone, { timeoutMs });
    } catch (error) {
      throw new DistributedError(
        `All ${size} processes must come within ${timeoutMs / 1000} s, but ${await absent(store, everyone)} did not. Start ` +
          "them all, with the same number of processes.",
        { cause: error },
      );
    }
    try {
      const place = [timeoutMs, address ?? "", networkInterface ?? ""] as const;
      const id = await native.openGroup(store.id, `${name}/${backend}/`, rank, size, backend, ...place);
      return new ProcessGroup(id, options);
    } catch (error) {
      throw new DistributedError(
        `Rank ${rank} must connect to the other ${size - 1} processes${address ? ` from ${address}` : ""}, but cannot: ` +
          `${reasonOf(error)}. Check that the hosts reach each other at all ports; GLOO_SOCKET_IFNAME chooses the interface.`,
        { cause: error },
      );
    }
  }

  /** @internal */
  get id(): number {
    return this.#id;
  }

  /** Every process's tensor becomes the sum (smallest, largest) of all. */
  async allReduce(values: Tensor, reduction: "sum" | "min" | "max" = "sum"): Promise<void> {
    await this.ask("all_reduce", () => native.allReduce(this.#id, values.handle, reduction));
  }

  /** Every process's tensor becomes that of `root`. */
  async broadcast(values: Tensor, root = 0): Promise<void> {
    await this.ask("broadcast", () => native.broadcastTensor(this.#id, values.handle, root));
  }

  /** @returns every process's tensor, by rank; all have one shape */
  async allGather(values: Tensor): Promise<Tensor[]> {
    const { shape, dtype, device } = values;
    const gathered = Array.from({ length: this.size }, () => keep(empty(shape, { dtype, device })));
    const handles = gathered.map(({ handle }) => handle);
    await this.ask("all_gather", () => native.allGather(this.#id, handles, values.handle));
    return gathered;
  }

  /** @param parts one for each rank, of one shape @returns the sum over the processes of this rank's part */
  async reduceScatter(parts: readonly Tensor[]): Promise<Tensor> {
    const { shape, dtype, device } = parts[0]!;
    const sum = keep(empty(shape, { dtype, device }));
    const handles = parts.map(({ handle }) => handle);
    await this.ask("reduce_scatter", () => native.reduceScatter(this.#id, sum.handle, handles));
    return sum;
  }

  /** Waits until all processes are here. */
  async barrier(): Promise<void> {
    await this.ask("barrier", () => native.barrier(this.#id));
  }

  /** Every process's bytes, by rank, of any lengths; for what is said now and then. Over the CPU. */
  async gatherBytes(bytes: Uint8Array): Promise<Uint8Array[]> {
    const lengths = (await this.allGather(keep(tensor(Int32Array.of(bytes.length))))).map((each) =>
      each.item(),
    );
    const padded = new Uint8Array(Math.max(1, ...lengths));
    padded.set(bytes);
    const gathered = await this.allGather(keep(tensor(padded)));
    return gathered.map((each, rank) => each.toBytes().subarray(0, lengths[rank]));
  }

  /** Ends the group here: what other processes still ask of it fails. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await native.closeGroup(this.#id);
  }

  /**
   * @internal Asks something of the group.
   *
   * @throws TorchError where it cannot be asked, such as of a tensor that is not contiguous
   * @throws DistributedError naming operation, rank and those who do not answer; then the group is closed, so that the
   * others fail at once too instead of waiting
   */
  async ask<T>(operation: string, start: () => Promise<T>): Promise<T> {
    if (this.#failed) throw await this.#failed;
    if (this.#closed)
      throw new DistributedError(`${operation} must be asked of an open group, but it was closed.`);
    const answer = start();
    try {
      return await answer;
    } catch (error) {
      this.#failed ??= this.#explain(operation, error);
      throw await this.#failed;
    }
  }

  /** Ranks that fail leave a word in the store, so that each can say who has left none. */
  async #explain(operation: string, error: unknown): Promise<DistributedError> {
    const { store, name, size, rank, timeoutMs } = this.#options;
    await this.close();
    const words = Array.from({ length: size }, (_, other) => `${name}/failed/${other}`);
    let silent = "another process";
    try {
      await store.set(words[rank]!, operation);
      const until = performance.now() + INQUIRY_MS;
      while (performance.now() < until && !(await store.check(words))) await sleep(100);
      silent = (await absent(store, words, name)) ?? silent;
    } catch {
      silent = `${silent} (the store at ${store.host} does not answer either)`;
    }
    return new DistributedError(
      `${operation} of rank ${rank} must be done within ${timeoutMs / 1000} s, but ${silent} has ended or does not answer: ` +
        `${reasonOf(error)}.`,
      { cause: error },
    );
  }
}

/** The ranks whose key is missing, with their labels where there are some; undefined where none is. */
async function absent(store: TCPStore, keys: readonly string[], name?: string): Promise<string | undefined> {
  const ranks: string[] = [];
  for (const [rank, key] of keys.entries()) {
    if (await store.check([key])) continue;
    const label = name === undefined ? undefined : `${name}/label/${rank}`;
    const known =
      label !== undefined && (await store.check([label])) ? ` (${await store.getText(label)})` : "";
    ranks.push(`rank ${rank}${known}`);
  }
  return ranks.length > 0 ? ranks.join(", ") : undefined;
}
