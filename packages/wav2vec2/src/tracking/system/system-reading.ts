/** How one process and its machine were at a moment. */
export interface SystemReading {
  /** Milliseconds since 1970. */
  time: number;
  rank: number;
  host: string;
  /**
   * By Weights & Biases' names without their `system.`: `cpu` and `memory_percent` in percent, `proc.memory.rssMB`,
   * `network.sent` in bytes since the start, `gpu.0.gpu` in percent, `gpu.0.temp` in degrees Celsius, `gpu.0.powerWatts` and so on.
   */
  values: Readonly<Record<string, number>>;
}
