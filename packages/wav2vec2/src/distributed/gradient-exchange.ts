import { distributed, type Tensor } from "@wav2vec2/libtorch";
import type { World } from "./world.js";

export interface GradientExchangeOptions {
  /** Of the gradients in the buckets, as a checkpoint has it: sums are then formed as before. */
  order?: readonly number[] | undefined;
  compression?: "none" | "bfloat16" | undefined;
}

/** Sums the gradients of an update over all processes, and some numbers with them. */
export interface GradientExchange {
  /**
   * Begins an update.
   *
   * @param idle parameters that have no gradient in it in any process, such as those of dropped layers
   */
  begin(idle?: Iterable<Tensor>): void;
  /** The next backward pass is the update's last. */
  sendNext(): void;
  /**
   * Ends the update's backward passes, also where there was none.
   *
   * @returns the sums of the numbers over all processes; gradients are sums too then, of parameters that had one in some
   * process
   * @throws DistributedError where another process fails or does not come
   */
  finish(numbers: Float64Array): Promise<Float64Array>;
  /** Of the gradients in the buckets, for a checkpoint. */
  order(): number[] | undefined;
  close(): void;
}

/** Between processes, in the buckets of a `Reducer`. */
export class BucketedExchange implements GradientExchange {
  readonly #reducer: distributed.Reducer;
  readonly #world: World;
  readonly #places: ReadonlyMap<Tensor, number>;
  /** Whether the buckets are in the order in which gradients arrive. */
  #arranged: boolean;
  #next: readonly number[] | undefined;

  /**
   * @param world for numbers
   * @param group of the world's processes on the parameters' device
   */
  constructor(
    world: World,
    group: distributed.ProcessGroup,
    parameters: readonly Tensor[],
    { order, compression }: GradientExchangeOptions,
  ) {
    this.#reducer = new distributed.Reducer(group, parameters, { order, compression });
    this.#world = world;
    this.#places = new Map(parameters.map((parameter, place) => [parameter, place]));
    this.#arranged = order !== undefined;
  }

  begin(idle: Iterable<Tensor> = []): void {
    if (this.#next) this.#reducer.arrange(this.#next);
    this.#next = undefined;
    const active = new Uint8Array(this.#places.size).fill(1);
    for (const parameter of idle) {
      const place = this.#places.get(parameter);
      if (place !== undefined) active[place] = 0;
    }
    this.#reducer.begin(active);
  }

  sendNext(): void {
    this.#reducer.sendNext();
  }

  async finish(numbers: Float64Array): Promise<Float64Array> {
    const gradients = this.#reducer.finish();
    // Which parameters have a gradient anywhere goes with the numbers: alone, they would cost another exchange.
    const arrived = this.#reducer.arrived();
    const words = new Float64Array(numbers.length + arrived.length);
    words.set(numbers);
    words.set(arrived, numbers.length);
    const [sums] = await Promise.all([this.#world.sum(words), gradients]);
    this.#reducer.assign(
      Uint8Array.from(sums.subarray(numbers.length), (processes) => Number(processes > 0)),
    );
    if (!this.#arranged) await this.#arrange();
    return sums.slice(0, numbers.length);
  }

  /** Behind the first update: lays the buckets in the order in which rank 0's gradients came. */
  async #arrange(): Promise<void> {
    this.#arranged = true;
    const [first] = await this.#world.gather(this.#world.rank === 0 ? this.#reducer.arrivals : []);
    this.#next = first;
  }

  order(): number[] | undefined {
    return this.#next ? [...this.#next] : this.#arranged ? this.#reducer.order : undefined;
  }

  close(): void {
    this.#reducer.close();
  }
}
