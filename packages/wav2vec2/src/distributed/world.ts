import type { Tensor } from "@wav2vec2/libtorch";
import type { GradientExchange, GradientExchangeOptions } from "./gradient-exchange.js";

/** The processes that compute together, seen from one of them. All call the same functions in the same order. */
export interface World {
  /** Number of this process, from 0. */
  readonly rank: number;
  /** Processes. */
  readonly size: number;
  /** Each number's sum over the processes, the same to the bit in all. */
  sum(numbers: Float64Array): Promise<Float64Array>;
  /** Every process's value, by rank; what JSON holds. */
  gather<T>(value: T): Promise<T[]>;
  /** Every process's number on a device becomes their sum, without waiting for the device. */
  sumTensor(values: Tensor): Promise<void>;
  /** Every process's tensor on the parameters' device becomes that of `root`. */
  broadcast(values: Tensor, root: number): Promise<void>;
  /** Gives all processes the values of rank 0, and makes sure that they arrived. */
  share(values: readonly Tensor[]): Promise<void>;
  /** What sums the gradients of parameters. */
  exchange(parameters: readonly Tensor[], options: GradientExchangeOptions): GradientExchange;
  close(): Promise<void>;
}

/** The world of one process. */
export const ALONE: World = {
  rank: 0,
  size: 1,
  sum: async (numbers) => numbers,
  gather: async (value) => [value],
  sumTensor: async () => {},
  broadcast: async () => {},
  share: async () => {},
  exchange: () => ({
    begin() {},
    sendNext() {},
    finish: async (numbers) => numbers,
    order: () => undefined,
    close() {},
  }),
  close: async () => {},
};
