import { checkOptions, describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import { native } from "../native.js";
import { requireTensors } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { ProcessGroup } from "./process-group.js";

export interface ReducerOptions {
  /** The order of the gradients in the buckets, by parameter; as `order` of another run gave it. Default: last to first */
  order?: readonly number[] | undefined;
  /** Bytes of the first bucket. Default: 1 MiB, as PyTorch's */
  firstBucketBytes?: number | undefined;
  /** Bytes of the others. Default: 25 MiB, as PyTorch's */
  bucketBytes?: number | undefined;
  /** Sends half the bytes: gradients are rounded to bfloat16, and their sums too. Default: float32 */
  compression?: "none" | "bfloat16" | undefined;
  /** Whether `trace` tells when each bucket was sent. Default: false */
  traced?: boolean | undefined;
}

/** One bucket's exchange in an update. */
export interface BucketTrace {
  bucket: number;
  bytes: number;
  /** Milliseconds of the monotonic clock (`process.hrtime`). */
  sent: number;
  done: number;
}

const MIB = 2 ** 20;

/**
 * Sums the gradients of parameters over processes, during the backward pass (Li et al. 2020, arXiv 2006.15704). An update
 * is: {@link begin}; backward passes, before the last of which {@link sendNext} is called; {@link finish}, which the
 * gradients are there behind. Gradients lie in flat buckets from then on, so set them to undefined instead of keeping them.
 */
export class Reducer {
  readonly parameters: readonly Tensor[];
  readonly group: ProcessGroup;
  readonly #id: number;

  constructor(group: ProcessGroup, parameters: readonly Tensor[], options: ReducerOptions = {}) {
    if (!(group instanceof ProcessGroup))
      throw argumentError("Reducer", `'group' must be a ProcessGroup, but is ${describe(group)}`);
    requireTensors(parameters, "Reducer", "parameters");
    const names = ["order", "firstBucketBytes", "bucketBytes", "compression", "traced"];
    checkOptions("Reducer", options, names);
    const {
      order = [],
      firstBucketBytes = MIB,
      bucketBytes = 25 * MIB,
      compression = "none",
      traced = false,
    } = options;
    this.group = group;
    this.parameters = parameters;
    const handles = parameters.map(({ handle }) => handle);
    const rounded = compression === "bfloat16";
    this.#id = native.openReducer(group.id, handles, order, firstBucketBytes, bucketBytes, rounded, traced);
  }

  /**
   * Begins an update.
   *
   * @param active a 1 for each parameter that it trains, the same in all processes: the others, such as frozen ones and
   * those of dropped layers, are neither sent nor waited for
   */
  begin(active: Uint8Array = new Uint8Array(this.parameters.length).fill(1)): void {
    native.reducerBegin(this.#id, active);
  }

  /** The next backward pass is the update's last: gradients are sent as they arrive. */
  sendNext(): void {
    native.reducerSend(this.#id);
  }

  /**
   * Sends what was not sent, as zeros where there is no gradient; call it also where there was no backward pass.
   *
   * @returns when the sums are there
   * @throws DistributedError where another process fails or does not come
   */
  async finish(): Promise<void> {
    await this.group.ask("all_reduce of gradients", () => native.reducerFinish(this.#id));
  }

  /** A 1 for each parameter that had a gradient in this process. */
  arrived(): Uint8Array {
    const flags = new Uint8Array(this.parameters.length);
    native.reducerArrived(this.#id, flags);
    return flags;
  }

  /** Makes the sums the gradients of the parameters that had one in some process; the others have none. */
  assign(used: Uint8Array): void {
    native.reducerAssign(this.#id, used);
  }

  /** The order of the gradients in the buckets. */
  get order(): number[] {
    return native.reducerOrder(this.#id, false);
  }

  /** The order in which gradients arrived in this update: the best for the buckets. */
  get arrivals(): number[] {
    return native.reducerOrder(this.#id, true);
  }

  /** Lays the buckets anew, between updates. */
  arrange(order: readonly number[]): void {
    native.reducerArrange(this.#id, order);
  }

  /** This update's exchanges, in the order in which they were sent. */
  trace(): BucketTrace[] {
    const numbers = native.reducerTrace(this.#id);
    return Array.from({ length: numbers.length / 4 }, (_, i) => {
      const [bucket, bytes, sent, done] = numbers.slice(4 * i, 4 * i + 4) as [number, number, number, number];
      return { bucket, bytes, sent, done };
    });
  }

  close(): void {
    native.closeReducer(this.#id);
  }
}
