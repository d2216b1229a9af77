import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { GPU_FIELDS, gpuReading } from "./nvidia-smi.js";
import { ownGpu } from "./own-gpu.js";

/** Under Windows' Linux it is not on the PATH. */
const WINDOWS = "/usr/lib/wsl/lib/nvidia-smi";
/** It ends where a driver is changed, for example; more often than this in a row, it does not come back. */
const MOST_ATTEMPTS = 3;

export interface GpuStreamOptions {
  /** Where the network computes, such as `cuda:0`. */
  device: string;
  /** Between two readings. */
  intervalMs: number;
  /** Told once why there are no readings any more. */
  onNote: (text: string) => void;
}

/**
 * The readings of the GPU that this process computes on. One `nvidia-smi` runs as long as the stream is open and prints
 * them: to start it for each reading would copy this process's page tables, and wake the driver, every time. Where there is no nvidia-smi, there are no readings.
 */
export class GpuStream {
  readonly #options: GpuStreamOptions;
  readonly #program = existsSync(WINDOWS) ? WINDOWS : "nvidia-smi";
  /** Settles with the first reading, or when none will come. */
  readonly heard: Promise<void>;
  #settle!: () => void;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #fields = GPU_FIELDS;
  #latest: { values: Record<string, number>; time: number } | undefined;
  #attempts = 0;
  #closed = false;

  constructor(options: GpuStreamOptions) {
    this.#options = options;
    this.heard = new Promise((resolve) => {
      this.#settle = resolve;
    });
    void this.#open();
  }

  /** The newest, unless it is old; by Weights & Biases' names. */
  read(): Record<string, number> {
    const { values, time } = this.#latest ?? { values: {}, time: Number.NEGATIVE_INFINITY };
    return performance.now() - time < 2.5 * this.#options.intervalMs ? values : {};
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#restart);
    this.#child?.kill();
    this.#settle();
  }

  async #open(): Promise<void> {
    const ordinal = Number(/^cuda:(\d+)$/.exec(this.#options.device)?.[1] ?? Number.NaN);
    const id = Number.isNaN(ordinal)
      ? undefined
      : await ownGpu(ordinal, process.env.CUDA_VISIBLE_DEVICES, () => this.#list());
    if (id === undefined) this.#settle();
    else if (!this.#closed) this.#start(id);
  }

  #list(): Promise<string> {
    return new Promise((resolve) => {
      execFile(this.#program, ["-L"], { timeout: 30_000 }, (_, stdout) => resolve(stdout));
    });
  }

  #start(id: string): void {
    const fields = this.#fields;
    const said: string[] = [];
    this.#attempts++;
    const query = [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader", `--id=${id}`];
    const child = spawn(this.#program, [...query, `--loop-ms=${Math.round(this.#options.intervalMs)}`], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
    this.#child = child;
    const hear = (line: string): void => {
      const values = gpuReading(line, fields);
      if (values) {
        this.#latest = { values, time: performance.now() };
        this.#attempts = 0;
        this.#settle();
      } else if (line.trim() !== "") {
        said.push(line.trim());
        if (said.length > 10) said.shift();
      }
    };
    createInterface({ input: child.stdout }).on("line", hear);
    createInterface({ input: child.stderr }).on("line", hear);
    child.on("error", ({ message, code }: NodeJS.ErrnoException) =>
      code === "ENOENT" ? this.close() : this.#end(message),
    );
    child.on("close", (code, signal) => {
      if (this.#closed || child.pid === undefined) return;
      const unknown = said.flatMap((line) => /^Field "(.*)" is not a valid field/.exec(line)?.[1] ?? [])[0];
      if (unknown !== undefined && fields.includes(unknown)) {
        this.#fields = fields.filter((field) => field !== unknown);
        this.#attempts = 0;
        this.#start(id);
      } else if (this.#attempts < MOST_ATTEMPTS) {
        this.#restart = setTimeout(() => this.#start(id), this.#options.intervalMs);
      } else {
        this.#end(said.at(-1) ?? `it ended with ${signal ?? code}`);
      }
    });
  }

  /** No more readings will come. */
  #end(reason: string): void {
    this.#settle();
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onNote(`The GPU is not measured any more, as nvidia-smi cannot be asked: ${reason}`);
  }
}
