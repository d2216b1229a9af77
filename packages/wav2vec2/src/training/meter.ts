import { keep, noGrad, stack, type Tensor } from "@wav2vec2/libtorch";
import { SAMPLE_RATE } from "../audio/audio-file.js";
import type { BatchLoss } from "./loop.js";

/** What is measured of training between two lines of metrics. */
export class Meter {
  #names: string[] = [];
  /** Sums of tensors, [names], on their device: it is waited for only when they are read. */
  #tensors: Tensor | undefined;
  #numbers: Record<string, number> = {};
  #samples = 0;
  #updates = 0;
  #gradNorms = 0;
  /** Updates that had a norm. */
  #norms = 0;
  /** Updates that were left out. */
  #skipped = 0;
  #waitedMs = 0;
  #since = performance.now();

  /** Waits for a batch of audio. */
  async wait<Batch extends { lengths: Int32Array }>(next: Promise<IteratorResult<Batch>>): Promise<Batch> {
    const began = performance.now();
    const { value } = (await next) as { value: Batch }; // batches are endless
    this.#waitedMs += performance.now() - began;
    this.#samples += value.lengths.reduce((sum, length) => sum + length, 0);
    return value;
  }

  /** Adds a batch's loss and sums. */
  add({ loss, count, sums }: BatchLoss): void {
    const tensors: Record<string, Tensor> = { loss };
    for (const [name, value] of Object.entries({ count, ...sums })) {
      if (typeof value === "number") this.#numbers[name] = (this.#numbers[name] ?? 0) + value;
      else tensors[name] = value;
    }
    this.#names = Object.keys(tensors);
    noGrad(() => {
      const values = stack(Object.values(tensors).map((value) => value.detach().to({ dtype: "float64" })));
      if (this.#tensors) this.#tensors.add_(values);
      else this.#tensors = keep(values);
    });
  }

  /** Counts an update and the norm of its gradients, undefined where it was left out. */
  updated(gradNorm: number | undefined): void {
    this.#updates++;
    if (gradNorm === undefined) {
      this.#skipped++;
    } else {
      this.#gradNorms += gradNorm;
      this.#norms++;
    }
  }

  /** Sums over the batches, and metrics of the updates, since the last reading. */
  read(): { sums: Record<string, number>; metrics: Record<string, number> } {
    const elapsed = performance.now() - this.#since;
    const seconds = this.#samples / SAMPLE_RATE;
    const totals = this.#tensors?.toArray() ?? [];
    const sums = Object.fromEntries(this.#names.map((name, index) => [name, Number(totals[index])]));
    const metrics = {
      ...(this.#norms > 0 && { grad_norm: this.#gradNorms / this.#norms }),
      ...(this.#skipped > 0 && { skipped_updates: this.#skipped }),
      audio_seconds: seconds / this.#updates,
      audio_seconds_per_second: seconds / (elapsed / 1000),
      data_wait_share: this.#waitedMs / elapsed,
      memory_mb: process.memoryUsage.rss() / 2 ** 20,
    };
    const numbers = this.#numbers;
    this.#tensors?.dispose();
    this.#tensors = undefined;
    this.#numbers = {};
    this.#gradNorms = this.#norms = this.#skipped = 0;
    this.restart();
    return { sums: { ...numbers, ...sums }, metrics };
  }

  /** Begins to measure speed anew. */
  restart(): void {
    this.#samples = this.#updates = this.#waitedMs = 0;
    this.#since = performance.now();
  }
}
