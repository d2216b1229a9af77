import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { distributed, keep, type Tensor, tensor } from "@wav2vec2/libtorch";
import {
  BucketedExchange,
  type GradientExchange,
  type GradientExchangeOptions,
} from "./gradient-exchange.js";
import { isLoopback, reachableAddress } from "./local-address.js";
import type { Place } from "./place.js";
import type { World } from "./world.js";

export interface JoinOptions {
  /** Where the parameters are, such as `cpu` or `cuda:1`. */
  device: string;
  /** How long an exchange may wait for another process, in seconds. */
  timeoutSeconds: number;
}

/** Processes need this long to start on busy hosts, also where they are to answer quickly from then on. */
const START_SECONDS = 60;

/**
 * Meets the other processes at the store that the place names, and connects to them.
 *
 * @throws DistributedError where they do not come in time or cannot be reached, naming address and time-out
 * @throws UserError where the other hosts cannot reach this one
 */
export async function joinWorld(place: Place, { device, timeoutSeconds }: JoinOptions): Promise<World> {
  const { rank, size, address: host, port } = place;
  const timeoutMs = timeoutSeconds * 1000;
  const startMs = Math.max(timeoutSeconds, START_SECONDS) * 1000;
  const address = await reachableAddress(process.env, place);
  const store = await distributed.TCPStore.open({
    host,
    port,
    isServer: place.hostsStore,
    timeoutMs: startMs,
  });
  const name = `wav2vec2/${await agreedName(store, place, startMs)}`;
  const label = `${hostname()}, process ${process.pid}${isLoopback(address) ? "" : `, ${address}`}`;
  const options = { store, rank, size, timeoutMs, address, label };
  const control = await distributed.ProcessGroup.open({
    ...options,
    name: `${name}/control`,
    backend: "gloo",
  });
  const group = device.startsWith("cuda")
    ? await distributed.ProcessGroup.open({ ...options, name: `${name}/gradients`, backend: "nccl" })
    : control;
  return new ProcessesWorld(store, control, group);
}

/**
 * A name for this meeting, which no earlier one at the same store had: a launcher's store outlives the processes that it
 * starts anew, and hosts count their restarts differently (https://github.com/pytorch/pytorch/issues/135712). Rank 0 answers
 * each other rank's greeting until all have read it.
 */
async function agreedName(
  store: distributed.TCPStore,
  { rank, size }: Place,
  timeoutMs: number,
): Promise<string> {
  const own = randomUUID();
  const began = performance.now();
  const late = (who: string) =>
    new distributed.DistributedError(
      `All ${size} processes must come within ${timeoutMs / 1000} s, but ${who} did not. Start them all, with the same ` +
        "number of processes.",
    );
  const read = async (key: string) => ((await store.check([key])) ? await store.getText(key) : undefined);
  const others = Array.from({ length: size - 1 }, (_, index) => index + 1);
  if (rank > 0) {
    await store.set(`hello/${rank}`, own);
    for (;;) {
      const [echo, name] = ((await read(`welcome/${rank}`)) ?? "").split(" ");
      if (echo === own) {
        await store.set(`heard/${name}/${rank}`, own);
        return name!;
      }
      if (performance.now() - began > timeoutMs) throw late("rank 0");
      await sleep(20);
    }
  }
  const silent = new Set(others);
  while (silent.size > 0) {
    for (const other of silent) {
      const greeting = await read(`hello/${other}`);
      if (greeting !== undefined) await store.set(`welcome/${other}`, `${greeting} ${own}`);
      if (await store.check([`heard/${own}/${other}`])) silent.delete(other);
    }
    if (silent.size === 0) break;
    if (performance.now() - began > timeoutMs)
      throw late([...silent].map((other) => `rank ${other}`).join(", "));
    await sleep(20);
  }
  return own;
}

class ProcessesWorld implements World {
  constructor(
    readonly store: distributed.TCPStore,
    readonly control: distributed.ProcessGroup,
    readonly group: distributed.ProcessGroup,
  ) {}

  get rank(): number {
    return this.control.rank;
  }
  get size(): number {
    return this.control.size;
  }

  async sum(numbers: Float64Array): Promise<Float64Array> {
    const values = keep(tensor(numbers));
    await this.control.allReduce(values);
    const sums = values.toTypedArray() as Float64Array;
    values.dispose();
    return sums;
  }

  async gather<T>(value: T): Promise<T[]> {
    const bytes = Buffer.from(JSON.stringify(value ?? null));
    const gathered = await this.control.gatherBytes(bytes);
    return gathered.map((each) => JSON.parse(Buffer.from(each).toString()) as T);
  }

  async sumTensor(values: Tensor): Promise<void> {
    await this.group.allReduce(values);
  }

  async broadcast(values: Tensor, root: number): Promise<void> {
    await this.group.broadcast(values, root);
  }

  async share(values: readonly Tensor[]): Promise<void> {
    await distributed.shareValues(values, this.group, this.control);
  }

  exchange(parameters: readonly Tensor[], options: GradientExchangeOptions): GradientExchange {
    return new BucketedExchange(this, this.group, parameters, options);
  }

  async close(): Promise<void> {
    await this.group.close();
    if (this.control !== this.group) await this.control.close();
    await this.store.close();
  }
}
